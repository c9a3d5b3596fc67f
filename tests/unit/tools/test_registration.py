"""The app registration, against a scripted `az` and `azd`: how it is made, and which existing one is used."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.infra.bicep import CompilerError, deployment
from tests.support.infra.scripted_cli import Cli
from tools import registration

NAME = "azure-vm-refresh (test)"
MADE = {"appId": "client", "id": "object", "displayName": NAME, "tags": ["azure-vm-refresh:test"]}
COMPLETE = {**MADE, "api": {"oauth2PermissionScopes": [{"value": "access"}]}}
# Why a registration of the same name is refused -> how it differs from the app's own.
FOREIGN: dict[str, dict[str, Any]] = {
    "lacks the tag azure-vm-refresh:test": {"tags": []},
    "has a secret or a certificate": {"passwordCredentials": [{"keyId": "k"}]},
    "is not owned by you": {"owners": [{"id": "other"}]},
}


def entra(*apps: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Entra's answers with these registrations, all owned by the signed-in person `me`."""
    return {
        "ad app list": list(apps),
        "ad app owner list": [{"id": "other"}, {"id": "me"}],
        "rest --method POST": MADE,
        "signed-in-user": {"id": "me"},
        "ad sp list": [],
        **more,
    }


def bodies(cli: Cli, method: str) -> list[dict[str, Any]]:
    """The bodies sent to Microsoft Graph with this method."""
    return [json.loads(call[call.index("--body") + 1]) for call in cli.calls(f"rest --method {method}")]


def test_the_registration_is_made_marked_and_has_no_secret(cli: Cli) -> None:
    """It accepts version 2 tokens of this tenant, authorizes the Azure CLI, has the app's tag, and no credential."""
    cli.answers(entra())
    assert "me may call" in registration.register({"AZURE_ENV_NAME": "test"})
    assert [call[2:4] for call in cli.calls("env set")] == [
        ["API_CLIENT_ID", "client"],
        ["API_ALLOWED_PRINCIPALS", "me"],
    ]
    (made,) = bodies(cli, "POST")
    assert made == {"displayName": NAME, "signInAudience": "AzureADMyOrg", "tags": ["azure-vm-refresh:test"]}
    assert bodies(cli, "PATCH")[-1]["api"]["requestedAccessTokenVersion"] == 2
    assert bodies(cli, "PATCH")[-1]["api"]["preAuthorizedApplications"][0]["appId"] == registration.AZURE_CLI
    (owner,) = cli.calls("ad app owner add")
    assert owner[owner.index("--owner-object-id") + 1] == "me"
    assert not cli.calls("credential")
    assert len(cli.calls("sp create")) == 1


def test_an_existing_registration_is_used_again(cli: Cli) -> None:
    """A registration with exactly the name and the tag, no secret, and the caller as owner is used; nothing is made."""
    longer = {**COMPLETE, "displayName": f"{NAME} old", "appId": "x"}
    cli.answers(entra(longer, COMPLETE, **{"ad sp list": [{"id": "sp"}]}))
    assert registration.ensure_registration("test") == "client"
    assert not cli.calls("rest --method")
    assert not cli.calls("sp create")


def test_a_registration_that_was_begun_is_finished(cli: Cli) -> None:
    """After a crash between the registration and its API the next run adds the API to it."""
    cli.answers(entra(MADE))
    assert registration.ensure_registration("test") == "client"
    assert bodies(cli, "POST") == []
    assert len(bodies(cli, "PATCH")) == 2


@pytest.mark.parametrize("why", FOREIGN)
def test_another_registration_of_the_same_name_is_refused(why: str, cli: Cli) -> None:
    """The error has its name, the reason and both cures (use it, or rename or delete it); nothing is changed."""
    foreign = {**COMPLETE, "appId": "theirs", **FOREIGN[why]}
    owners = foreign.pop("owners", [{"id": "me"}])
    cli.answers(entra(foreign, **{"ad app owner list": owners}))
    with pytest.raises(ValueError, match=why) as raised:
        registration.register({"AZURE_ENV_NAME": "test"})
    for part in (NAME, "client id theirs", "azd env set API_CLIENT_ID", "rename or delete"):
        assert part in str(raised.value)
    assert not cli.calls("rest")
    assert not cli.calls("env set")


def test_the_apps_registration_is_found_beside_another_of_the_same_name(cli: Cli) -> None:
    """Display names are not unique in Entra, so of two the one with the app's tag is used."""
    cli.answers(entra({**COMPLETE, "appId": "theirs", "tags": []}, COMPLETE))
    assert registration.ensure_registration("test") == "client"


def test_a_service_principal_owns_what_it_made(cli: Cli) -> None:
    """Without a signed-in person the account's service principal has to be the owner."""
    answers = entra(COMPLETE, **{"ad app owner list": [{"id": "pipeline"}]})
    who = {"signed-in-user": "refused", "account show": {"user": {"name": "p", "type": "servicePrincipal"}}}
    cli.answers({**answers, **who, "ad sp show --id p": {"id": "pipeline"}})
    assert registration.ensure_registration("test") == "client"
    cli.answers({**answers, "signed-in-user": "refused", "account show": "refused"})
    with pytest.raises(ValueError, match="is not owned by you"):
        registration.ensure_registration("test")


def test_nothing_is_registered_when_no_registration_is_needed(cli: Cli) -> None:
    """With function keys or a configured registration no request is sent to Entra."""
    assert "key" in registration.register({"API_AUTH": "key"})
    assert "given" in registration.register({"API_CLIENT_ID": "given"})
    assert not cli.calls("")


def test_more_callers_than_app_service_takes_are_refused_here_as_in_bicep(cli: Cli) -> None:
    """Both accept thirteen object ids and refuse fourteen; an id that is named twice counts once."""
    callers = [f"{number:08}-0000-4000-8000-000000000000" for number in range(registration.MAX_PRINCIPALS + 1)]
    most, more = ",".join([*callers[:-1], callers[0]]), ", ".join(callers)
    assert "given" in registration.register({"API_CLIENT_ID": "given", "API_ALLOWED_PRINCIPALS": most})
    with pytest.raises(ValueError, match="API_ALLOWED_PRINCIPALS has 14 object ids, and App Service takes 13"):
        registration.register({"API_CLIENT_ID": "given", "API_ALLOWED_PRINCIPALS": more})
    assert not cli.calls("")
    assert deployment(apiAllowedPrincipals=most).resources
    with pytest.raises(CompilerError, match="has 14 object ids"):
        deployment(apiAllowedPrincipals=more)
