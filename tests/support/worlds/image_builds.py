"""An image definition built in three regions or from a VHD, and faults of its build."""

from __future__ import annotations

from typing import Any

from simulator.arm.core.store import Json
from tests.support.worlds.builders import GALLERY, GROUP
from tests.support.worlds.month_world import (
    HostedWorld,
    vm_bodies,
)

IMAGES_GROUP = GALLERY.split("/providers")[0]


STORAGE = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/packed1"


VHD = "https://packed1.blob.core.windows.net/vhds/ubuntu.vhd"


PACKED = f"{GALLERY}/images/packed"


IMAGE = f"{IMAGES_GROUP}/providers/Microsoft.Compute/images/packed-202611.1.0"


IMAGES_TOML = f"""
[images.packed]
location = "westeurope"
publisher = "contoso"
offer = "ubuntu"
sku = "packed"
os_type = "Linux"
os_state = "Generalized"
generation = "V2"
tags = {{ RefreshSource = "{VHD}", RefreshSourceStorage = "{STORAGE}" }}
publish = {{ via_managed_image = true }}
"""


FAR = [
    body
    for name, region in (("near", "westeurope"), ("mid", "uksouth"), ("far", "northeurope"))
    for body in ({**one, "location": region} for one in vm_bodies(name))
]


TURNS = frozenset({"create_images", "build_image"})


ONE_REGION_FAILED = {
    "code": "ValidationError",
    "message": "Gallery replication jobs failed in one or more regions. The failing regions' details are as follows: "
    "'{region:northeurope, detail:Failed with internal server error.}'. If retry does not work, then please do an "
    "update by removing the failed regions and update again by adding them back.",
}


def plan(world: HostedWorld, *rules: Json) -> None:
    world.simulator.services.faults.add(rules)


def failing(operation: str, resource: str = "*", **error: Any) -> Json:
    return {"match": {"operation": operation, "resource": resource}, "times": 1, "fail": error}


async def build(world: HostedWorld, **changes: Any) -> Json:
    (row,) = (await world.run("create_images", {"period": "202611", **changes}))["images"]
    found: Json = row
    return found


def packed() -> list[Json]:
    return [{"id": GALLERY, "location": "westeurope"}, {"id": STORAGE, "location": "westeurope"}]
