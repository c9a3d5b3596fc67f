"""Before a deployment: the app registration whose tokens the HTTP API accepts (`python -m tools.registration`).

Decides its form (this tenant only, no secret, no certificate, the Azure CLI may request tokens for a signed-in user)
and whether an existing registration is this environment's. Who may call is in API_ALLOWED_PRINCIPALS: at first the
identity that deploys. Does nothing when API_AUTH=key or API_CLIENT_ID is set. ARM has no resource type for a
registration, so Bicep cannot make it.
"""

from __future__ import annotations

import json
import os
import sys
import uuid
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

if not __package__:  # started as a file, not with -m
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.shared.azure_cli import CliError, az, run
from tools.shared.command_line import Parser, run_command

_APPLICATIONS = "https://graph.microsoft.com/v1.0/applications"
MAX_PRINCIPALS = 13
"""Object ids of 36 characters in the 500 that App Service accepts: https://github.com/MicrosoftDocs/azure-docs/issues/116740"""
AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
"""The Azure CLI's client id: https://learn.microsoft.com/troubleshoot/entra/entra-id/governance/verify-first-party-apps-sign-in"""


def name_of(environment: str) -> str:
    """The display name of an environment's registration."""
    return f"azure-vm-refresh ({environment})"


def api_of(client_id: str) -> dict[str, Any]:
    """The registration's `api` block and identifier in Microsoft Graph's form.

    Version 2 tokens, because the app trusts the version 2 issuer:
    https://learn.microsoft.com/graph/api/resources/apiapplication
    """
    scope = str(uuid.uuid5(uuid.NAMESPACE_URL, f"api://{client_id}/access"))
    consent = "Call the API of azure-vm-refresh"
    return {
        "identifierUris": [f"api://{client_id}"],
        "api": {
            "requestedAccessTokenVersion": 2,
            "oauth2PermissionScopes": [
                {
                    "id": scope,
                    "value": "access",
                    "type": "Admin",
                    "isEnabled": True,
                    "adminConsentDisplayName": consent,
                    "adminConsentDescription": consent,
                }
            ],
            "preAuthorizedApplications": [{"appId": AZURE_CLI, "delegatedPermissionIds": [scope]}],
        },
    }


def marker_of(environment: str) -> str:
    """The tag that distinguishes an environment's registration from others of its name; a tag has no blanks."""
    return f"azure-vm-refresh:{environment}"


def faults_of(app: Mapping[str, Any], environment: str, owners: Collection[str], me: str) -> list[str]:
    """Why a deployment of `environment` by `me` (an object id) did not make this registration; empty when it did."""
    credentials = [*(app.get("passwordCredentials") or ()), *(app.get("keyCredentials") or ())]
    faults = {
        f"lacks the tag {marker_of(environment)}": marker_of(environment) not in (app.get("tags") or ()),
        "has a secret or a certificate": bool(credentials),
        "is not owned by you": not me or me not in owners,
    }
    return [words for words, is_so in faults.items() if is_so]


def find_registration(environment: str) -> Mapping[str, Any] | None:
    """This environment's registration; None when no registration has its name.

    Raises ValueError when one with this name is not ours: its owner decides who gets tokens for the API. CliError with
    Entra's message.
    """
    name = name_of(environment)
    # Entra's filter matches prefixes; only the exact name counts.
    named = [each for each in az("ad", "app", "list", "--display-name", name) or [] if each["displayName"] == name]
    if not named:
        return None
    me, others = find_me(), []
    for app in named:
        owners = [each["id"] for each in az("ad", "app", "owner", "list", "--id", app["appId"]) or []]
        faults = faults_of(app, environment, owners, me)
        if not faults:
            return dict(app)
        others.append(f"client id {app['appId']} {' and '.join(faults)}")
    raise ValueError(
        f"Entra has a registration {name!r} that is not this deployment's own: {'; '.join(others)}. If it is "
        "meant, `azd env set API_CLIENT_ID <client id>`; if not, rename or delete it, or rename the environment"
    )


