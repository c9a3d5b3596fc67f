"""Activity: lists the image definitions in the monthly build and the target regions of their versions."""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.gateways.errors import GatewayError
from refresh.reading.images.scope import find_builds
from refresh.settings.settings import SettingsError


async def list_builds(data: dict[str, Any]) -> dict[str, Any]:
    """`{"definitions": [ids], "regions_of", "demand", "rows": [ImageRow]}`, or `{"problem"}` when VMs are unread.

    `regions_of` is by definition id: the regions of the VMs that can need a disk from it. `demand` is by definition id,
    then by region: how many VMs those are. `regions` are those of all VMs, for orchestrations that began before.
    `data` is `{"vms": [ids]}` where only the definitions that these VMs use are built, else empty.
    """
    try:
        builds = await find_builds(wiring.gateways(), wiring.settings(), wiring.image_specs(), data.get("vms") or ())
    except GatewayError as error:
        return {"problem": f"the regions of the VMs in scope could not be read: {error}"}
    except SettingsError as error:
        return {"problem": str(error)}
    return {
        "definitions": [definition.id for definition in builds.definitions],
        "regions": list(builds.regions),
        "regions_of": {one.id: list(builds.regions_of(one)) for one in builds.definitions},
        "demand": builds.demand,
        "rows": [row.to_json() for row in builds.rows],
    }
