"""The app registration, against a scripted `az` and `azd`: how it is made, and that no other is used for it."""

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
# Why a registration of the name is not ours -> what is different about it.
STRANGERS: dict[str, dict[str, Any]] = {
    "lacks the tag azure-vm-refresh:test": {"tags": []},
    "has a secret or a certificate": {"passwordCredentials": [{"keyId": "k"}]},
    "is not owned by you": {"owners": [{"id": "other"}]},
}


def entra(*apps: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The answers of an Entra in which `me`, a person, owns every registration."""
    return {
        "ad app list": list(apps),
        "ad app owner list": [{"id": "other"}, {"id": "me"}],
        "rest --method POST": MADE,
        "signed-in-user": {"id": "me"},
        "ad sp list": [],
        **more,
    }


def bodies(cli: Cli, method: str) -> list[dict[str, Any]]:
    """The bodies of the requests to Microsoft Graph."""
    return [json.loads(call[call.index("--body") + 1]) for call in cli.calls(f"rest --method {method}")]


def test_the_registration_is_made_marked_and_has_no_secret(cli: Cli) -> None:
    """It has version 2 tokens of this tenant, the Azure CLI as client, its tag, and no credential."""
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
    """With the name, the tag, no secret and the deploying identity as owner: nothing is made twice."""
    longer = {**COMPLETE, "displayName": f"{NAME} old", "appId": "x"}
    cli.answers(entra(longer, COMPLETE, **{"ad sp list": [{"id": "sp"}]}))
    assert registration.ensure_registration("test") == "client"
    assert not cli.calls("rest --method")
    assert not cli.calls("sp create")


def test_a_registration_that_was_begun_is_finished(cli: Cli) -> None:
    """After a crash between the registration and its API block, the next run completes it."""
    cli.answers(entra(MADE))
    assert registration.ensure_registration("test") == "client"
    assert bodies(cli, "POST") == []
    assert len(bodies(cli, "PATCH")) == 2


@pytest.mark.parametrize("why", STRANGERS)
def test_a_foreign_registration_of_the_name_is_not_used(why: str, cli: Cli) -> None:
    """The error names it, the reason and both ways out; nothing is changed."""
    stranger = {**COMPLETE, "appId": "theirs", **STRANGERS[why]}
    owners = stranger.pop("owners", [{"id": "me"}])
    cli.answers(entra(stranger, **{"ad app owner list": owners}))
    with pytest.raises(ValueError, match=why) as raised:
        registration.register({"AZURE_ENV_NAME": "test"})
    for part in (NAME, "client id theirs", "azd env set API_CLIENT_ID", "rename or delete"):
        assert part in str(raised.value)
    assert not cli.calls("rest")
    assert not cli.calls("env set")


def test_ours_is_found_beside_a_foreign_one(cli: Cli) -> None:
    """Display names are not unique in Entra: ours is used, whatever the other has."""
    cli.answers(entra({**COMPLETE, "appId": "theirs", "tags": []}, COMPLETE))
    assert registration.ensure_registration("test") == "client"


def test_a_service_principal_owns_what_it_made(cli: Cli) -> None:
    """In a pipeline no user is signed in: the account's service principal is the owner."""
    answers = entra(COMPLETE, **{"ad app owner list": [{"id": "pipeline"}]})
    who = {"signed-in-user": "refused", "account show": {"user": {"name": "p", "type": "servicePrincipal"}}}
    cli.answers({**answers, **who, "ad sp show --id p": {"id": "pipeline"}})
    assert registration.ensure_registration("test") == "client"
    cli.answers({**answers, "signed-in-user": "refused", "account show": "refused"})
    with pytest.raises(ValueError, match="is not owned by you"):
        registration.ensure_registration("test")


def test_nothing_is_registered_where_it_is_not_wanted(cli: Cli) -> None:
    """With function keys, or a given registration, there is no request to Entra."""
    assert "key" in registration.register({"API_AUTH": "key"})
    assert "given" in registration.register({"API_CLIENT_ID": "given"})
    assert not cli.calls("")


def test_more_callers_than_app_service_takes_are_refused_here_as_in_bicep(cli: Cli) -> None:
    """Both accept thirteen object ids and refuse fourteen; an id that is listed twice counts once."""
    callers = [f"{number:08}-0000-4000-8000-000000000000" for number in range(registration.MAX_PRINCIPALS + 1)]
    most, more = ",".join([*callers[:-1], callers[0]]), ", ".join(callers)
    assert "given" in registration.register({"API_CLIENT_ID": "given", "API_ALLOWED_PRINCIPALS": most})
    with pytest.raises(ValueError, match="API_ALLOWED_PRINCIPALS has 14 object ids, and App Service takes 13"):
        registration.register({"API_CLIENT_ID": "given", "API_ALLOWED_PRINCIPALS": more})
    assert not cli.calls("")
    assert deployment(apiAllowedPrincipals=most).resources
    with pytest.raises(CompilerError, match="has 14 object ids"):
        deployment(apiAllowedPrincipals=more)