def find_me() -> str:
    """The object id of the signed-in user or service principal; empty when Entra refuses."""
    with suppress(CliError):
        return str(az("ad", "signed-in-user", "show")["id"])
    # A service principal is not a user; the account has its client id.
    with suppress(CliError):
        return str(az("ad", "sp", "show", "--id", az("account", "show")["user"]["name"])["id"])
    return ""


def make_registration(environment: str) -> Mapping[str, Any]:
    """A new registration for this tenant, tagged as this environment's in the request that makes it. CliError.

    https://learn.microsoft.com/graph/api/application-post-applications
    """
    body = {
        "displayName": name_of(environment),
        "signInAudience": "AzureADMyOrg",
        "tags": [marker_of(environment)],
    }
    app: dict[str, Any] = az("rest", "--method", "POST", "--uri", _APPLICATIONS, "--body", json.dumps(body))
    me = find_me()
    if me:
        az("ad", "app", "owner", "add", "--id", app["appId"], "--owner-object-id", me)
    return app


def ensure_registration(environment: str) -> str:
    """The client id of this environment's registration, made when there is none.

    Raises ValueError when a registration with its name is not ours. CliError with Entra's message.
    """
    app = find_registration(environment) or make_registration(environment)
    client_id = str(app["appId"])
    scopes = [each.get("value") for each in (app.get("api") or {}).get("oauth2PermissionScopes", [])]
    if "access" not in scopes:
        block = api_of(client_id)
        # A scope must exist before a client is authorised for it.
        before = block | {"api": {**block["api"], "preAuthorizedApplications": []}}
        for body in (before, block):
            az("rest", "--method", "PATCH", "--uri", f"{_APPLICATIONS}/{app['id']}", "--body", json.dumps(body))
    if not az("ad", "sp", "list", "--filter", f"appId eq '{client_id}'"):
        az("ad", "sp", "create", "--id", client_id)
    return client_id


def check_principals(text: str) -> None:
    """ValueError for more object ids, comma-separated, than App Service accepts; Bicep refuses them as well."""
    callers = {each.strip().lower() for each in text.split(",") if each.strip()}
    if len(callers) > MAX_PRINCIPALS:
        raise ValueError(
            f"API_ALLOWED_PRINCIPALS has {len(callers)} object ids, and App Service takes {MAX_PRINCIPALS}, which is "
            "500 characters: leave some out, or let several callers share one service principal"
        )


def register(env: Mapping[str, str]) -> str:
    """Make the registration and store it in azd's environment; a sentence with the result. ValueError, CliError."""
    if env.get("API_AUTH", "entra") != "entra":
        return "API_AUTH=key: function keys, which are stored secrets, protect the API"
    check_principals(env.get("API_ALLOWED_PRINCIPALS", ""))
    if env.get("API_CLIENT_ID"):
        return f"the API accepts tokens for {env['API_CLIENT_ID']}"
    environment = env.get("AZURE_ENV_NAME", "")
    if not environment:
        raise ValueError("AZURE_ENV_NAME: not in the environment; run this as a hook of azd")
    client_id = ensure_registration(environment)
    run("azd", "env", "set", "API_CLIENT_ID", client_id)
    if env.get("API_ALLOWED_PRINCIPALS"):
        return f"registered {client_id}"
    me = find_me()
    if not me:
        return f"registered {client_id}; no caller is allowed until API_ALLOWED_PRINCIPALS has object ids"
    run("azd", "env", "set", "API_ALLOWED_PRINCIPALS", me)
    return f"registered {client_id}; {me} may call the API, others: azd env set API_ALLOWED_PRINCIPALS <ids>"


def main(arguments: Sequence[str] = ()) -> int:
    """Exit code 0 when the API has its registration or needs none, else 1; errors go to stderr."""
    reads = "AZURE_ENV_NAME, API_AUTH, API_CLIENT_ID, API_ALLOWED_PRINCIPALS"
    Parser("registration", "Make the app registration of the HTTP API.", reads=reads).parse_args(arguments)
    try:
        print(register(os.environ))
    except (CliError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
