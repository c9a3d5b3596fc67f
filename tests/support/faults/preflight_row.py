"""One row of the preflight tables: a VM, the bodies that it needs, and the shared parts of these bodies.

Decides the bodies of a row: a VM, its OS disk and its new disk that fit a swap, changed by the row. Leaves the rows to
`preflight_rows.py`.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from typing import Any

from refresh.domain.preflight import check
from tests.support.worlds.builders import GALLERY, GROUP, disk_id
from tests.support.worlds.local_azure import disk_body, vm_body
from tests.support.worlds.month_world import definition_body, version_body, vm_bodies

type Json = dict[str, Any]

ALLOWED_GROUP, OTHER_GROUP = f"{GROUP}-shared", f"{GROUP}-other"
VM_ACTIONS = "Microsoft.Compute/virtualMachines"
READ_SET = "Microsoft.Compute/diskEncryptionSets/read"


@dataclass(frozen=True)
class Row:
    """One VM. `wish` is its `OsDiskName` (None: `<name>-new`, which is created); `more` are additional bodies.

    `vm`, `old` and `disk` change the bodies of the VM, its OS disk and its new disk. `denied` are actions that the app
    lacks in the VM's group, which then is a group of its own; `locked` is the level of a lock on the VM. `request` is
    what a person would send instead of the app, and `code` is Azure's error code for it (None: that of the check, if it
    has one). `with_it` are checks that fail as well where this one fails.
    """

    condition: check.Condition
    name: str
    vm: Json = field(default_factory=dict)
    old: Json | None = None
    disk: Json = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    wish: str | None = None
    power: str = "running"
    more: tuple[Json, ...] = ()
    denied: tuple[str, ...] = ()
    locked: str | None = None
    request: str = "swap"
    code: str | None = None
    with_it: tuple[check.Condition, ...] = ()

    @property
    def group(self) -> str:
        """The id of the VM's resource group."""
        return f"{GROUP}-{self.name}" if self.denied else GROUP

    @property
    def id(self) -> str:
        """The VM's id."""
        return f"{self.group}/providers/Microsoft.Compute/virtualMachines/{self.name}"

    @property
    def wanted(self) -> str:
        """The name of the disk that its tag names."""
        return (self.wish or f"{self.name}-new").rpartition("/")[2]

    def bodies(self) -> list[Json]:
        """All bodies of this row."""
        tags = {"tags": {"OsDiskName": self.wish or f"{self.name}-new", **self.tags}}
        vm = laid_over(vm_body(self.name, power=self.power), tags)
        made = [laid_over(vm, self.vm), *self.more]
        if self.old is not None:
            made.append(laid_over(disk_body(f"{self.name}-old"), self.old))
        if self.wish is None:
            made.append(laid_over(disk_body(f"{self.name}-new"), self.disk))
        if self.locked:
            lock = f"{vm['id']}/providers/Microsoft.Authorization/locks/freeze"
            made.append({"id": lock, "properties": {"level": self.locked}})
        text = json.dumps(made)
        return list(json.loads(text.replace(f"{GROUP}/", f"{self.group}/")))

    def roles(self) -> list[Json]:
        """The app's role in the row's own group."""
        return [{"scope": self.group, "actions": ["*"], "notActions": list(self.denied)}] if self.denied else []


def laid_over(body: Json, change: Json) -> Json:
    """A copy of `body` with `change` merged into it, object by object."""
    made = copy.deepcopy(body)
    for key, value in change.items():
        deeper = isinstance(value, dict) and isinstance(made.get(key), dict)
        made[key] = laid_over(made[key], value) if deeper else value
    return made


def of(**properties: Any) -> Json:
    """A body with these properties."""
    return {"properties": properties}


def os_disk(**block: Any) -> Json:
    """A VM body with these fields of its OS disk."""
    return of(storageProfile={"osDisk": block})


def from_image(image: str, version: str = "1.0.0", *, gallery: str = GALLERY) -> Json:
    """A disk body that comes from an image version."""
    origin = f"{gallery}/images/{image}/versions/{version}"
    return of(creationData={"createOption": "FromImage", "galleryImageReference": {"id": origin}})


SET = f"{GROUP}/providers/Microsoft.Compute/diskEncryptionSets/ours"
WITH_SET = of(encryption={"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": SET})
TRUSTED_LAUNCH = of(securityProfile={"securityType": "TrustedLaunch"})
ARM64 = of(supportedCapabilities={"architecture": "Arm64"})
NVME = of(storageProfile={"diskControllerType": "NVMe"})
STANDARD = os_disk(managedDisk={"storageAccountType": "StandardSSD_LRS"})
# The size of Azure's own Windows images, and so of the OS disks of VMs from them.
WINDOWS = of(osType="Windows", diskSizeGB=127)
ADE = "AzureDiskEncryptionForLinux"
EDGE: Json = {"zones": [], "extendedLocation": {"name": "attatlanta1", "type": "EdgeZone"}}
PLAN: Json = {"publisher": "resf", "product": "rockylinux-x86_64", "name": "9-base"}
PLANNED = of(purchasePlan=PLAN)
HIBERNATION = of(additionalCapabilities={"hibernationEnabled": True})
HIBERNATES = of(supportsHibernation=True)
EXTENSION = {"name": ADE, "properties": {"publisher": "Microsoft.Azure.Security", "type": ADE}}
UNMANAGED = {"vhd": {"uri": "https://acc.blob.core.windows.net/vhds/unmanaged.vhd"}, "managedDisk": None}
PERSONAL = {"RefreshPersonalizes": "true"}
FOREIGN = f"{GALLERY}_foreign"


def image_bodies() -> list[Json]:
    """The galleries with an image for each case, and the VM that the images are from."""
    images: dict[str, tuple[dict[str, str], Json]] = {
        "personal": (PERSONAL, {}),
        "impersonal": ({}, {}),
        "foreign": (PERSONAL, {}),
        "setup": (PERSONAL, {"osType": "Windows", "osState": "Generalized"}),
        "windows": (PERSONAL, {"osType": "Windows"}),
    }
    made = [*vm_bodies("golden", {}), *({"id": gallery, "location": "westeurope"} for gallery in (GALLERY, FOREIGN))]
    for name, (tags, properties) in images.items():
        gallery = FOREIGN if name == "foreign" else GALLERY
        made.append(definition_body(f"{gallery}/images/{name}", tags, **properties))
        made.append(version_body(f"{gallery}/images/{name}/versions/1.0.0"))
    blamed = version_body(f"{GALLERY}/images/personal/versions/1.0.1")
    return [*made, {**blamed, "tags": {"RefreshQuarantined": "rolled back on 2 VMs"}}]


def request_of(row: Row) -> tuple[str, str, Any]:
    """Method, path and body of the request that a person would send to ARM instead of the app."""
    disk = disk_id(row.wanted, row.group)
    block = {"name": row.wanted, "managedDisk": {"id": disk}}
    tags, previous = f"{row.id}/providers/Microsoft.Resources/tags/default", {"OsDiskPrevious": "x"}
    return {
        "swap": ("PATCH", row.id, of(storageProfile={"osDisk": block})),
        "start": ("POST", f"{row.id}/start", None),
        "deallocate": ("POST", f"{row.id}/deallocate", None),
        "tag": ("PATCH", tags, {"operation": "Merge", "properties": {"tags": previous}}),
        "tags": ("PATCH", tags, {"operation": "Merge", "properties": {"tags": {**previous, "RefreshState": "x"}}}),
    }[row.request]
