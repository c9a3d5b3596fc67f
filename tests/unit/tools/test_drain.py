"""The pause of a deployment: which swaps it waits for, and whether an app is deployed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from refresh.views.queue import queue_view
from tests.support.infra.scripted_cli import Cli
from tests.support.worlds.builders import VM_ID, disk_id
from tests.support.worlds.dispatcher import view_of
from tools import drain
from tools.shared.api_client import ApiError
from tools.shared.deployed_app import Found, audience_of, connect, find_app
from tools.shared.deployment_pause import WHY, read_queue

ENV = {"AZURE_ENV_NAME": "test", "AZURE_SUBSCRIPTION_ID": "app-sub"}
APP = {"name": "func-x", "host": "func-x.azurewebsites.net", "state": "Running", "service": "app"}
FUNCTIONS = ["func-x/get_queue", "func-x/sweep"]
INTENT = {"old_disk": disk_id("web01-old"), "new_disk": disk_id("web01-new")}
NO_GROUP = "refused ERROR: (ResourceGroupNotFound) Resource group 'rg-vm-refresh-test' could not be found."


def waited_for(row: dict[str, Any], **fields: Any) -> list[str]:
    """The steps to wait for when the dispatcher state has this one running row, read from the app's view of it."""
    state = {**fields, "running": {VM_ID.lower(): {"id": VM_ID, "n": 3, **row}}}
    return [swap.step for swap in read_queue(queue_view(view_of(state), 20)).swaps]


@pytest.mark.parametrize("step", ["intent", "stop", "new-disk", "start", "health", "undo", "undo-start", "prove"])
def test_every_step_of_a_swap_is_waited_for(step: str) -> None:
    """From its intent until the swap has left the list a VM may be down."""
    assert waited_for({"step": step, "intent": INTENT}) == [step]


def test_an_admitted_swap_is_waited_for_and_one_in_its_notice_is_not() -> None:
    """The first goes on to its end; the second is cancelled, unless its intent is stored and its step is late."""
    assert waited_for({}) == ["preparing"]
    assert waited_for({"step": "notice"}) == []
    assert waited_for({"step": "notice", "intent": INTENT}) == ["notice"]


def test_a_queued_vm_is_not_waited_for() -> None:
    """It stays in the queue while the app is paused."""
    state = {"paused": {"since": None, "why": WHY}, "queue": {VM_ID.lower(): {"id": VM_ID}}}
    queue = read_queue(queue_view(view_of(state), 20))
    assert (queue.paused, queue.ours, queue.swaps) == (True, True, ())


def test_a_pause_with_another_reason_is_not_the_deployments_own() -> None:
    """A pause with another reason, or none, is a person's."""
    for pause in ({"why": "change freeze"}, {"why": ""}, {"why": f"{WHY}, and more"}):
        queue = read_queue(queue_view(view_of({"paused": pause}), 20))
        assert (queue.paused, queue.ours) == (True, False)


def test_an_answer_that_is_not_the_apps_stops_the_deployment() -> None:
    """A proxy's page, or another app at the address, proves nothing about VMs."""
    with pytest.raises(ApiError, match="not answered by"):
        read_queue({"status": "ok"})


def test_a_first_deployment_has_nothing_to_wait_for(cli: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a group, an app in it, or functions in the app, both steps let the deployment go on."""
    for answers, message in (
        ({"functionapp list": NO_GROUP}, "not deployed yet"),
        ({"functionapp list": [{**APP, "service": None}]}, "not deployed yet"),
        ({"functionapp list": [APP], "function list": []}, "has no function yet"),
        ({"functionapp list": [{**APP, "state": "Stopped"}], "function list": FUNCTIONS}, "stopped in Azure"),
    ):
        cli.answers(answers)
        for arguments in ([], ["--resume"]):
            assert asyncio.run(drain.run(drain.parse(arguments, {}), ENV)) == 0
            assert message in capsys.readouterr().out
    assert cli.calls("functionapp list")[0][2:6] == [
        "--resource-group",
        "rg-vm-refresh-test",
        "--subscription",
        "app-sub",
    ]


def test_the_app_is_found_in_azure_and_not_by_its_address_alone(cli: Cli) -> None:
    """A pipeline without outputs gets the address from Azure; after the app is deleted no request is made."""
    cli.answers({"functionapp list": [APP], "function list": FUNCTIONS})
    assert find_app(ENV) == Found("https://func-x.azurewebsites.net", "func-x", "rg-vm-refresh-test")
    cli.answers({"functionapp list": []})
    assert find_app({**ENV, "FUNCTION_APP_URL": "https://func-x.azurewebsites.net"}) is None
    assert find_app({"FUNCTION_APP_URL": "http://127.0.0.1:1"}) == Found("http://127.0.0.1:1")
    with pytest.raises(ValueError, match="AZURE_ENV_NAME"):
        find_app({})


def test_an_app_whose_functions_cannot_be_listed_gets_the_request(cli: Cli) -> None:
    """The app's host answers the list: a failure proves nothing about the package."""
    cli.answers({"functionapp list": [APP], "function list": "refused ERROR: (ServiceUnavailable) host runtime"})
    found = find_app(ENV)
    assert found is not None
    assert found.idle is None


def test_azure_out_of_reach_stops_the_deployment_unless_it_is_forced(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a sign-in: the command's message and exit code 1; with --force, or DEPLOY_FORCE, it goes on."""
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
    """The output of the last deployment counts; before the first, the parameters of the next one."""
    assert audience_of({"API_AUDIENCE": "api://old", "API_CLIENT_ID": "new"}) == "api://old"
    assert audience_of({"API_AUDIENCE": "", "API_CLIENT_ID": "new"}) == ""
    assert audience_of({"API_CLIENT_ID": "new"}) == "api://new"
    assert audience_of({"API_CLIENT_ID": "new", "API_AUTH": "key"}) == ""


def test_function_keys_come_from_azure_where_they_protect_the_api(cli: Cli) -> None:
    """The key is read from Azure; a key in the environment is used instead."""
    app = Found("https://func-x.azurewebsites.net", "func-x", "rg-vm-refresh-test")
    cli.answers({"keys list": {"default": "from-azure"}})
    assert connect(ENV, app).headers() == {"x-functions-key": "from-azure"}
    assert connect({**ENV, "FUNCTIONS_KEY": "given"}, app).headers() == {"x-functions-key": "given"}
    assert len(cli.calls("keys list")) == 1
