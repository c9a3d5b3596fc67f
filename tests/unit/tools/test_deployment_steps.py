"""The steps around a deployment, against a scripted `az` and `azd`: their requests and their errors."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.support.infra.bicep import INFRA, declared, needed_parameters
from tests.support.infra.scripted_cli import Cli
from tools import events
from tools.shared.azure_cli import CliError, az

APP = "/subscriptions/app-sub/resourceGroups/rg-app/providers/Microsoft.Web/sites/func-x"
STORAGE = "/subscriptions/app-sub/resourceGroups/rg-app/providers/Microsoft.Storage/storageAccounts/stx"
ENV = {
    "AZURE_ENV_NAME": "test",
    "AZURE_LOCATION": "westeurope",
    "FUNCTION_APP_ID": APP,
    "STORAGE_ACCOUNT_ID": STORAGE,
    "FLEET_SUBSCRIPTIONS": "one, two",
}
THEIRS = {
    "name": "defender",
    "resourceGroup": "rg-sec",
    "topicType": "Microsoft.Resources.Subscriptions",
    "identity": {"type": "SystemAssigned"},
}
OURS = {**THEIRS, "name": "evgst-vm-refresh-test", "resourceGroup": "rg-vm-refresh-events-test"}


def descendant(name: str, parent: str = "") -> dict[str, Any]:
    """A row of a management group's descendants: a subscription below `parent`, or a group."""
    groups = "/providers/Microsoft.Management/managementGroups"
    if not parent:
        return {"id": f"{groups}/{name}", "type": groups.lstrip("/"), "name": name}
    return {"id": f"/subscriptions/{name}", "type": f"{groups}/subscriptions", "name": name}


def given(call: list[str]) -> dict[str, str]:
    """The template parameters of a deployment."""
    values = call[call.index("--parameters") + 1 : call.index("--output")]
    return dict(value.split("=", 1) for value in values)


def test_every_subscription_of_the_fleet_is_subscribed(cli: Cli) -> None:
    """One deployment in each, with parameters of events.bicep; only a topic that is not ours is reused."""
    cli.answers({"system-topic list --subscription one": [OURS], "system-topic list --subscription two": [THEIRS]})
    assert asyncio.run(events.subscribe(ENV)) == ["one", "two"]
    one, two = cli.calls("deployment sub create")
    taken = declared(INFRA / "events.bicep", "parameters")
    assert set(given(one)) | set(given(two)) <= set(taken)
    assert needed_parameters(INFRA / "events.bicep") <= set(given(one))
    assert "existingTopicName" not in given(one)
    assert given(two)["existingTopicName"] == "defender"
    assert given(two)["existingTopicGroup"] == "rg-sec"
    assert given(two)["existingTopicHasIdentity"] == "true"


def test_the_fleet_may_be_a_management_group(cli: Cli) -> None:
    """Without subscriptions those below the management group are listed: in nested groups as well, on every page."""
    more = "https://management.azure.com/next?page=2"
    below = "/managementGroups/fleet/descendants"
    cli.answers(
        {
            below: {"value": [descendant("inner"), descendant("three", "fleet")], "nextLink": more},
            more: {"value": [descendant("four", "inner")]},
            "system-topic list": [],
        }
    )
    env = {**ENV, "FLEET_SUBSCRIPTIONS": "", "REFRESH_MANAGEMENT_GROUP": "fleet"}
    assert asyncio.run(events.subscribe(env)) == ["three", "four"]
    subscribed = [call[call.index("--subscription") + 1] for call in cli.calls("deployment sub create")]
    assert subscribed == ["three", "four"]


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/next",
        "https://management.azure.com.evil.example/next",
        "https://management.azure.com@evil.example/next",
        "https://management.azure.com:8443/next",
        "http://management.azure.com/next",
    ],
)
def test_a_list_that_continues_elsewhere_is_not_read(cli: Cli, link: str) -> None:
    """`az rest` sends a token to every address that begins like ARM's, so another host stops the step."""
    cli.answers({"descendants": {"value": [descendant("three", "fleet")], "nextLink": link}})
    env = {**ENV, "FLEET_SUBSCRIPTIONS": "", "REFRESH_MANAGEMENT_GROUP": "fleet"}
    with pytest.raises(CliError, match="not Azure Resource Manager's"):
        asyncio.run(events.subscribe(env))
    assert len(cli.calls("rest")) == 1


def test_a_failed_command_is_shown_as_a_shell_takes_it(cli: Cli) -> None:
    """A name in it is quoted, so that a copied command has the same arguments."""
    cli.answers({"group show": "refused"})
    with pytest.raises(CliError, match=r"az group show --name 'a\(b\); \$\(x\)' "):
        az("group", "show", "--name", "a(b); $(x)")


def test_an_empty_fleet_is_refused(cli: Cli) -> None:
    """A management group in which the caller sees no subscription is an error."""
    cli.answers({"descendants": {"value": [descendant("inner")]}})
    env = {**ENV, "FLEET_SUBSCRIPTIONS": "", "REFRESH_MANAGEMENT_GROUP": "fleet"}
    with pytest.raises(ValueError, match="none below the management group fleet"):
        asyncio.run(events.subscribe(env))
    with pytest.raises(ValueError, match="azd provision"):
        asyncio.run(events.subscribe({**ENV, "FLEET_SUBSCRIPTIONS": ""}))
    assert not cli.calls("deployment")


def test_a_refusal_ends_the_step_with_azures_words(cli: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    """The error has Azure's message and the command, and no step follows."""
    cli.answers({"system-topic list": "refused"})
    with pytest.raises(CliError, match="AuthorizationFailed"):
        asyncio.run(events.subscribe(ENV))
    assert not cli.calls("deployment")
    with pytest.raises(ValueError, match="STORAGE_ACCOUNT_ID"):
        asyncio.run(events.subscribe({**ENV, "STORAGE_ACCOUNT_ID": ""}))


def test_a_program_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the Azure CLI the error names what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CliError, match="az is not on the PATH"):
        az("version")
