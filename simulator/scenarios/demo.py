"""The demo's fleet: Linux and Windows VMs in two resource groups, with zones and an availability set.

It has twelve VMs. Ten can be refreshed; the tag of `typo01` names an image that does not exist, and `legacy01` is not
in scope. Image versions are captured from two more VMs, the golden ones. `db01` is of generation 1; its image is made
from a recipe, on a VM in the build network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Json = dict[str, Any]

SUBSCRIPTION = "aaaaaaaa-0000-4000-8000-000000000001"
LOCATION = "westeurope"
WEB = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-web"
APP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app"
IMAGES = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-images"
GALLERY = f"{IMAGES}/providers/Microsoft.Compute/galleries/fleet"
NETWORK = f"{IMAGES}/providers/Microsoft.Network/virtualNetworks/build"
BUILD_SUBNET = f"{NETWORK}/subnets/build"
# The app's settings for the recipe.
SETTINGS = {"REFRESH_BUILD_SUBNETS": BUILD_SUBNET, "REFRESH_RECIPES": str(Path(__file__).parent / "recipes")}
AVAILABILITY_SET = f"{APP}/providers/Microsoft.Compute/availabilitySets/app-set"


def resources() -> Iterator[Json]:
    """The ARM bodies of the whole fleet, its gallery and its golden VMs."""
    yield {"id": AVAILABILITY_SET, "location": LOCATION, "sku": {"name": "Aligned"}, "properties": {}}
    yield {"id": GALLERY, "location": LOCATION}
    yield from _image("ubuntu-server", "Linux", "golden-ubuntu")
    yield from _image("windows-server", "Windows", "golden-windows")
    yield {"id": NETWORK, "location": LOCATION, "properties": {"subnets": [{"name": "build"}]}}
    yield _definition("ubuntu-gen1", "Linux", "recipe", generation="V1")
    for name, zone in (("web01", "1"), ("web02", "2"), ("web03", "3")):
        yield from _bodies(_Vm(WEB, name, zone=zone))
    yield from _bodies(_Vm(WEB, "web04", zone="1", agent=False))
    yield from _bodies(_Vm(WEB, "batch01", zone="2", power="deallocated"))
    yield from _bodies(_Vm(WEB, "typo01", zone="1", tags={"RefreshImage": "ubunut-server"}))
    yield from _bodies(_Vm(APP, "app01", in_set=True))
    yield from _bodies(_Vm(APP, "app02", in_set=True))
    yield from _bodies(_Vm(APP, "db01", zone="1", generation="V1"))
    yield from _bodies(_Vm(APP, "win01", zone="1", os_type="Windows"))
    yield from _bodies(_Vm(APP, "win02", zone="2", os_type="Windows"))
    yield from _bodies(_Vm(APP, "legacy01", zone="3", scope=False))


def vm_id(group: str, name: str) -> str:
    """The id of a VM of the fleet."""
    return f"{group}/providers/Microsoft.Compute/virtualMachines/{name}"


def disk_id(group: str, name: str) -> str:
    """The id of a disk in one of the fleet's groups."""
    return f"{group}/providers/Microsoft.Compute/disks/{name}"


def _image(name: str, os_type: str, golden: str) -> Iterator[Json]:
    yield from _bodies(_Vm(IMAGES, golden, zone="1", os_type=os_type, scope=False))
    yield _definition(name, os_type, vm_id(IMAGES, golden))


def _definition(name: str, os_type: str, source: str, generation: str = "V2") -> Json:
    return {
        "id": f"{GALLERY}/images/{name}",
        "location": LOCATION,
        "tags": {"AutoRefresh": "true", "RefreshSource": source, "RefreshPersonalizes": "true"},
        "properties": {
            "osType": os_type,
            "osState": "Specialized",
            "hyperVGeneration": generation,
            "architecture": "x64",
            "identifier": {"publisher": "fleet", "offer": name, "sku": f"gen{generation[1:]}"},
        },
    }


@dataclass(frozen=True)
class _Vm:
    """One VM of the fleet. `scope`: its tags put it into the app's scope. `in_set`: it is in the availability set."""

    group: str
    name: str
    zone: str | None = None
    os_type: str = "Linux"
    power: str = "running"
    agent: bool = True
    scope: bool = True
    in_set: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    generation: str = "V2"


def _bodies(vm: _Vm) -> Iterator[Json]:
    location: Json = {"location": LOCATION, **({"zones": [vm.zone]} if vm.zone else {})}
    disk = disk_id(vm.group, f"{vm.name}-os")
    yield {
        "id": disk,
        **location,
        "sku": {"name": "Premium_LRS"},
        "tags": {"costCenter": "4711"},
        "properties": {
            "osType": vm.os_type,
            "hyperVGeneration": vm.generation,
            "diskSizeGB": 127 if vm.os_type == "Windows" else 30,
            "creationData": {"createOption": "Empty"},
        },
    }
    os_disk = {"osType": vm.os_type, "name": f"{vm.name}-os", "createOption": "FromImage", "managedDisk": {"id": disk}}
    yield {
        "id": vm_id(vm.group, vm.name),
        **location,
        "tags": {**({"AutoRefresh": "true"} if vm.scope else {}), "costCenter": "4711", **vm.tags},
        "_power": vm.power,
        "_agent": vm.agent,
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
            "storageProfile": {"osDisk": os_disk},
            **({"availabilitySet": {"id": AVAILABILITY_SET}} if vm.in_set else {}),
        },
    }
