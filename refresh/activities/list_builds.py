"""Activity: which image definitions are in the monthly build, and where their versions have to go."""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.activities.image_plans import find_builds
from refresh.gateway import GatewayError


async def list_builds(data: dict[str, Any]) -> dict[str, Any]:
    """`{"definitions": [ids], "regions": [names], "rows": [ImageRow]}`, or `{"problem"}` when that cannot be told."""
    del data  # Durable gives every activity an input; this one reads tags alone
    try:
        builds = await find_builds(wiring.gateways(), wiring.settings())
    except GatewayError as error:
        return {"problem": f"the regions of the VMs in scope could not be read: {error}"}
    return {
        "definitions": [definition.id for definition in builds.definitions],
        "regions": list(builds.regions),
        "rows": [row.to_json() for row in builds.rows],
    }
