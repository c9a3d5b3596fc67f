"""Fleets and image sources that need every right of the role files.

Decides which resources are in the app's own group, where it builds, and which in the fleet's group, where it swaps.
"""

from __future__ import annotations

from typing import Any

from tests.support.faults.preflight_row import PERSONAL, STANDARD, WITH_SET, from_image, laid_over
from tests.support.infra.deployed_roles import APP_GROUP, STORAGE
from tests.support.worlds.builders import DEFINITION_ID, GALLERY, GROUP, disk_id
from tests.support.worlds.local_azure import disk_body, vm_body
from tests.support.worlds.month_world import definition_body, version_body, vm_bodies
from tests.support.worlds.recipe_world import RECIPE_TAGS

type Json = dict[str, Any]

COMPUTE, NETWORK = "Microsoft.Compute", "Microsoft.Network"
VHD = "https://packedimages.blob.core.windows.net/vhds/ubuntu.vhd"
BUILD_NETWORK = f"{APP_GROUP}/providers/{NETWORK}/virtualNetworks/build"
_NEAR = f"{APP_GROUP}/providers/{COMPUTE}"
_GENERALIZED = {"osState": "Generalized"}
# Image definitions by source; the app itself creates `via-image` from `IMAGES_TOML`.
_SOURCES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "from-vm": ({"RefreshSource": f"{GROUP}/providers/{COMPUTE}/virtualMachines/golden"}, {}),
    "from-image": ({"RefreshSource": f"{_NEAR}/images/packed"}, _GENERALIZED),
    "from-disk": ({"RefreshSource": f"{_NEAR}/disks/golden-spare"}, {}),
    "from-snapshot": ({"RefreshSource": f"{_NEAR}/snapshots/golden-os"}, {}),
    "from-vhd": ({"RefreshSource": VHD, "RefreshSourceStorage": STORAGE}, _GENERALIZED),
}
IMAGES_TOML = f"""
[images.via-image]
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


def machine(name: str, *, stop_mode: str = "deallocate") -> list[Json]:
    """A VM whose swap needs every right for swaps.

    Its disks, the old one of a standard SKU and the new premium one from an image, have a disk encryption set. The VM
    has a network interface with a dynamic public address, boot diagnostics, and a guest that listens on port 22.
    """
    nic, address = (f"{GROUP}/providers/{NETWORK}/{kind}/{name}" for kind in ("networkInterfaces", "publicIPAddresses"))
    here = {"privateIPAddress": "127.0.0.1", "primary": True, "publicIPAddress": {"id": address}}
    vm = laid_over(vm_body(name, RefreshStopMode=stop_mode), STANDARD)
    vm["properties"] |= {
        "networkProfile": {"networkInterfaces": [{"id": nic}]},
        "diagnosticsProfile": {"bootDiagnostics": {"enabled": True}},
    }
    ip_configurations = [{"name": "one", "properties": here}]
    return [
        laid_over(disk_body(f"{name}-old"), {**WITH_SET, "sku": {"name": "StandardSSD_LRS"}}),
        laid_over(laid_over(disk_body(f"{name}-new"), WITH_SET), from_image("personal")),
        {"id": address, "location": "westeurope", "properties": {"publicIPAllocationMethod": "Dynamic"}},
        {"id": nic, "location": "westeurope", "properties": {"ipConfigurations": ip_configurations}},
        {**vm, "_listens": [22]},
    ]


def gallery() -> list[Json]:
    """The app's gallery with an image that fits any VM of the fleet."""
    return [
        *vm_bodies("golden", {}),
        {"id": GALLERY, "location": "westeurope"},
        definition_body(f"{GALLERY}/images/personal", PERSONAL),
        version_body(f"{GALLERY}/images/personal/versions/1.0.0"),
    ]


def sources() -> list[Json]:
    """A definition for every kind of source, and the sources; VM and VHD are outside the app's own group."""
    snapshot = {"osType": "Linux", "hyperVGeneration": "V2", "diskSizeGB": 30, "diskState": "Unattached"}
    return [
        vm_body("golden", AutoRefresh="no"),
        vm_body("web01"),
        {**disk_body("golden-spare"), "id": disk_id("golden-spare", APP_GROUP)},
        {"id": f"{_NEAR}/snapshots/golden-os", "location": "westeurope", "properties": snapshot},
        {"id": f"{_NEAR}/images/packed", "location": "westeurope", "properties": {"hyperVGeneration": "V2"}},
        {"id": STORAGE, "location": "westeurope"},
        {"id": GALLERY, "location": "westeurope"},
        *(
            definition_body(f"{GALLERY}/images/{name}", {"AutoRefresh": "true", **tags}, **properties)
            for name, (tags, properties) in _SOURCES.items()
        ),
    ]


def recipes() -> list[Json]:
    """A definition with a recipe, and the build network in the app's own group."""
    return [
        {"id": BUILD_NETWORK, "location": "westeurope", "properties": {"subnets": [{"name": "build"}]}},
        {"id": GALLERY, "location": "westeurope"},
        definition_body(DEFINITION_ID, RECIPE_TAGS, osState="Generalized"),
    ]
