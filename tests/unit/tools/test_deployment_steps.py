"""The steps around a deployment, against a scripted `az` and `azd`: what they ask for, what they say when it fails."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.support.bicep import INFRA, declared, needed_parameters
from tests.support.scripted_cli import Cli
from tools import events, registration
from tools.azure_cli import CliError, az

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


def given(call: list[str]) -> dict[str, str]:
    """The template parameters of a deployment."""
    values = call[call.index("--parameters") + 1 : call.index("--output")]
    return dict(value.split("=", 1) for value in values)


def test_every_subscription_of_the_fleet_is_subscribed(cli: Cli) -> None:
    """One deployment in each, with parameters events.bicep takes; only a topic of somebody else is reused."""
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
    """Without subscriptions those below the management group are asked for."""
    row = {"id": "/providers/Microsoft.Management/managementGroups/fleet/subscriptions/three", "name": "?"}
    cli.answers({"show-sub-under-mg": [row], "system-topic list": []})
    env = {**ENV, "FLEET_SUBSCRIPTIONS": "", "REFRESH_MANAGEMENT_GROUP": "fleet"}
    assert asyncio.run(events.subscribe(env)) == ["three"]


def test_a_refusal_ends_the_step_with_azures_words(cli: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    """What Azure says is what is told, with the command; nothing goes on after it."""
    cli.answers({"system-topic list": "refused"})
    with pytest.raises(CliError, match="AuthorizationFailed"):
        asyncio.run(events.subscribe(ENV))
    assert not cli.calls("deployment")
    with pytest.raises(ValueError, match="STORAGE_ACCOUNT_ID"):
        asyncio.run(events.subscribe({**ENV, "STORAGE_ACCOUNT_ID": ""}))


def test_a_program_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the Azure CLI the error says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CliError, match="az is not on the PATH"):
        az("version")


def test_the_registration_is_made_once_and_has_no_secret(cli: Cli) -> None:
    """The app registration takes version 2 tokens of this tenant, lets the Azure CLI ask, and no credential is made."""
    made = {"appId": "client", "id": "object", "displayName": "azure-vm-refresh (test)"}
    cli.answers({"ad app list": [], "ad app create": made, "signed-in-user": {"id": "me"}, "ad sp list": []})
    said = registration.register({"AZURE_ENV_NAME": "test"})
    assert "me may call" in said
    assert [call[2:4] for call in cli.calls("env set")] == [
        ["API_CLIENT_ID", "client"],
        ["API_ALLOWED_PRINCIPALS", "me"],
    ]
    bodies = [json.loads(call[call.index("--body") + 1]) for call in cli.calls("rest --method PATCH")]
    assert bodies[-1]["api"]["requestedAccessTokenVersion"] == 2
    assert bodies[-1]["api"]["preAuthorizedApplications"][0]["appId"] == registration.AZURE_CLI
    assert not cli.calls("credential")
    assert len(cli.calls("sp create")) == 1

    there = {**made, "api": {"oauth2PermissionScopes": [{"value": "access"}]}}
    cli.answers({"ad app list": [{**there, "displayName": "azure-vm-refresh (test) old", "appId": "x"}, there]})
    assert registration.ensure_registration("test") == "client"
    assert len(cli.calls("ad app create")) == 1


def test_nothing_is_registered_where_it_is_not_wanted(cli: Cli) -> None:
    """With function keys, or a registration that is given, Entra is not asked."""
    assert "key" in registration.register({"API_AUTH": "key"})
    assert "given" in registration.register({"API_CLIENT_ID": "given"})
    assert not cli.calls("")
