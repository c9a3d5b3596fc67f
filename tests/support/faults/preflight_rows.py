"""The rows of the preflight tables: a VM that each check refuses, and a VM that it passes.

Decides the rows. Leaves the bodies of a row to `preflight_row.py`.
"""

from __future__ import annotations

from refresh.domain.preflight import (
    all_checks,
    capabilities,
    compatibility,
    encryption,
    locks,
    placement,
    provenance,
    rights,
    tags_readable,
    tags_room,
)
from refresh.domain.preflight import vm_size as sizes
from tests.support.faults.preflight_row import (
    ALLOWED_GROUP,
    ARM64,
    EDGE,
    EXTENSION,
    FOREIGN,
    HIBERNATES,
    HIBERNATION,
    NVME,
    OTHER_GROUP,
    PLAN,
    PLANNED,
    READ_SET,
    STANDARD,
    TRUSTED_LAUNCH,
    UNMANAGED,
    VM_ACTIONS,
    WINDOWS,
    WITH_SET,
    Row,
    from_image,
    laid_over,
    of,
    os_disk,
)
from tests.support.worlds.builders import GROUP, disk_id
from tests.support.worlds.local_azure import disk_body, vm_body

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
    Row(tags_room.ROOM, "fulloftags", tags={f"team{number:02}": "x" for number in range(48)}, request="tag"),
    Row(tags_room.ROOM, "oneroom", tags={f"team{number:02}": "x" for number in range(47)}, request="tags"),
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
    Row(
        placement.NOT_RESERVED,
        "kept",
        disk=of(LastOwnershipUpdateTime="2026-11-20T12:00:00Z"),
        more=(vm_body("keeper", OsDiskPrevious="kept-new"),),
    ),
    Row(placement.SAME_REGION, "region", disk={"location": "northeurope"}),
    Row(placement.SAME_ZONE, "zone", disk={"zones": ["2"]}),
    Row(placement.SAME_EDGE_ZONE, "edge", vm=EDGE, old=EDGE, disk={"zones": []}, code="BadRequest"),
    Row(placement.SAME_EDGE_ZONE, "noedge", vm={"zones": []}, old={"zones": []}, disk=EDGE, code="BadRequest"),
    Row(compatibility.SAME_OS, "os", disk=of(osType="Windows")),
    Row(compatibility.SAME_GENERATION, "generation", disk=of(hyperVGeneration="V1")),
    Row(compatibility.SAME_ARCHITECTURE, "arch", disk=ARM64),
    Row(compatibility.SAME_CONTROLLER, "nvme", vm=NVME),
    Row(encryption.SAME_SECURITY, "security", disk=TRUSTED_LAUNCH),
    Row(encryption.SAME_SET, "encset", disk=WITH_SET, code="OperationNotAllowed"),
    Row(encryption.NOT_ENCRYPTED_INSIDE, "bitlocker", disk=of(encryptionSettingsCollection={"enabled": True})),
    Row(encryption.NOT_ENCRYPTED_INSIDE, "adeextension", vm={"resources": [EXTENSION]}),
    Row(compatibility.NOT_SMALLER, "small", disk=of(diskSizeGB=20)),
    Row(capabilities.HIBERNATES, "nohibernation", vm=HIBERNATION, old=HIBERNATES),
    Row(capabilities.SAME_PLAN, "newplan", disk=PLANNED),
    Row(capabilities.SAME_PLAN, "noplan", vm={"plan": PLAN}, old=PLANNED),
    Row(capabilities.SAME_PLAN, "otherplan", vm={"plan": PLAN}, disk=of(purchasePlan={**PLAN, "name": "8-base"})),
    Row(provenance.NOT_AT_SETUP, "setup", vm=os_disk(osType="Windows"), disk=laid_over(WINDOWS, from_image("setup"))),
    Row(provenance.PERSONAL, "clone", disk=from_image("impersonal")),
    Row(provenance.NOT_QUARANTINED, "quarantined", disk=from_image("personal", "1.0.1")),
    Row(provenance.VERSION_EXISTS, "noversion", disk=from_image("personal", "9.9.9")),
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
        Row(condition, PLAIN)
        for condition in (
            tags_readable.BUILT,
            placement.EXISTS,
            placement.NOT_REJECTED,
            all_checks.MANAGED,
            all_checks.NOT_EPHEMERAL,
            all_checks.ALONE,
            placement.READY,
            placement.FREE,
            placement.NOT_ANOTHERS,
            placement.NOT_RESERVED,
            placement.SAME_REGION,
            compatibility.SAME_OS,
            encryption.NOT_ENCRYPTED_INSIDE,
        )
    ),
    Row(tags_readable.STOP_MODE, "poweroff", tags={"RefreshStopMode": "power-off"}),
    # Deallocated, so that no guest has to answer the probe.
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
    Row(tags_room.ROOM, "justroom", tags={f"team{number:02}": "x" for number in range(46)}),
    Row(
        tags_room.ROOM,
        "alltags",
        tags={
            **{f"team{number:02}": "x" for number in range(45)},
            "OSDISKPREVIOUS": "alltags-before",
            "OsDiskRejected": "alltags-bad",
        },
    ),
    Row(all_checks.AWAKE, "deallocated", power="deallocated"),
    Row(all_checks.AT_REST, "stopped", power="stopped"),
    Row(placement.SAME_ZONE, "zrs", disk={"zones": [], "sku": {"name": "Premium_ZRS"}}),
    Row(placement.SAME_EDGE_ZONE, "sameedge", vm=EDGE, old=EDGE, disk=EDGE),
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
    Row(capabilities.HIBERNATES, "hibernates", vm=HIBERNATION, old=HIBERNATES, disk=HIBERNATES),
    Row(capabilities.SAME_PLAN, "sameplan", vm={"plan": PLAN}, old=PLANNED, disk=PLANNED),
    Row(capabilities.SAME_PLAN, "hiddenplan", vm={"plan": PLAN}, old=of(diskSizeGB=30)),
    Row(
        provenance.NOT_AT_SETUP,
        "specialised",
        vm=os_disk(osType="Windows"),
        disk=laid_over(WINDOWS, from_image("windows")),
    ),
    Row(provenance.PERSONAL, "personal", disk=from_image("personal")),
    Row(provenance.NOT_QUARANTINED, "unblamed", disk=from_image("personal")),
    Row(provenance.VERSION_EXISTS, "itsversion", disk=from_image("personal")),
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

# These need another value of `REFRESH_DISK_TRUST` than the rows above.
REFUSED_WITH_TRUST = (Row(provenance.TRUSTED, "foreign-gallery", disk=from_image("foreign", gallery=FOREIGN)),)
PASSED_WITH_TRUST = (Row(provenance.TRUSTED, "ours", disk=from_image("personal")),)
