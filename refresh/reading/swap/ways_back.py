"""Reads what a rollback of a VM leads to: the VM, its way back, and the disk there.

Decides which reads are needed, and that a VM whose swap has not begun or not ended is left alone. Changes nothing: the
dry run and the real run plan with the same function.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from refresh.dispatcher.memory import Memory
from refresh.domain.azure.vms import Vm
from refresh.domain.preflight.placement import check_not_rejected
from refresh.domain.swap.decision import Refuse, Skip, Swap, decide_swap
from refresh.domain.swap.way_back import Given, Way, choose_way_back
from refresh.domain.terms import resource_id, tags
from refresh.domain.terms.swap_reason import Reason
from refresh.domain.vm.wish import Wish, choose_wish, disk_text
from refresh.gateways.errors import GatewayError
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.paced_reads import pace_of_decisions
from refresh.reading.fleet.configured_subscriptions import ConfiguredSubscriptions
from refresh.reading.swap.facts import FactReader, policy_of
from refresh.reading.swap.memory import READS_AT_ONCE
from refresh.reading.swap.unforeseen import refuse_unforeseen
from refresh.records.dispatcher_state import DispatcherState, WayRow
from refresh.records.vm_memory import KnownVms
from refresh.settings.settings import Settings


@dataclass(frozen=True)
class WayBack:
    """Where a rollback of a VM leads: to a disk (`target`, an id), or nowhere (`reason`).

    `named`: the VM's tag names that disk already, so nothing is written.
    """

    vm_id: str
    vm: Vm | None = None
    target: str | None = None
    named: bool = False
    reason: Skip | Refuse | None = None


class WayBackReader:
    """Reads the ways back of many VMs; `state` is the dispatcher's, `known` what `vm_memory` has."""

    def __init__(self, gateways: Gateways, settings: Settings, state: DispatcherState, known: KnownVms) -> None:
        """Start with nothing read."""
        self._gateways = gateways
        self._policy = policy_of(settings)
        self._inside = ConfiguredSubscriptions(gateways.graph, settings)
        self._reader = FactReader(gateways, self._policy, pace_of_decisions(), self._inside)
        self._state, self._known, self._memory = state, known, Memory(state)

    async def read(self, vm_id: str, given: Given | None = None, *, force: bool = False) -> WayBack:
        """The way back of `vm_id`; with `given` only what a run gave it is taken back. GatewayError when unreadable."""
        outside = await self._inside.why_outside(vm_id)
        if outside is not None:
            return WayBack(vm_id, reason=Refuse(Reason.OUTSIDE_SUBSCRIPTIONS, outside))
        vm = await self._reader.reads.read(lambda: self._gateways.compute.read_vm(vm_id))
        if vm is None:
            return WayBack(vm_id, reason=Skip(Reason.VM_GONE, "the VM does not exist"))
        found = self._leave_alone(vm) or choose_way_back(vm, self._way_of(vm), self._rejected(vm), given, force=force)
        if not isinstance(found, str):
            return WayBack(vm_id, vm, reason=found)
        way = WayBack(vm_id, vm, found, named=resource_id.same(self._wish_of(vm).disk_id, found))
        if way.named or vm.id.lower() in self._state.running:
            return replace(way, named=True)  # it is on the way already
        why = await self._why_not(vm, found, given, force=force)
        return way if why is None else WayBack(vm_id, vm, reason=why)

    def text_of(self, way: WayBack) -> str:
        """The disk as the VM's tag names it."""
        return disk_text(way.vm_id, way.target or "")

    def _leave_alone(self, vm: Vm) -> Skip | None:
        if vm.own_tags.on_hold:
            return Skip(Reason.ON_HOLD, f"{tags.AUTO_REFRESH}=hold: its tag was not written")
        if not vm.own_tags.in_scope:
            return Skip(Reason.NOT_IN_SCOPE, vm.own_tags.why_out_of_scope)
        row = self._state.running.get(vm.id.lower())
        if row is None:
            return None
        way, wanted = self._way_of(vm), row.intent.new_disk if row.intent is not None else row.wanted
        if way is not None and wanted is not None and resource_id.id_hash(wanted) == way.target:
            return None
        return Skip(Reason.SWAP_PENDING, "a swap of this VM is under way: roll it back when that has ended")

    def _way_of(self, vm: Vm) -> Way | None:
        row: WayRow | None = self._known.way_of(vm.id, self._state.ways.get(resource_id.id_hash(vm.id)))
        return Way(row.source, row.target, row.taken) if row is not None else None

    def _rejected(self, vm: Vm) -> frozenset[str]:
        return frozenset(self._memory.of(vm.id.lower())["rejected"])

    def _ran(self, vm: Vm) -> tuple[str, ...]:
        return self._known.ran_of(vm.id, self._memory.of(vm.id.lower())["ran"])

    def _wish_of(self, vm: Vm) -> Wish:
        return choose_wish(vm, self._policy.disk_groups, self._ran(vm))

    async def _why_not(self, vm: Vm, target: str, given: Given | None, *, force: bool) -> Skip | Refuse | None:
        """Why the way back to `target` is not taken: the disk is gone or rejected, or another swap is to begin."""
        if given is None and await self._is_swap_to_begin(vm):
            message = f"{tags.OS_DISK_NAME} names another disk, and that swap has not begun: change the tag"
            return Skip(Reason.SWAP_PENDING, message)
        disk = await self._reader.reads.read(lambda: self._gateways.disks.read_disk(target))
        if disk is None:
            return Refuse(Reason.DISK_NOT_FOUND, f"disk {target.rsplit('/', 1)[-1]}, which it ran before, is deleted")
        check = check_not_rejected(disk, self._rejected(vm), force=force)
        return None if check.ok else Refuse(check.reason, check.message)

    async def _is_swap_to_begin(self, vm: Vm) -> bool:
        """Whether the VM's tag names another disk that the VM would be swapped to."""
        wish = self._wish_of(vm)
        if not wish.text or resource_id.same(wish.disk_id, vm.os_disk_id):
            return False
        facts = await self._reader.read(
            vm.id, ran=self._ran(vm), rejected=self._rejected(vm), over=self._memory.of(vm.id.lower())["over"]
        )
        return isinstance(decide_swap(facts, self._policy), Swap)


async def read_ways_back(
    reader: WayBackReader, vms: Sequence[str], given: Mapping[str, Given], *, force: bool
) -> list[WayBack]:
    """The way back of each of `vms`, a few at once; one that cannot be read is refused."""
    at_once = asyncio.Semaphore(READS_AT_ONCE)

    async def read(vm_id: str) -> WayBack:
        async with at_once:
            try:
                return await reader.read(vm_id, given.get(vm_id.lower()), force=force)
            except GatewayError as error:
                return WayBack(vm_id, reason=Refuse(Reason.UNREADABLE, f"the VM could not be read: {error}"[:200]))
            except Exception as error:  # one VM must not fail the plan of the others
                return WayBack(vm_id, reason=refuse_unforeseen(vm_id, error))

    return list(await asyncio.gather(*map(read, vms)))
