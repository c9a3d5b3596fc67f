"""Activity: returns the running package and the subscriptions that a self-check must check."""

from __future__ import annotations

from typing import Any

from refresh import package, wiring
from refresh.domain.azure.refusals import tell_refusal
from refresh.gateways.errors import GatewayError
from refresh.reading.fleet.subscription_lists import list_subscriptions
from refresh.settings.settings import SettingsError


async def begin_selfcheck(data: dict[str, Any]) -> dict[str, Any]:
    """`{}` to `{"package", "bundle", "subscriptions", "problem"}`; a problem instead of an exception."""
    here: dict[str, Any] = {"package": package.fingerprint(), "bundle": package.bundle(), "subscriptions": []}
    try:
        return {**here, "subscriptions": list(await list_subscriptions(wiring.gateways()))}
    except SettingsError as error:
        return {**here, "problem": f"correct these settings: {'; '.join(error.faults)}"[:600]}
    except GatewayError as error:
        return {**here, "problem": tell_refusal(error.code, error.message)[:600]}
