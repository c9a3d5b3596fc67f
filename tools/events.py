"""After a deployment: subscribe the app to tag edits in every subscription of the fleet (`python -m tools.events`).

Decides which system topic is used: Azure allows one for each subscription, so an existing one is reused. Leaves the
filter and everything else to infra/events.bicep. Values come from azd's environment.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

if not __package__:  # started as a file, not with -m
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.shared.azure_cli import CliError, az
from tools.shared.command_line import Parser, run_command

FUNCTION = "on_resource_write"
TOPIC_TYPE = "microsoft.resources.subscriptions"
TEMPLATE = Path(__file__).parents[1] / "infra" / "events.bicep"
NEEDED = ("AZURE_ENV_NAME", "AZURE_LOCATION", "FUNCTION_APP_ID", "STORAGE_ACCOUNT_ID")
_GROUPS = "/providers/Microsoft.Management/managementGroups"
_TRIES, _PAUSE_S = 40, 15
ARM = tuple(
    f"https://{host}{port}/"
    for host in ("management.azure.com", "management.usgovcloudapi.net", "management.chinacloudapi.cn")
    for port in ("", ":443")
)
"""The beginnings of Azure Resource Manager's addresses in the three clouds; some links name the port."""


def choose_topic(topics: Iterable[Mapping[str, Any]], environment: str) -> Mapping[str, Any] | None:
    """The subscription's system topic that is not ours, out of `az eventgrid system-topic list`; None without one."""
    ours = f"evgst-vm-refresh-{environment}".lower()
    for topic in topics:
        if str(topic.get("topicType", "")).lower() == TOPIC_TYPE and str(topic.get("name", "")).lower() != ours:
            return topic
    return None


def parameters_of(env: Mapping[str, str], topic: Mapping[str, Any] | None) -> dict[str, str]:
    """The parameters of events.bicep for one subscription. ValueError names missing environment variables."""
    lacking = [name for name in NEEDED if not env.get(name)]
    if lacking:
        raise ValueError(f"{', '.join(lacking)}: not in the environment; run `azd provision` first")
    parameters = {
        "environmentName": env["AZURE_ENV_NAME"],
        "location": env["AZURE_LOCATION"],
        "functionAppId": env["FUNCTION_APP_ID"],
        "storageAccountId": env["STORAGE_ACCOUNT_ID"],
        "actionGroupId": env.get("ACTION_GROUP_ID", ""),
    }
    if topic is not None:
        has_identity = "SystemAssigned" in str((topic.get("identity") or {}).get("type"))
        parameters |= {
            "existingTopicName": str(topic["name"]),
            "existingTopicGroup": str(topic["resourceGroup"]),
            "existingTopicHasIdentity": str(has_identity).lower(),
        }
    return parameters


def list_fleet(env: Mapping[str, str]) -> list[str]:
    """The subscriptions of the fleet: those of main.bicep, or all below the management group at any depth.

    CliError with Azure's message.
    """
    named = [one.strip() for one in env.get("FLEET_SUBSCRIPTIONS", "").split(",") if one.strip()]
    group = env.get("REFRESH_MANAGEMENT_GROUP", "").strip()
    return named or (list_below(group) if group else [])


def list_below(group: str) -> list[str]:
    """The subscriptions in a management group and in every group below it. CliError with Azure's message.

    `az account management-group subscription show-sub-under-mg` lists only those in the group itself:
    https://learn.microsoft.com/rest/api/managementgroups/management-groups/get-descendants
    """
    address = f"{_GROUPS}/{quote(group, safe='')}/descendants?api-version=2020-05-01"
    rows: list[Mapping[str, Any]] = []
    while address:
        page = az("rest", "--method", "GET", "--url", address)
        rows += page["value"]
        address = _check_page(page.get("nextLink") or "")
    return [str(row["name"]) for row in rows if str(row["type"]).lower().endswith("/subscriptions")]


def _check_page(link: str) -> str:
    """The address of a list's next page. CliError for another host, because `az rest` may send its token there."""
    if link and not link.lower().startswith(ARM):
        raise CliError("a list continues on a host that is not Azure Resource Manager's: no token is sent to it")
    return link


async def wait_for_function(app_id: str) -> None:
    """Wait until the deployed function is listed; CliError with Azure's message after ten minutes."""
    _, _, subscription, _, group, *_, app = app_id.split("/")
    where = ("--subscription", subscription, "--resource-group", group, "--name", app, "--function-name", FUNCTION)
    for left in reversed(range(_TRIES)):
        try:
            az("functionapp", "function", "show", *where)
        except CliError:
            if not left:
                raise
            await asyncio.sleep(_PAUSE_S)
        else:
            return


async def subscribe(env: Mapping[str, str]) -> list[str]:
    """Deploy events.bicep into each subscription of the fleet, returned. ValueError when there is none. CliError."""
    parameters_of(env, None)  # missing values are an error before the wait
    fleet = list_fleet(env)
    if not fleet:
        group = env.get("REFRESH_MANAGEMENT_GROUP", "")
        cure = f"you see none below the management group {group}" if group else "run `azd provision` first"
        raise ValueError(f"FLEET_SUBSCRIPTIONS: no subscription is named; {cure}")
    await wait_for_function(env["FUNCTION_APP_ID"])
    for subscription in fleet:
        topics = az("eventgrid", "system-topic", "list", "--subscription", subscription)
        parameters = parameters_of(env, choose_topic(topics or [], env["AZURE_ENV_NAME"]))
        given = [f"{name}={value}" for name, value in parameters.items()]
        name = f"vm-refresh-events-{env['AZURE_ENV_NAME']}"
        where = ("--subscription", subscription, "--location", env["AZURE_LOCATION"], "--name", name)
        az("deployment", "sub", "create", *where, "--template-file", str(TEMPLATE), "--parameters", *given)
    return fleet


def main(arguments: Sequence[str] = ()) -> int:
    """Exit code 0 when every subscription of the fleet delivers its events, else 1; errors go to stderr."""
    reads = f"{', '.join(NEEDED)}, FLEET_SUBSCRIPTIONS or REFRESH_MANAGEMENT_GROUP, ACTION_GROUP_ID"
    Parser("events", "Subscribe the deployed app to tag edits in its fleet.", reads=reads).parse_args(arguments)
    try:
        fleet = asyncio.run(subscribe(os.environ))
    except (CliError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"tag edits in {len(fleet)} subscription(s) reach {FUNCTION}: {', '.join(fleet)}")
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
