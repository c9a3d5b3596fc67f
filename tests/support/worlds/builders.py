"""Facts for tests: a VM and disks that fit a swap. Tests change single fields (arguments, `dataclasses.replace`)."""

from __future__ import annotations

from typing import Any

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.galleries import Definition, Region, Version
from refresh.domain.azure.vms import Agent, Power, Vm

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app"
VM_ID = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/web01"
GALLERY = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-images/providers/Microsoft.Compute/galleries/gal"
DEFINITION_ID = f"{GALLERY}/images/ubuntu"
VERSION_ID = f"{DEFINITION_ID}/versions/202611.1.0"


def disk_id(name: str, group: str = GROUP) -> str:
    return f"{group}/providers/Microsoft.Compute/disks/{name}"


def make_vm(tags: dict[str, str] | None = None, **fields: Any) -> Vm:
    base: dict[str, Any] = {
        "id": VM_ID,
        "name": "web01",
        "location": "westeurope",
        "tags": {"AutoRefresh": "true", **(tags or {})},
        "os_disk_id": disk_id("web01-old"),
        "os_disk_name": "web01-old",
        "os_type": "Linux",
        "provisioning_state": "Succeeded",
        "zones": ("1",),
        "generation": "V2",
        "power": Power.RUNNING,
        "agent": Agent(ready=True, at="2026-11-01T00:00:00+00:00"),
        "read_at": "2026-11-21T10:00:00+00:00",
    }
    return Vm(**{**base, **fields})


def recall_nothing(vm_id: str) -> dict[str, Any]:
    """The dispatcher's state has nothing about any VM."""
    del vm_id
    return {}


def make_disk(name: str = "web01-202611", **fields: Any) -> Disk:
    base: dict[str, Any] = {
        "id": disk_id(name),
        "name": name,
        "location": "westeurope",
        "provisioning_state": "Succeeded",
        "disk_state": "Unattached",
        "managed_by": None,
        "os_type": "Linux",
        "generation": "V2",
        "zones": ("1",),
        "size_gb": 30,
        "sku": "Premium_LRS",
        "source_version": VERSION_ID,
    }
    return Disk(**{**base, **fields})


def make_current(**fields: Any) -> Disk:
    attached: dict[str, Any] = {"disk_state": "Attached", "managed_by": VM_ID, "source_version": None}
    return make_disk("web01-old", **{**attached, **fields})


def make_version(**fields: Any) -> Version:
    base: dict[str, Any] = {
        "id": VERSION_ID,
        "name": "202611.1.0",
        "location": "westeurope",
        "provisioning_state": "Succeeded",
        "regions": (Region("westeurope", "Completed", 100),),
        "source_id": f"{GROUP}/providers/Microsoft.Compute/virtualMachines/golden",
    }
    return Version(**{**base, **fields})


def make_definition(tags: dict[str, str] | None = None, **fields: Any) -> Definition:
    base: dict[str, Any] = {
        "id": DEFINITION_ID,
        "name": "ubuntu",
        "location": "westeurope",
        "os_type": "Linux",
        "os_state": "Specialized",
        "generation": "V2",
        "architecture": "x64",
        "security_type": None,
        "tags": {"AutoRefresh": "true", "RefreshPersonalizes": "true"} if tags is None else tags,
    }
    return Definition(**{**base, **fields})
