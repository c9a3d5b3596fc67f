"""What each preflight promise refuses and what it lets pass, as a fleet on the local Azure: one VM for each row.

Rows are data. A VM, its OS disk and the disk it asks for would swap; `vm`, `old` and `disk` are laid over them.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from typing import Any

from refresh.domain.preflight import (
    all_checks,
    check,
    compatibility,
    encryption,
    locks,
    placement,
    provenance,
    rights,
    tags_readable,
)
from refresh.domain.preflight import vm_size as sizes
from tests.support.worlds.builders import GALLERY, GROUP, disk_id
from tests.support.worlds.local_azure import disk_body, vm_body
from tests.support.worlds.month_world import definition_body, version_body, vm_bodies

type Json = dict[str, Any]

ALLOWED_GROUP, OTHER_GROUP = f"{GROUP}-shared", f"{GROUP}-other"
VM_ACTIONS = "Microsoft.Compute/virtualMachines"
READ_SET = "Microsoft.Compute/diskEncryptionSets/read"


@dataclass(frozen=True)
class Row:
    """One VM. `wish` is its `OsDiskName` (None: `<name>-new`, which is made); `more` are bodies beside it.

    `denied` are the actions that the app lacks in the VM's own group, which it has one of then; `locked` is a lock's
    level on the VM. `request` is what a person would send instead of the app, and Azure's answer to it is `code`: the
    promise's own where it has one. `with_it` are promises that cannot be kept either where this one is not.
    """

    promise: check.Promise
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
    with_it: tuple[check.Promise, ...] = ()

    @property
    def group(self) -> str:
        """The id of the resource group the VM lies in."""
        return f"{GROUP}-{self.name}" if self.denied else GROUP

    @property
    def id(self) -> str:
        """The VM's id."""
        return f"{self.group}/providers/Microsoft.Compute/virtualMachines/{self.name}"

    @property
    def wanted(self) -> str:
        """The name of the disk it asks for."""
        return (self.wish or f"{self.name}-new").rpartition("/")[2]

    def bodies(self) -> list[Json]:
        """Everything this row puts into the world."""
        said = {"tags": {"OsDiskName": self.wish or f"{self.name}-new", **self.tags}}
        vm = laid_over(vm_body(self.name, power=self.power), said)
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
        """What the app may do in the row's own group."""
        return [{"scope": self.group, "actions": ["*"], "notActions": list(self.denied)}] if self.denied else []


def laid_over(body: Json, change: Json) -> Json:
    """`body` with `change` in it, object by object."""
    made = copy.deepcopy(body)
    for key, value in change.items():
        deeper = isinstance(value, dict) and isinstance(made.get(key), dict)
        made[key] = laid_over(made[key], value) if deeper else value
    return made


def of(**properties: Any) -> Json:
    """A body's properties."""
    return {"properties": properties}


def os_disk(**block: Any) -> Json:
    """The OS disk's block of a VM's model."""
    return of(storageProfile={"osDisk": block})


def from_image(image: str, version: str = "1.0.0", *, gallery: str = GALLERY) -> Json:
    """A disk that comes from an image version."""
    origin = f"{gallery}/images/{image}/versions/{version}"
    return of(creationData={"createOption": "FromImage", "galleryImageReference": {"id": origin}})


SET = f"{GROUP}/providers/Microsoft.Compute/diskEncryptionSets/ours"
WITH_SET = of(encryption={"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": SET})
TRUSTED_LAUNCH = of(securityProfile={"securityType": "TrustedLaunch"})
ARM64 = of(supportedCapabilities={"architecture": "Arm64"})
NVME = of(storageProfile={"diskControllerType": "NVMe"})
STANDARD = os_disk(managedDisk={"storageAccountType": "StandardSSD_LRS"})
# Azure's own Windows images are that large, and so are the disks that VMs have from them.
WINDOWS = of(osType="Windows", diskSizeGB=127)
ADE = "AzureDiskEncryptionForLinux"
EXTENSION = {"name": ADE, "properties": {"publisher": "Microsoft.Azure.Security", "type": ADE}}
LOCAL = {"option": "Local"}
UNMANAGED = {"vhd": {"uri": "https://acc.blob.core.windows.net/vhds/unmanaged.vhd"}, "managedDisk": None}
PERSONAL = {"RefreshPersonalizes": "true"}
FOREIGN = f"{GALLERY}_foreign"


def image_bodies() -> list[Json]:
    """A gallery with an image for each case, and the VM they were captured from."""
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


