"""Activity: reads once which image versions are gone. A version counts as deleted when a read does not find it."""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.gateways.errors import GatewayError, NotFound
from refresh.gateways.gateways import Gateways
from refresh.reading.retention.survey import read_version


async def watch_deletions(data: dict[str, Any]) -> dict[str, Any]:
    """`{"gone": [ids], "stuck": {id: why}}` of `{"versions": [ids]}`; the rest is still being deleted."""
    return await read_deletions(wiring.gateways(), data["versions"])


async def read_deletions(gateways: Gateways, versions: list[str]) -> dict[str, Any]:
    """The result of `watch_deletions`, over `gateways`."""
    gone: list[str] = []
    stuck: dict[str, str] = {}
    for version_id in versions:
        try:
            version = await read_version(gateways, version_id)
        except NotFound:
            gone.append(version_id)
        except GatewayError:
            continue  # the next read can succeed
        else:
            if version.provisioning_state != "Deleting":
                stuck[version_id] = f"Azure did not delete it: it is {version.provisioning_state}"
    return {"gone": gone, "stuck": stuck}
