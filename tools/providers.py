"""Before a deployment: register resource providers where Azure does not do it by itself (`python -m tools.providers`).

Decides which namespaces the app needs in its own subscription and which in each subscription of the fleet. Azure itself
registers the types of a deployed template, but not what a subnet is delegated to nor what the app only reads:
https://learn.microsoft.com/azure/azure-resource-manager/management/resource-providers-and-types#register-resource-provider
A namespace that is registered already is not requested, so a deployment without the right to register succeeds where
nothing is missing. Waits up to ten minutes for Azure. Values come from azd's environment.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

if not __package__:  # started as a file, not with -m
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.events import list_fleet
from tools.shared.azure_cli import CliError, az
from tools.shared.command_line import Parser, run_command

OWN = (
    # Flex Consumption's networks: https://learn.microsoft.com/azure/azure-functions/functions-networking-options#subnets
    "Microsoft.App",
    "Microsoft.Compute",
    "Microsoft.EventGrid",
    "Microsoft.Insights",
    "Microsoft.ManagedIdentity",
    "Microsoft.Network",
    "Microsoft.OperationalInsights",
    "Microsoft.Storage",
    "Microsoft.Web",
)
"""What infra/main.bicep deploys into the app's subscription, and what its network needs.

Without Microsoft.DurableTask, which only `durableBackend=scheduler` needs: its deployment registers it.
"""

FLEET = (
    "Microsoft.Compute",
    "Microsoft.EventGrid",
    "Microsoft.Insights",
    "Microsoft.Network",
    # Read with a VM: https://learn.microsoft.com/azure/service-health/resource-health-overview
    "Microsoft.ResourceHealth",
)
"""What the app reads in a subscription of the fleet, and what infra/events.bicep deploys there."""

WAIT_S = 600.0
POLL_S = 10.0
_DONE = "Registered"
Missing = tuple[str, str]


def plan_registrations(own: str, fleet: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The namespaces that each subscription (lower-case id) needs; the app's own is usually in the fleet as well."""
    needed = {one.lower(): FLEET for one in fleet}
    return needed | {own.lower(): tuple(sorted({*OWN, *needed.get(own.lower(), ())}))}


def choose_missing(needed: Sequence[str], listed: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The namespaces in `needed` that are not registered, out of `az provider list`."""
    done = {str(each["namespace"]).lower() for each in listed if each.get("state") == _DONE}
    return tuple(one for one in needed if one.lower() not in done)


def subscriptions_of(env: Mapping[str, str]) -> tuple[str, list[str]]:
    """The app's subscription and those of the fleet, as in the parameters of infra/main.bicep. CliError."""
    own = env.get("AZURE_SUBSCRIPTION_ID") or str(az("account", "show")["id"])
    return own, list_fleet({**env, "FLEET_SUBSCRIPTIONS": env.get("REFRESH_SUBSCRIPTIONS", "")}) or [own]


async def register(env: Mapping[str, str], *, wait_s: float = WAIT_S, poll_s: float = POLL_S) -> list[Missing]:
    """Register what is missing and wait for it; the (subscription, namespace) pairs. CliError with Azure's message.

    CliError as well when one is not registered after `wait_s` seconds: the next deployment finds it.
    """
    begun: list[Missing] = []
    for subscription, needed in plan_registrations(*subscriptions_of(env)).items():
        for namespace in _missing(subscription, needed):
            az("provider", "register", "--subscription", subscription, "--namespace", namespace)
            begun.append((subscription, namespace))
    left = list(begun)
    for remaining in reversed(range(max(1, round(wait_s / poll_s)))):
        left = [each for each in left if each[1] in _missing(each[0], (each[1],))]
        if not left:
            return begun
        if remaining:
            await asyncio.sleep(poll_s)
    missing = ", ".join(f"{namespace} in {subscription}" for subscription, namespace in left)
    raise CliError(f"{missing}: registering takes unusually long; run this again, see `az provider show`")


def _missing(subscription: str, needed: Sequence[str]) -> tuple[str, ...]:
    shown = "[].{namespace:namespace, state:registrationState}"
    return choose_missing(needed, az("provider", "list", "--subscription", subscription, "--query", shown) or ())


def main(arguments: Sequence[str] = ()) -> int:
    """Exit code 0 when everything that the app needs is registered, else 1; errors go to stderr."""
    reads = "AZURE_SUBSCRIPTION_ID (else the Azure CLI's own), REFRESH_SUBSCRIPTIONS or REFRESH_MANAGEMENT_GROUP"
    Parser("providers", "Register the resource providers that the app needs.", reads=reads).parse_args(arguments)
    try:
        begun = asyncio.run(register(os.environ))
    except CliError as error:
        print(error, file=sys.stderr)
        return 1
    names = ", ".join(f"{namespace} in {subscription}" for subscription, namespace in begun)
    print(f"registered {names}" if begun else "every resource provider that the app needs is registered")
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
