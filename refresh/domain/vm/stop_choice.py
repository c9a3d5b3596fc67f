"""How a VM is stopped for a swap, and what that stop loses.

Decides what deallocating takes from a VM, which of it `auto` avoids by powering off, and the warnings about the rest. A
fact that could not be read counts as a loss. Does not know how facts are read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from refresh.domain.azure.sizes import VmSize
from refresh.domain.azure.vms import Vm
from refresh.domain.terms import resource_id, tags
from refresh.domain.terms.stop_mode import StopMode, StopWish
from refresh.domain.vm.warnings import VmWarning, WarningKind

_BY_POWER_OFF = f"stop the VM by power-off ({tags.REFRESH_STOP_MODE})"


@dataclass(frozen=True)
class StopFacts:
    """What was read about the stop of a VM. `size` is None where Azure's list has no such size.

    `size_unread` and `addresses_unread` are why something could not be read. `has_addresses`: the VM's public addresses
    were read, or it needs no read; `dynamic_ips` are the names of those that a deallocated VM loses.
    """

    size: VmSize | None = None
    size_unread: str | None = None
    dynamic_ips: tuple[str, ...] = ()
    addresses_unread: str | None = None
    has_addresses: bool = True


@dataclass(frozen=True)
class ChosenStop:
    """How the VM is stopped and why; not `certain` where a read right before the swap may change an `auto`."""

    mode: StopMode
    why: str
    certain: bool = True

    @property
    def shown_mode(self) -> str:
        """The stop mode as people see it: `auto` until it is certain."""
        return str(self.mode) if self.certain else str(StopWish.AUTO)


def choose_stop(vm: Vm, default: str, facts: StopFacts | None) -> ChosenStop:
    """The stop mode of `vm`, whose own tag counts more than the setting (`default`).

    Without `facts` the choice of an `auto` is not certain. A tag that cannot be read refuses the swap elsewhere.
    """
    own = vm.own_tags.stop_mode
    wish = vm.own_tags.choose_stop_mode(default) or StopWish.DEALLOCATE
    if wish is not StopWish.AUTO:
        by = tags.REFRESH_STOP_MODE if isinstance(own, StopWish) else "REFRESH_STOP_MODE"
        return ChosenStop(StopMode(wish), f"{by} is {wish}")
    losses = [loss for _, loss, _ in _losses(vm, facts)] if facts is not None else []
    if losses:
        return ChosenStop(StopMode.POWER_OFF, f"auto: deallocating would lose {', '.join(losses)}")
    if facts is None or not facts.has_addresses:
        unread = "the VM's public addresses are" if facts is not None else "its size and public addresses are"
        return ChosenStop(StopMode.DEALLOCATE, f"auto: chosen right before the swap, when {unread} read", certain=False)
    nothing = "no local or temporary disk, dedicated host, capacity reservation or dynamic public address"
    return ChosenStop(StopMode.DEALLOCATE, f"auto: deallocating loses {nothing}")


def warnings_of_stop(vm: Vm, facts: StopFacts) -> tuple[VmWarning, ...]:
    """What a person should know before `vm` is deallocated: why it may not start again, and what is lost."""
    lost = (VmWarning(code, message) for code, _, message in _losses(vm, facts))
    return (*_risks(vm, facts), *lost)


def _losses(vm: Vm, facts: StopFacts) -> Iterator[tuple[WarningKind, str, str]]:
    """What deallocating loses: the warning's code, what is lost in a few words, and the sentence."""
    yield from _local_disks(vm, facts)
    if vm.dedicated_host is not None:
        # https://learn.microsoft.com/azure/virtual-machines/dedicated-hosts#capacity-considerations
        named = f"its place on dedicated host {_name(vm.dedicated_host)}"
        message = f"deallocating gives up {named}, which another VM may take before the start; {_BY_POWER_OFF}"
        yield WarningKind.DEDICATED_HOST, named, message
    if vm.capacity_reservation is not None:
        # https://learn.microsoft.com/azure/virtual-machines/capacity-reservation-overview
        named = f"its place in capacity reservation group {_name(vm.capacity_reservation)}"
        message = f"deallocating gives up {named}, which another VM may take before the start; {_BY_POWER_OFF}"
        yield WarningKind.CAPACITY_RESERVATION, named, message
    if facts.addresses_unread is not None:
        message = (
            f"the VM's public addresses could not be read ({facts.addresses_unread}); a dynamic one changes when the "
            "VM is deallocated"
        )
        yield WarningKind.DYNAMIC_IP, "a public address that could not be read", message
    if facts.dynamic_ips:
        # https://learn.microsoft.com/azure/virtual-network/ip-services/public-ip-addresses#ip-address-assignment
        named = ", ".join(facts.dynamic_ips)
        message = (
            f"public address {named} is dynamic and changes when the VM is deallocated; {_BY_POWER_OFF}, or make the "
            "address static"
        )
        yield WarningKind.DYNAMIC_IP, f"dynamic public address {named}", message


def _local_disks(vm: Vm, facts: StopFacts) -> Iterator[tuple[WarningKind, str, str]]:
    # Whether there is data on them is shown nowhere:
    # https://learn.microsoft.com/azure/virtual-machines/managed-disks-overview#temporary-disk
    cure, size = f"{_BY_POWER_OFF}, or copy what is needed from there", vm.size or "unknown"
    if facts.size_unread is not None:
        message = (
            f"the disks of size {size} could not be read ({facts.size_unread}); a temporary or local NVMe disk is "
            f"emptied when the VM is deallocated; {cure}"
        )
        yield (
            WarningKind.LOCAL_DISK,
            f"the local disks of size {size}, which could not be read",
            message,
        )
    elif facts.size is None:
        message = (
            f"Azure does not list size {size} in {vm.location}: if it has a temporary or local NVMe disk, that is "
            f"emptied when the VM is deallocated; {cure}"
        )
        yield (
            WarningKind.LOCAL_DISK,
            f"the local disks of size {size}, which Azure does not list",
            message,
        )
    elif facts.size.local_disks:
        named = " and ".join(facts.size.local_disks)
        message = f"deallocating empties the {named} of size {facts.size.name}; {cure}"
        yield WarningKind.LOCAL_DISK, f"what is on the {named}", message


def _risks(vm: Vm, facts: StopFacts) -> Iterator[VmWarning]:
    cure = f"{_BY_POWER_OFF}, or resize it first"
    why = facts.size.why_restricted(vm.zones) if facts.size is not None else None
    if facts.size is None and facts.size_unread is None:
        why = f"Azure does not list size {vm.size or 'unknown'} in {vm.location}, which may be retired"
    if why is not None:
        # https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-sku-not-available
        yield VmWarning(WarningKind.SIZE_RESTRICTED, f"{why}: a deallocated VM may not start again; {cure}")
    if (vm.priority or "").lower() == "spot":
        # https://learn.microsoft.com/azure/virtual-machines/spot-vms
        message = f"a deallocated Spot VM may find no capacity to start again; {_BY_POWER_OFF} to keep its place"
        yield VmWarning(WarningKind.SPOT, message)
    if vm.placement_group is not None:
        # https://learn.microsoft.com/azure/virtual-machines/co-location#what-to-expect-when-using-proximity-placement-groups
        message = (
            f"a deallocated VM of proximity placement group {_name(vm.placement_group)} starts only where the group's "
            f"data centre has room; {_BY_POWER_OFF}"
        )
        yield VmWarning(WarningKind.PLACEMENT_GROUP, message)


def _name(text: str) -> str:
    found = resource_id.parse(text)
    return found.name if found is not None else text[:100]
