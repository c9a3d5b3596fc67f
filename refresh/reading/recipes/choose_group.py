"""The subnet and the temporary group in which a version is built or proved.

Decides which of the configured subnets is used. Does not know what is built.
"""

from __future__ import annotations

from refresh.domain.azure.galleries import Definition
from refresh.domain.recipes.temporary_group import group_id
from refresh.domain.terms import names
from refresh.domain.terms.month_reason import MonthReason, Refusal
from refresh.gateways.gateways import Gateways
from refresh.reading.recipes.stage_calls import retry_briefly
from refresh.records.recipes import TemporaryGroup
from refresh.settings.settings import Settings


async def find_temporary_group(
    gateways: Gateways, settings: Settings, definition: Definition, purpose: str, run: str, since: str
) -> TemporaryGroup | Refusal:
    """The temporary group of `run` in the definition's region, or why there is none. Raises GatewayError."""
    if not settings.build_subnets:
        return Refusal(
            MonthReason.NO_BUILD_SUBNET,
            f"versions of {definition.name} are built or proved on a VM, and REFRESH_BUILD_SUBNETS is empty; name a "
            "subnet from which the recipe's downloads can be reached",
        )
    for subnet in settings.build_subnets:
        location = await retry_briefly(lambda subnet=subnet: gateways.temporary_groups.read_network_location(subnet))  # type: ignore[misc]
        if names.region_key(location) == names.region_key(definition.location):
            group = group_id(subnet, purpose, definition.id, run)
            return TemporaryGroup(group, purpose, definition.id, subnet, definition.location, run, since)
    return Refusal(
        MonthReason.NO_BUILD_SUBNET,
        f"no subnet of REFRESH_BUILD_SUBNETS is in {definition.location}, where {definition.name} is; add one",
    )
