"""Before a deployment: the app registration whose tokens the HTTP API takes (`python -m tools.registration`).

Decides what it looks like: this tenant only, no secret, no certificate, and the Azure CLI may ask for tokens on behalf
of people. Refuses to know who may call: that is API_ALLOWED_PRINCIPALS, to begin with whoever deploys. Does nothing
when API_AUTH=key or API_CLIENT_ID is set. Entra has no ARM resource for this, so Bicep cannot.
"""

from __future__ import annotations

import json
import os
import sys
import uuid
from collections.abc import Mapping
from typing import Any

from tools.azure_cli import CliError, az, run

AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
"""The Azure CLI's own client id: https://learn.microsoft.com/troubleshoot/entra/entra-id/governance/verify-first-party-apps-sign-in"""


def api_of(client_id: str) -> dict[str, Any]:
    """The registration's `api` block and identifier, as Microsoft Graph takes them.

    Version 2 tokens, because the app trusts the version 2 issuer:
    https://learn.microsoft.com/graph/api/resources/apiapplication
    """
    scope = str(uuid.uuid5(uuid.NAMESPACE_URL, f"api://{client_id}/access"))
    told = "Call the API of azure-vm-refresh"
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
                    "adminConsentDisplayName": told,
                    "adminConsentDescription": told,
                }
            ],
            "preAuthorizedApplications": [{"appId": AZURE_CLI, "delegatedPermissionIds": [scope]}],
        },
    }


def ensure_registration(environment: str) -> str:
    """The client id of this environment's registration, made when it is not there. CliError with Entra's words."""
    name = f"azure-vm-refresh ({environment})"
    found = az("ad", "app", "list", "--display-name", name)
    # Entra's filter is a prefix: only the very name counts.
    app = next((each for each in found or [] if each["displayName"] == name), None)
    if app is None:
        app = az("ad", "app", "create", "--display-name", name, "--sign-in-audience", "AzureADMyOrg")
    client_id = str(app["appId"])
    address = f"https://graph.microsoft.com/v1.0/applications/{app['id']}"
    scopes = [each.get("value") for each in (app.get("api") or {}).get("oauth2PermissionScopes", [])]
    if "access" not in scopes:
        block = api_of(client_id)
        # A scope has to be there before anybody is authorised for it.
        before = block | {"api": {**block["api"], "preAuthorizedApplications": []}}
        for body in (before, block):
            az("rest", "--method", "PATCH", "--uri", address, "--body", json.dumps(body))
    if not az("ad", "sp", "list", "--filter", f"appId eq '{client_id}'"):
        az("ad", "sp", "create", "--id", client_id)
    return client_id


def register(env: Mapping[str, str]) -> str:
    """Make the registration and tell azd; answers a sentence about what was done."""
    if env.get("API_AUTH", "entra") != "entra":
        return "API_AUTH=key: the API is guarded by function keys, which are stored secrets"
    if env.get("API_CLIENT_ID"):
        return f"the API takes tokens for {env['API_CLIENT_ID']}"
    client_id = ensure_registration(env["AZURE_ENV_NAME"])
    run("azd", "env", "set", "API_CLIENT_ID", client_id)
    if env.get("API_ALLOWED_PRINCIPALS"):
        return f"registered {client_id}"
    try:
        me = str(az("ad", "signed-in-user", "show")["id"])
    except CliError:
        return f"registered {client_id}; nobody may call the API until API_ALLOWED_PRINCIPALS names object ids"
    run("azd", "env", "set", "API_ALLOWED_PRINCIPALS", me)
    return f"registered {client_id}; {me} may call the API, others: azd env set API_ALLOWED_PRINCIPALS <ids>"


def main() -> int:
    """Exit code 0 when the API has its registration, or needs none."""
    try:
        print(register(os.environ))
    except CliError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
