"""Activity: finds temporary groups of an image definition that another run uses or that an ended run left."""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.domain.azure.polls import BULK_BUDGET_S
from refresh.domain.recipes.temporary_group import Group
from refresh.domain.terms import tags
from refresh.gateways.errors import GatewayError
from refresh.reading.calls.retrying import retry_until_answered
from refresh.reading.fleet.vms_and_disks import collect
from refresh.reading.instances import is_open
from refresh.records.recipes import TemporaryGroup


async def find_leftovers(data: dict[str, Any], client: Any) -> dict[str, Any]:
    """`TemporaryGroup` to `{"busy": run or None, "groups": [ids], "problem"?}`; `client` is the durable client.

    `groups` are those of the same definition and purpose whose run has ended or is unknown, `busy` is an open run that
    began earlier. Each run makes its own group before it looks for others, so that of two at least one finds the other.
    """
    own = TemporaryGroup.from_json(data)
    subscription = own.subnet.split("/")[2]
    gateway = wiring.gateways().temporary_groups
    try:
        groups = await retry_until_answered(lambda: collect(gateway.list_groups(subscription)), budget_s=BULK_BUDGET_S)
    except GatewayError as error:
        return {"busy": None, "groups": [], "problem": f"resource groups could not be listed: {error}"[:300]}
    busy, ended = None, []
    for group in groups:
        run = tags.value_of(group.tags, tags.BUILD_RUN)
        if run is None or run == own.run or not _is_like(group, own):
            continue
        if await is_open(client, run):
            since = tags.value_of(group.tags, tags.BUILD_SINCE) or ""
            busy = run if (since, run) < (own.since, own.run) else busy
        else:
            ended.append(group.id)
    return {"busy": busy, "groups": ended}


def _is_like(group: Group, own: TemporaryGroup) -> bool:
    named = (tags.value_of(group.tags, tags.BUILD_DEFINITION) or "").lower()
    wanted = own.definition[: tags.MAX_VALUE_LENGTH].lower()
    return named == wanted and tags.value_of(group.tags, tags.BUILD_FOR) == own.purpose
