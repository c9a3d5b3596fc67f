"""The pause around a deployment: the swaps that it waits for, and how the deployed app is found."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from refresh.views.queue import queue_view
from tests.support.infra.scripted_cli import Cli
from tests.support.worlds.builders import VM_ID, disk_id
from tests.support.worlds.dispatcher import view_of
from tools import drain
from tools.api_client import ApiError
from tools.brake import WHY, read_queue
from tools.deployed_app import Found, audience_of, connect, find_app

ENV = {"AZURE_ENV_NAME": "test", "AZURE_SUBSCRIPTION_ID": "app-sub"}
APP = {"name": "func-x", "host": "func-x.azurewebsites.net", "state": "Running", "service": "app"}
FUNCTIONS = ["func-x/get_queue", "func-x/sweep"]
INTENT = {"old_disk": disk_id("web01-old"), "new_disk": disk_id("web01-new")}
NO_GROUP = "refused ERROR: (ResourceGroupNotFound) Resource group 'rg-vm-refresh-test' could not be found."


def waited_for(row: dict[str, Any], **fields: Any) -> list[str]:
    """The steps that the deployment waits for, from the app's view of a dispatcher state with this running row."""
    state = {**fields, "running": {VM_ID.lower(): {"id": VM_ID, "n": 3, **row}}}
    return [swap.step for swap in read_queue(queue_view(view_of(state), 20)).swaps]


@pytest.mark.parametrize("step", ["intent", "stop", "new-disk", "start", "health", "undo", "undo-start", "prove"])
def test_every_step_of_a_swap_is_waited_for(step: str) -> None:
    """A VM can be down in every step from the intent to the end of its swap."""
    assert waited_for({"step": step, "intent": INTENT}) == [step]


def test_an_admitted_swap_is_waited_for_and_one_in_its_notice_is_not() -> None:
    """A pause does not stop an admitted swap; it cancels one in its notice, unless its intent is already stored."""
    assert waited_for({}) == ["preparing"]
    assert waited_for({"step": "notice"}) == []
    assert waited_for({"step": "notice", "intent": INTENT}) == ["notice"]


def test_a_queued_vm_is_not_waited_for() -> None:
    """A queued VM stays in the queue while the app is paused."""
    state = {"paused": {"since": None, "why": WHY}, "queue": {VM_ID.lower(): {"id": VM_ID}}}
    queue = read_queue(queue_view(view_of(state), 20))
    assert (queue.paused, queue.ours, queue.swaps) == (True, True, ())


def test_a_pause_with_another_reason_is_not_the_deployments_own() -> None:
    """A pause with another reason, or with none, counts as an operator's."""
    for pause in ({"why": "change freeze"}, {"why": ""}, {"why": f"{WHY}, and more"}):
        queue = read_queue(queue_view(view_of({"paused": pause}), 20))
        assert (queue.paused, queue.ours) == (True, False)


def test_an_answer_of_another_server_is_an_error() -> None:
    """An answer that is not the app's queue, such as a proxy's page, raises ApiError."""
    with pytest.raises(ApiError, match="not answered by"):
        read_queue({"status": "ok"})


def test_a_first_deployment_has_nothing_to_wait_for(cli: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    """Both steps succeed without a group, an app, a function, or with a stopped app."""
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
    """Without outputs the address comes from Azure; with an address of a deleted app there is no app."""
    cli.answers({"functionapp list": [APP], "function list": FUNCTIONS})
    assert find_app(ENV) == Found("https://func-x.azurewebsites.net", "func-x", "rg-vm-refresh-test")
    cli.answers({"functionapp list": []})
    assert find_app({**ENV, "FUNCTION_APP_URL": "https://func-x.azurewebsites.net"}) is None
    assert find_app({"FUNCTION_APP_URL": "http://127.0.0.1:1"}) == Found("http://127.0.0.1:1")
    with pytest.raises(ValueError, match="AZURE_ENV_NAME"):
        find_app({})


def test_an_app_whose_functions_cannot_be_listed_is_not_idle(cli: Cli) -> None:
    """The app's own host returns the list, so a failure does not show that the app has no functions."""
    cli.answers({"functionapp list": [APP], "function list": "refused ERROR: (ServiceUnavailable) host runtime"})
    found = find_app(ENV)
    assert found is not None
    assert found.idle is None


def test_a_failed_azure_command_stops_the_deployment_unless_it_is_forced(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a login the step prints the CLI's message and exits with 1; --force or DEPLOY_FORCE continues."""
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
    """The audience is that of the last deployment; before the first one, that of the configured registration."""
    assert audience_of({"API_AUDIENCE": "api://old", "API_CLIENT_ID": "new"}) == "api://old"
    assert audience_of({"API_AUDIENCE": "", "API_CLIENT_ID": "new"}) == ""
    assert audience_of({"API_CLIENT_ID": "new"}) == "api://new"
    assert audience_of({"API_CLIENT_ID": "new", "API_AUTH": "key"}) == ""


def test_function_keys_come_from_azure_where_they_guard_the_api(cli: Cli) -> None:
    """With apiAuth=key the function key is read from Azure, unless FUNCTIONS_KEY has one."""
    app = Found("https://func-x.azurewebsites.net", "func-x", "rg-vm-refresh-test")
    cli.answers({"keys list": {"default": "from-azure"}})
    assert connect(ENV, app).headers() == {"x-functions-key": "from-azure"}
    assert connect({**ENV, "FUNCTIONS_KEY": "given"}, app).headers() == {"x-functions-key": "given"}
    assert len(cli.calls("keys list")) == 1
