"""Reads the preflight facts of a swap: the app's own rights, locks, the disks that other VMs' tags name, and where it
matters whether the VM's size supports premium disks.

Decides which scopes are read, each once for all VMs that share it. Leaves the checks to `domain/preflight`.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Protocol

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.locks import Lock
from refresh.domain.azure.vms import Vm
from refresh.domain.preflight import rights
from refresh.domain.preflight.encryption import set_of
from refresh.domain.preflight.provenance import Policy
from refresh.domain.preflight.vm_size import must_read_sizes
from refresh.domain.terms import resource_id
from refresh.domain.terms.stop_mode import StopWish
from refresh.domain.vm.preflight_facts import PreflightFacts
from refresh.domain.vm.reservation import Hold, Reservation, judge_hold
from refresh.domain.vm.wish import choose_wish, disk_of_text
from refresh.gateways.errors import GatewayError
from refresh.reading.calls.paced_reads import Reads
from refresh.reading.fleet.vms_and_disks import collect_named
from refresh.reading.swap.missing_rights import GrantReader, GrantSource, group_of
from refresh.reading.swap.sizes import SizeSource, read_size

_log = logging.getLogger(__name__)

# What is recorded of a VM, by its id.
type HoldOf = Callable[[str], Awaitable[Hold]]


class AccessSource(GrantSource, SizeSource, Protocol):
    """Where rights, locks and sizes are read."""

    async def list_locks(self, scope: str) -> Sequence[Lock]:
        """The locks at `scope` (an id), above it and below it."""
        ...


class FleetSource(Protocol):
    """Where the VMs are listed whose tags may name the same disk."""

    def list_group_vms(self, group_id: str) -> AsyncIterator[Vm]:
        """Every VM of a resource group."""
        ...

    def list_vms(self, subscription: str) -> AsyncIterator[Vm]:
        """Every VM of a subscription."""
        ...


class PreflightReader:
    """Reads the preflight facts of many swaps; what they share is read once. GatewayError when anything is unknown."""

    def __init__(
        self, access: AccessSource, fleet: FleetSource | None, policy: Policy, reads: Reads, hold_of: HoldOf
    ) -> None:
        """Read from `access`; `fleet` is None where other VMs' tags are not read."""
        self._hold_of = hold_of
        self._access = access
        self._granted = GrantReader(access, reads)
        self._fleet = fleet
        self._policy = policy
        self._reads = reads

    async def read(self, vm: Vm, current: Disk | None, wanted: Disk, *, ran_before: bool = False) -> PreflightFacts:
        """The preflight facts of making `wanted` the OS disk of `vm`, which has `current` now.

        `ran_before`: it is recorded that the VM ran `wanted`. Its way back is its own, also where another VM names it.
        """
        own = ran_before and resource_id.same(disk_of_text(vm.id, vm.own_tags.previous), wanted.id)
        mode = vm.own_tags.choose_stop_mode(self._policy.stop_mode) or StopWish.DEALLOCATE
        disks = [wanted.id, *([vm.os_disk_id] if vm.os_disk_id else [])]
        encryption_set = set_of(wanted)
        scopes = [vm.id, *disks, *([encryption_set] if encryption_set else [])]
        return PreflightFacts(
            gaps={scope.lower(): await self._granted.missing(scope, rights.needed_on(scope, mode)) for scope in scopes},
            locks=await self._locks([vm.id, *disks]),
            named_by=None if own else await self._named_by(vm, wanted),
            reserved=None if own else await self._reserved(vm, wanted),
            wishes_read=self._fleet is not None,
            takes_premium=await self._takes_premium(vm) if must_read_sizes(current, wanted) else None,
        )

    async def _locks(self, scopes: Iterable[str]) -> tuple[Lock, ...]:
        found: dict[str, Lock] = {}
        for group in dict.fromkeys(group_of(scope) for scope in scopes):
            locks = await self._reads.once(f"{group}/locks", lambda group=group: self._access.list_locks(group))  # type: ignore[misc]
            if locks is None:
                raise GatewayError("ResourceGroupNotFound", f"the locks of {group} could not be read")
            found.update({lock.id.lower(): lock for lock in locks})
        return tuple(found.values())

    async def _named_by(self, vm: Vm, wanted: Disk) -> str | None:
        fleet = self._fleet
        if fleet is None:
            return None
        group = group_of(wanted.id)
        # VMs of other groups can name this disk only where `REFRESH_DISK_GROUPS` allows its group.
        everywhere = group.lower() in self._policy.disk_groups
        subscription = group.split("/")[2]
        rows = await self._reads.once(
            f"{group}/vms",
            lambda: collect_named(
                fleet.list_vms(subscription) if everywhere else fleet.list_group_vms(group), f"the VMs of {group}"
            ),
        )
        others = (other for other in rows or () if not resource_id.same(other.id, vm.id))
        return next((other.id for other in others if self._names(other, wanted)), None)

    async def _reserved(self, vm: Vm, wanted: Disk) -> Reservation | None:
        """The other VM that `wanted` is kept for, in whatever group it lies. A disk that was never attached is free."""
        if self._fleet is None or wanted.owned_since is None:
            return None
        for other in await self._list_subscription(self._fleet, wanted.id.split("/")[2]):
            if resource_id.same(other.id, vm.id) or not self._holds(other, wanted):
                continue
            hold = await self._hold_of(other.id)
            kept = judge_hold(wanted, other, hold, vm.read_at, self._policy.previous_reserved_days)
            if kept is not None:
                return kept
        return None

    async def _list_subscription(self, fleet: FleetSource, subscription: str) -> Sequence[Vm]:
        what = f"the VMs of subscription {subscription}"
        rows = await self._reads.once(what, lambda: collect_named(fleet.list_vms(subscription), what))
        return rows or ()

    def _holds(self, other: Vm, wanted: Disk) -> bool:
        try:
            previous = disk_of_text(other.id, other.own_tags.previous) if other.own_tags.in_scope else None
        except Exception:  # as in `_names`
            _log.exception("unexpected error about %s", other.id)
            return False
        return resource_id.same(previous, wanted.id) and not resource_id.same(other.os_disk_id, wanted.id)

    def _names(self, other: Vm, wanted: Disk) -> bool:
        try:
            # The other VM may have run the disk, and name it in whatever group.
            ran = (resource_id.id_hash(wanted.id),)
            wish = choose_wish(other, self._policy.disk_groups, ran) if other.own_tags.in_scope else None
        except Exception:  # a look at that VM refuses it; it must not fail the swaps of the others
            _log.exception("unexpected error about %s", other.id)
            return False
        return wish is not None and resource_id.same(wish.disk_id, wanted.id)

    async def _takes_premium(self, vm: Vm) -> bool:
        size = await read_size(self._access, self._reads, vm)
        return size is not None and size.takes_premium
