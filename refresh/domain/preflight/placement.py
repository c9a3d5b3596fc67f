"""Whether the disk exists, is free, and is in the VM's region, zone and edge zone.

Decides what a free disk is and which places match. Does not know what is on the disk.
"""

from __future__ import annotations

from collections.abc import Collection

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.vms import Vm
from refresh.domain.preflight.check import Check, Condition, Evidence, same_text
from refresh.domain.terms import names, resource_id, tags
from refresh.domain.terms.swap_reason import Reason
from refresh.domain.terms.vm_tags import shorten
from refresh.domain.vm.preflight_facts import PreflightFacts
from refresh.domain.vm.wish import Wish

_IN_USE = "https://github.com/kubernetes-sigs/azuredisk-csi-driver/issues/1378"
_SWAP_DOCS = "https://learn.microsoft.com/azure/virtual-machines/linux/os-disk-swap"
_OTHER_ZONE = "https://github.com/jenkins-infra/azure/pull/1406"
_EDGE_ZONE = "https://learn.microsoft.com/rest/api/compute/disks/create-or-update"

EXISTS = Condition("disk exists", Reason.DISK_NOT_FOUND, Evidence.OUR_RULE)
NOT_REJECTED = Condition("disk was not rejected on this VM before", Reason.REJECTED_BEFORE, Evidence.OUR_RULE)
READY = Condition("disk is ready", Reason.DISK_NOT_READY, Evidence.OUR_RULE)
FREE = Condition("disk is free", Reason.DISK_IN_USE, Evidence.REPORTED, _IN_USE, "ConflictingUserInput")
NOT_ANOTHERS = Condition("no other VM's tag names the disk", Reason.DISK_OF_ANOTHER, Evidence.OUR_RULE)
NOT_RESERVED = Condition("disk is no other VM's way back", Reason.DISK_RESERVED, Evidence.OUR_RULE)
SAME_REGION = Condition("same region", Reason.OTHER_REGION, Evidence.DOCUMENTED, _SWAP_DOCS, "BadRequest")
SAME_ZONE = Condition("same zone", Reason.OTHER_ZONE, Evidence.REPORTED, _OTHER_ZONE, "BadRequest")
# Azure documents that a disk's edge zone never changes, and no error of a swap.
SAME_EDGE_ZONE = Condition("same edge zone", Reason.OTHER_EDGE_ZONE, Evidence.OUR_RULE, _EDGE_ZONE)

WISHED = (EXISTS, NOT_REJECTED)
CONDITIONS = (READY, FREE, NOT_ANOTHERS, NOT_RESERVED, SAME_REGION, SAME_ZONE, SAME_EDGE_ZONE)


def check_exists(wanted: Disk | None, wish: Wish) -> Check:
    """Whether the disk that the tags name exists."""
    return EXISTS.judged(
        wanted is not None,
        f"{tags.OS_DISK_NAME} names disk '{shorten(wish.text)}', which does not exist; correct the tag, or create the "
        "disk",
    )


def check_not_rejected(wanted: Disk, rejected: Collection[str], *, force: bool) -> Check:
    """Whether neither `wanted` nor its image version is among `rejected` (ids, lower-case), or `force` is set."""
    names = {wanted.id.lower(), (wanted.source_version or wanted.id).lower()}
    return NOT_REJECTED.judged(
        force or names.isdisjoint(rejected),
        f"disk {wanted.name} (or another from the same image version) was found unhealthy on this VM and "
        "rolled back; use a newer disk, or request the swap with force",
    )


def check_placement(vm: Vm, wanted: Disk, preflight: PreflightFacts | None) -> tuple[Check, ...]:
    """Whether `vm` can take `wanted` where it is. Other VMs' tags are checked only with `preflight`."""
    return (
        READY.judged(
            wanted.provisioning_state == "Succeeded",
            f"disk {wanted.name} is {wanted.provisioning_state or 'in an unknown state'}; wait until it is Succeeded",
        ),
        _free(wanted),
        *(_of_no_other(wanted, preflight) if preflight is not None and preflight.wishes_read else ()),
        SAME_REGION.judged(
            same_text(vm.location, wanted.location),
            f"disk {wanted.name} is in {wanted.location}, the VM in {vm.location}; make one in the VM's region",
        ),
        _same_zone(vm, wanted),
        SAME_EDGE_ZONE.judged(
            names.same_edge_zone(vm.edge_zone, wanted.edge_zone),
            f"disk {wanted.name} is in {_edge(wanted.edge_zone)}, the VM in {_edge(vm.edge_zone)}; make the disk where "
            "the VM is",
        ),
    )


def _free(wanted: Disk) -> Check:
    owner = resource_id.parse(wanted.managed_by)
    holder = f"attached to {owner.name}" if owner else (wanted.disk_state or "in an unknown state")
    return FREE.judged(
        wanted.managed_by is None and wanted.disk_state == "Unattached",
        f"disk {wanted.name} is {holder}; only an unattached disk can become an OS disk",
    )


def _of_no_other(wanted: Disk, preflight: PreflightFacts) -> tuple[Check, ...]:
    other, kept = resource_id.parse(preflight.named_by), preflight.reserved
    holder = resource_id.parse(kept.vm_id) if kept is not None else None
    return (
        NOT_ANOTHERS.judged(
            preflight.named_by is None,
            f"the tag of VM {other.name if other else 'unknown'} names disk {wanted.name} too; change one of the tags",
        ),
        NOT_RESERVED.judged(
            kept is None,
            f"disk {wanted.name} is the previous disk of VM {holder.name if holder else 'unknown'} and is kept for it "
            f"{kept.until if kept else ''}; use another disk",
        ),
    )


def _same_zone(vm: Vm, wanted: Disk) -> Check:
    return SAME_ZONE.judged(
        set(vm.zones) == set(wanted.zones) or (bool(wanted.sku) and "ZRS" in str(wanted.sku) and not wanted.zones),
        f"disk {wanted.name} is in {_zone(wanted.zones)}, the VM in {_zone(vm.zones)}; make the disk in the VM's zone",
    )


def _zone(zones: tuple[str, ...]) -> str:
    return f"zone {', '.join(zones)}" if zones else "no zone"


def _edge(edge_zone: str | None) -> str:
    return f"edge zone {edge_zone}" if edge_zone else "no edge zone"
