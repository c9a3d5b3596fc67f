"""Finds the app that is deployed already: its address, and whether swaps can be under way in it.

Decides from Azure Resource Manager alone whether this is a first deployment: an app that does not answer may also be
out of reach. Makes no request to the app. Values come from azd's environment: see `READS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tools.shared.api_client import Api, headers_of
from tools.shared.azure_cli import CliError, az

READS = (
    "AZURE_ENV_NAME or AZURE_RESOURCE_GROUP, AZURE_SUBSCRIPTION_ID, FUNCTION_APP_URL, API_AUDIENCE or API_AUTH and "
    "API_CLIENT_ID, FUNCTIONS_KEY"
)
"""The environment variables that say where the app is and how requests are authenticated."""

_GROUP_MISSING = "ResourceGroupNotFound"
_SHOWN = '[].{name:name, host:defaultHostName, state:state, service:tags."azd-service-name"}'


@dataclass(frozen=True)
class Found:
    """The deployed app: its address, name and resource group; `idle` is why no swap can be under way in it."""

    address: str
    name: str = ""
    group: str = ""
    idle: str | None = None


def find_app(env: Mapping[str, str]) -> Found | None:
    """The app of this environment; None before its first deployment. CliError; ValueError when `env` lacks a value.

    Azure decides, not an address in `env`: the environment's values stay there after the app is deleted.
    """
    address = env.get("FUNCTION_APP_URL", "")
    group = env.get("AZURE_RESOURCE_GROUP") or _group_of(env.get("AZURE_ENV_NAME", ""))
    if not group:
        if not address:
            raise ValueError("AZURE_ENV_NAME: not in the environment, and no FUNCTION_APP_URL either")
        return Found(address)
    where = _where(env, group)
    app = _choose(_list_apps(where))
    if app is None:
        return None
    name = str(app["name"])
    return Found(address or f"https://{app['host']}", name, group, _idle(app, _list_functions(where, name)))


def connect(env: Mapping[str, str], app: Found) -> Api:
    """The API of `app`, called with the identity that deploys. ApiError for an address without https, CliError."""
    audience = audience_of(env)
    if audience or env.get("FUNCTIONS_KEY") or not app.name:
        return Api(app.address, headers_of(env, audience))
    keys = az("functionapp", "keys", "list", *_where(env, app.group), "--name", app.name, "--query", "functionKeys")
    return Api(app.address, headers_of({**env, "FUNCTIONS_KEY": str((keys or {}).get("default") or "")}, ""))


def audience_of(env: Mapping[str, str]) -> str:
    """The audience of tokens for the deployed app; empty where function keys protect it.

    The output of the last deployment counts before the parameters of the next one.
    """
    if "API_AUDIENCE" in env:
        return env["API_AUDIENCE"]
    client_id = env.get("API_CLIENT_ID", "")
    return f"api://{client_id}" if client_id and env.get("API_AUTH", "entra") == "entra" else ""


def _group_of(environment: str) -> str:
    # As infra/main.bicep names it.
    return f"rg-vm-refresh-{environment}" if environment else ""


def _where(env: Mapping[str, str], group: str) -> tuple[str, ...]:
    subscription = env.get("AZURE_SUBSCRIPTION_ID", "")
    return ("--resource-group", group, *(("--subscription", subscription) if subscription else ()))


def _list_apps(where: tuple[str, ...]) -> list[Mapping[str, Any]]:
    try:
        return list(az("functionapp", "list", *where, "--query", _SHOWN) or ())
    except CliError as error:
        if _GROUP_MISSING in str(error):
            return []
        raise


def _choose(apps: list[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The app has azd's tag (infra/modules/app.bicep); its resource group has no other app with it."""
    return next((app for app in apps if app.get("service") == "app"), None)


def _list_functions(where: tuple[str, ...], name: str) -> list[str] | None:
    try:
        return list(az("functionapp", "function", "list", *where, "--name", name, "--query", "[].name") or ())
    except CliError:
        # The app's own host answers this list, so a host that does not run does not prove an empty package.
        return None


def _idle(app: Mapping[str, Any], functions: list[str] | None) -> str | None:
    state = str(app.get("state") or "Running")
    if state != "Running":
        return f"{app['name']} is {state.lower()} in Azure: no swap is under way in it"
    return f"{app['name']} has no function yet" if functions == [] else None
