"""What a deployment's pause goes by: which swaps count, and whether there is an app to ask."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from refresh.views.dispatcher_state import Book
from refresh.views.queue import queue_view
from tests.support.infra.scripted_cli import Cli
from tests.support.worlds.builders import VM_ID, disk_id
from tools import drain
from tools.shared.api_client import ApiError
from tools.shared.deployed_app import Found, audience_of, connect, find_app
from tools.shared.deployment_pause import WHY, read_queue

ENV = {"AZURE_ENV_NAME": "test", "AZURE_SUBSCRIPTION_ID": "app-sub"}
APP = {"name": "func-x", "host": "func-x.azurewebsites.net", "state": "Running", "service": "app"}
FUNCTIONS = ["func-x/get_queue", "func-x/sweep"]
INTENT = {"old_disk": disk_id("web01-old"), "new_disk": disk_id("web01-new")}
NO_GROUP = "refused ERROR: (ResourceGroupNotFound) Resource group 'rg-vm-refresh-test' could not be found."


def seen(row: dict[str, Any], **book: Any) -> list[str]:
    """The steps that are waited for when the book has this one running row: the app's own view of it is read."""
    state = {**book, "running": {VM_ID.lower(): {"id": VM_ID, "n": 3, **row}}}
    return [swap.step for swap in read_queue(queue_view(Book(state), 20)).swaps]


@pytest.mark.parametrize("step", ["intent", "stop", "new-disk", "start", "health", "undo", "undo-start", "prove"])
def test_every_step_of_a_swap_is_waited_for(step: str) -> None:
    """From its intent on a VM may be down, until the swap is over and gone from the list."""
    assert seen({"step": step, "intent": INTENT}) == [step]


def test_a_swap_that_was_let_in_is_waited_for_and_one_in_its_notice_is_not() -> None:
    """Nothing stops the first one; the second is called off, unless its intent is stored and its step came late."""
    assert seen({}) == ["preparing"]
    assert seen({"step": "notice"}) == []
    assert seen({"step": "notice", "intent": INTENT}) == ["notice"]


def test_a_queued_vm_is_not_waited_for() -> None:
    """It stays in the queue as long as the app is paused."""
    state = {"paused": {"since": None, "why": WHY}, "queue": {VM_ID.lower(): {"id": VM_ID}}}
    queue = read_queue(queue_view(Book(state), 20))
    assert (queue.paused, queue.ours, queue.swaps) == (True, True, ())


def test_only_a_deployment_s_own_pause_is_taken_for_one() -> None:
    """Any other reason, or none, is a person's."""
    for pause in ({"why": "change freeze"}, {"why": ""}, {"why": f"{WHY}, and more"}):
        queue = read_queue(queue_view(Book({"paused": pause}), 20))
        assert (queue.paused, queue.ours) == (True, False)


def test_an_answer_of_something_else_is_no_go() -> None:
    """A proxy's page, or another app at the address, says nothing about VMs."""
    with pytest.raises(ApiError, match="not answered by"):
        read_queue({"status": "ok"})


def test_a_first_deployment_has_nothing_to_wait_for(cli: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    """No group, no app in it, or an app without functions: the deployment goes on, before it and after it."""
    for answers, words in (
        ({"functionapp list": NO_GROUP}, "not deployed yet"),
        ({"functionapp list": [{**APP, "service": None}]}, "not deployed yet"),
        ({"functionapp list": [APP], "function list": []}, "has no function yet"),
        ({"functionapp list": [{**APP, "state": "Stopped"}], "function list": FUNCTIONS}, "stopped in Azure"),
    ):
        cli.answers(answers)
        for arguments in ([], ["--resume"]):
            assert asyncio.run(drain.run(drain.parse(arguments, {}), ENV)) == 0
            assert words in capsys.readouterr().out
    assert cli.calls("functionapp list")[0][2:6] == [
        "--resource-group",
        "rg-vm-refresh-test",
        "--subscription",
        "app-sub",
    ]


def test_the_app_is_found_in_azure_and_not_by_its_address_alone(cli: Cli) -> None:
    """A pipeline that has no outputs yet learns the address; an environment that outlived its app asks nobody."""
    cli.answers({"functionapp list": [APP], "function list": FUNCTIONS})
    assert find_app(ENV) == Found("https://func-x.azurewebsites.net", "func-x", "rg-vm-refresh-test")
    cli.answers({"functionapp list": []})
    assert find_app({**ENV, "FUNCTION_APP_URL": "https://func-x.azurewebsites.net"}) is None
    assert find_app({"FUNCTION_APP_URL": "http://127.0.0.1:1"}) == Found("http://127.0.0.1:1")
    with pytest.raises(ValueError, match="AZURE_ENV_NAME"):
        find_app({})


def test_an_app_whose_functions_cannot_be_listed_is_asked_itself(cli: Cli) -> None:
    """The list goes through the app's host: that it fails is no word about the package."""
    cli.answers({"functionapp list": [APP], "function list": "refused ERROR: (ServiceUnavailable) host runtime"})
    found = find_app(ENV)
    assert found is not None
    assert found.idle is None


def test_azure_that_cannot_be_asked_stops_the_deployment_unless_it_is_forced(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not signed in: the command's own words and exit code 1; with --force, or DEPLOY_FORCE, it goes on."""
    cli.answers({"functionapp list": "refused Please run 'az login' to setup account."})
    for name, value in ENV.items():
        monkeypatch.setenv(name, value)
    assert drain.main([]) == 1
    assert "az login" in capsys.readouterr().err
    assert drain.main(["--force"]) == 0
    monkeypatch.setenv("DEPLOY_FORCE", "yes")
    assert drain.main([]) == 0
    assert drain.main(["--resume"]) == 1


def test_a_caller_s_token_is_for_the_app_that_is_deployed() -> None:
    """What the last deployment made counts; before there is any, what the next one is told to make."""
    assert audience_of({"API_AUDIENCE": "api://old", "API_CLIENT_ID": "new"}) == "api://old"
    assert audience_of({"API_AUDIENCE": "", "API_CLIENT_ID": "new"}) == ""
    assert audience_of({"API_CLIENT_ID": "new"}) == "api://new"
    assert audience_of({"API_CLIENT_ID": "new", "API_AUTH": "key"}) == ""


def test_function_keys_come_from_azure_where_they_guard_the_api(cli: Cli) -> None:
    """Who deploys need not put a key anywhere; one that is given is used instead."""
    app = Found("https://func-x.azurewebsites.net", "func-x", "rg-vm-refresh-test")
    cli.answers({"keys list": {"default": "from-azure"}})
    assert connect(ENV, app).headers() == {"x-functions-key": "from-azure"}
    assert connect({**ENV, "FUNCTIONS_KEY": "given"}, app).headers() == {"x-functions-key": "given"}
    assert len(cli.calls("keys list")) == 1