REFUSED: tuple[Row, ...] = (
    Row(tags_readable.BUILT, "window", tags={"RefreshWindow": "Sat 01:00-05:00"}),
    Row(tags_readable.STOP_MODE, "gently", tags={"RefreshStopMode": "gently"}),
    Row(tags_readable.PROBE, "ssh", tags={"RefreshProbe": "ssh"}),
    Row(tags_readable.TIMEOUT, "fivemin", tags={"RefreshHealthTimeoutS": "5m"}),
    Row(tags_readable.READABLE, "unreadable", wish="no/such thing"),
    Row(tags_readable.HAS_PREVIOUS, "noprevious", wish="@previous"),
    Row(
        tags_readable.IN_GROUP,
        "outside",
        wish=disk_id("outside-new", OTHER_GROUP),
        more=({**disk_body("outside-new"), "id": disk_id("outside-new", OTHER_GROUP)},),
    ),
    Row(placement.EXISTS, "missing", wish="missing-new", code="ResourceNotFound"),
    Row(placement.NOT_REJECTED, "rejected"),
    Row(
        all_checks.MANAGED,
        "unmanaged",
        vm=os_disk(**UNMANAGED),
        code="PropertyChangeNotAllowed",
        with_it=(encryption.SAME_SET, compatibility.NOT_SMALLER),
    ),
    Row(
        all_checks.NOT_EPHEMERAL,
        "ephemeral",
        vm=os_disk(diffDiskSettings={"option": "Local"}),
        code="OperationNotAllowed",
    ),
    Row(
        all_checks.ALONE,
        "scaleset",
        vm=of(virtualMachineScaleSet={"id": f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/set"}),
    ),
    Row(all_checks.AWAKE, "asleep", power="hibernated", code="OperationNotAllowed"),
    Row(all_checks.AT_REST, "busy"),
    Row(placement.READY, "notready", disk=of(provisioningState="Creating"), code="Conflict"),
    Row(placement.FREE, "inuse", wish="holder-old", more=(vm_body("holder"),)),
    Row(placement.NOT_ANOTHERS, "contested", more=(vm_body("rival", OsDiskName="contested-new"),)),
    Row(placement.SAME_REGION, "region", disk={"location": "northeurope"}),
    Row(placement.SAME_ZONE, "zone", disk={"zones": ["2"]}),
    Row(compatibility.SAME_OS, "os", disk=of(osType="Windows")),
    Row(compatibility.SAME_GENERATION, "generation", disk=of(hyperVGeneration="V1")),
    Row(compatibility.SAME_ARCHITECTURE, "arch", disk=ARM64),
    Row(compatibility.SAME_CONTROLLER, "nvme", vm=NVME),
    Row(encryption.SAME_SECURITY, "security", disk=TRUSTED_LAUNCH),
    Row(encryption.SAME_SET, "encset", disk=WITH_SET, code="OperationNotAllowed"),
    Row(encryption.NOT_ENCRYPTED_INSIDE, "bitlocker", disk=of(encryptionSettingsCollection={"enabled": True})),
    Row(encryption.NOT_ENCRYPTED_INSIDE, "adeextension", vm={"resources": [EXTENSION]}),
    Row(compatibility.NOT_SMALLER, "small", disk=of(diskSizeGB=20)),
    Row(provenance.NOT_AT_SETUP, "setup", vm=os_disk(osType="Windows"), disk=laid_over(WINDOWS, from_image("setup"))),
    Row(provenance.PERSONAL, "clone", disk=from_image("impersonal")),
    Row(provenance.NOT_QUARANTINED, "quarantined", disk=from_image("personal", "1.0.1")),
    Row(sizes.SIZE_CARRIES, "premium", vm=laid_over(STANDARD, of(hardwareProfile={"vmSize": "Standard_D2_v5"}))),
    *(
        Row(rights.RIGHTS_ON_VM, f"no{action}", denied=(f"{VM_ACTIONS}/{what}",), request=action)
        for action, what in (("start", "start/action"), ("deallocate", "deallocate/action"), ("swap", "write"))
    ),
    Row(rights.RIGHTS_ON_VM, "notags", denied=("Microsoft.Resources/tags/write",), request="tag"),
    Row(rights.RIGHTS_ON_DISKS, "nodisks", denied=("Microsoft.Compute/disks/write",)),
    Row(rights.RIGHTS_ON_SET, "noset", denied=(READ_SET,), old=WITH_SET, disk=WITH_SET),
    Row(locks.NOT_LOCKED, "locked", locked="ReadOnly", request="deallocate"),
    Row(locks.NOT_LOCKED, "lockedtoo", locked="ReadOnly"),
)

PLAIN = "plain"
PASSED: tuple[Row, ...] = (
    *(
        Row(promise, PLAIN)
        for promise in (
            *(
                tags_readable.BUILT,
                placement.EXISTS,
                placement.NOT_REJECTED,
                all_checks.MANAGED,
                all_checks.NOT_EPHEMERAL,
            ),
            *(all_checks.ALONE, placement.READY, placement.FREE, placement.NOT_ANOTHERS, placement.SAME_REGION),
            *(compatibility.SAME_OS, encryption.NOT_ENCRYPTED_INSIDE),
        )
    ),
    Row(tags_readable.STOP_MODE, "poweroff", tags={"RefreshStopMode": "power-off"}),
    # Left as it was, so that nobody has to answer.
    Row(tags_readable.PROBE, "probed", tags={"RefreshProbe": "tcp:22"}, power="deallocated"),
    Row(tags_readable.TIMEOUT, "twomin", tags={"RefreshHealthTimeoutS": "120"}),
    Row(tags_readable.READABLE, "fullid", wish=disk_id("fullid-next"), more=(disk_body("fullid-next"),)),
    Row(
        tags_readable.HAS_PREVIOUS,
        "previous",
        wish="@previous",
        tags={"OsDiskPrevious": "previous-before"},
        more=(disk_body("previous-before"),),
    ),
    Row(
        tags_readable.IN_GROUP,
        "shared",
        wish=disk_id("shared-next", ALLOWED_GROUP),
        more=({**disk_body("shared-next"), "id": disk_id("shared-next", ALLOWED_GROUP)},),
    ),
    Row(all_checks.AWAKE, "deallocated", power="deallocated"),
    Row(all_checks.AT_REST, "stopped", power="stopped"),
    Row(placement.SAME_ZONE, "zrs", disk={"zones": [], "sku": {"name": "Premium_ZRS"}}),
    Row(compatibility.SAME_GENERATION, "gen1", old=of(hyperVGeneration="V1"), disk=of(hyperVGeneration="V1")),
    Row(
        compatibility.SAME_ARCHITECTURE,
        "arm",
        vm=of(hardwareProfile={"vmSize": "Standard_D2ps_v5"}),
        old=ARM64,
        disk=ARM64,
    ),
    Row(
        compatibility.SAME_CONTROLLER,
        "nvmetoo",
        vm=NVME,
        disk=of(supportedCapabilities={"diskControllerTypes": "SCSI, NVMe"}),
    ),
    Row(encryption.SAME_SECURITY, "trustedlaunch", vm=TRUSTED_LAUNCH, old=TRUSTED_LAUNCH, disk=TRUSTED_LAUNCH),
    Row(encryption.SAME_SET, "sameset", old=WITH_SET, disk=WITH_SET),
    Row(compatibility.NOT_SMALLER, "larger", disk=of(diskSizeGB=64)),
    Row(
        provenance.NOT_AT_SETUP,
        "specialised",
        vm=os_disk(osType="Windows"),
        disk=laid_over(WINDOWS, from_image("windows")),
    ),
    Row(provenance.PERSONAL, "personal", disk=from_image("personal")),
    Row(provenance.NOT_QUARANTINED, "unblamed", disk=from_image("personal")),
    Row(sizes.SIZE_CARRIES, "goespremium", vm=STANDARD),
    Row(rights.RIGHTS_ON_VM, "least", denied=(f"{VM_ACTIONS}/powerOff/action", f"{VM_ACTIONS}/delete")),
    Row(rights.RIGHTS_ON_DISKS, "leastdisks", denied=("Microsoft.Compute/disks/delete",)),
    Row(
        rights.RIGHTS_ON_SET,
        "leastset",
        denied=("Microsoft.Compute/diskEncryptionSets/write",),
        old=WITH_SET,
        disk=WITH_SET,
    ),
    Row(locks.NOT_LOCKED, "undeletable", locked="CanNotDelete"),
)

# These depend on a setting that the fleet above has otherwise.
REFUSED_WITH_TRUST = (Row(provenance.TRUSTED, "nobodys", disk=from_image("foreign", gallery=FOREIGN)),)
PASSED_WITH_TRUST = (Row(provenance.TRUSTED, "ours", disk=from_image("personal")),)


def request_of(row: Row) -> tuple[str, str, Any]:
    """Method, path and body of what a person would send to ARM instead of the app."""
    disk = disk_id(row.wanted, row.group)
    block = {"name": row.wanted, "managedDisk": {"id": disk}}
    return {
        "swap": ("PATCH", row.id, of(storageProfile={"osDisk": block})),
        "start": ("POST", f"{row.id}/start", None),
        "deallocate": ("POST", f"{row.id}/deallocate", None),
        "tag": (
            "PATCH",
            f"{row.id}/providers/Microsoft.Resources/tags/default",
            {"operation": "Merge", "properties": {"tags": {"OsDiskPrevious": "x"}}},
        ),
    }[row.request]
