"""Gathers the warnings about a swap, with the reads that some of them need.

Decides what is read and how long it may take: unreadable facts never fail a swap or delay it for long; the warning then
states that they could not be read. Leaves what each warning is about to `domain/vm/warnings.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.refusals import describe_refusal
from refresh.domain.azure.vms import Power, Vm
from refresh.domain.preflight import rights
from refresh.domain.terms.stop_mode import StopMode, StopWish
from refresh.domain.vm.stop_choice import ChosenStop, StopFacts, choose_stop, warnings_of_stop
from refresh.domain.vm.warnings import VmWarning, warning_of_rung, warnings_of
from refresh.gateways.errors import GatewayError
from refresh.reading.calls.paced_reads import Reads
from refresh.reading.swap.missing_rights import GrantReader, GrantSource
from refresh.reading.swap.sizes import SizeSource, read_known_size
from refresh.settings.settings import Settings

# Long enough for a few reads, and short beside the downtime; lists are long.
BUDGET_S, LISTS_BUDGET_S = 5.0, 15.0
# Any other VM is not stopped. A list shows no power state, and its VMs count as running.
_STOPPED_FOR_A_SWAP = (Power.RUNNING, Power.STARTING)


class AddressSource(Protocol):
    """Where public addresses are read."""

    async def list_dynamic_ips(self, nic_id: str) -> Sequence[str]:
        """Names of the interface's public addresses that a deallocated VM loses. GatewayError."""
        ...

    async def list_all_dynamic_ips(self, subscription: str) -> Mapping[str, Sequence[str]]:
        """The same for every interface of a subscription that has one, by its lower-case id. GatewayError."""
        ...


class RightsAndSizes(GrantSource, SizeSource, Protocol):
    """Where rights and sizes are read."""


@dataclass(frozen=True)
class FoundWarnings:
    """The warnings about a swap, and how the VM is stopped for it; `lost` are the rungs of the health check that the
    app has no right to read."""

    warnings: tuple[VmWarning, ...]
    stop: ChosenStop
    lost: frozenset[str] = frozenset()


class WarningReader:
    """Gathers warnings for many swaps; what they share is read once."""

    def __init__(self, access: RightsAndSizes, addresses: AddressSource, settings: Settings, reads: Reads) -> None:
        """Read from `access` and `addresses` at the pace of `reads`."""
        self._access = access
        self._granted = GrantReader(access, reads)
        self._addresses = addresses
        self._settings = settings
        self._reads = reads

    async def read_warnings(self, vm: Vm, current: Disk | None, wanted: Disk | None) -> FoundWarnings:
        """The warnings about making `wanted` the OS disk of `vm` after `current`. Never raises."""
        facts = await self._read_stop(vm) if self._may_deallocate(vm) else StopFacts()
        lost = await self._lost(vm)
        found = self._found(vm, current, wanted, facts)
        return replace(found, warnings=(*found.warnings, *lost.values()), lost=frozenset(lost))

    async def read_listed(self, vm: Vm, current: Disk | None, wanted: Disk | None) -> FoundWarnings:
        """The same for a VM among many: the rights for the health check are not read, addresses only for an `auto`."""
        facts = StopFacts(has_addresses=not vm.guest.nic_ids)
        if self._may_deallocate(vm):
            facts = await self._with_size(vm, facts)
        if not choose_stop(vm, self._settings.stop_mode, facts).certain:
            facts = await self._with_listed_addresses(vm, facts)
        return self._found(vm, current, wanted, facts)

    def _found(self, vm: Vm, current: Disk | None, wanted: Disk | None, facts: StopFacts) -> FoundWarnings:
        stop = choose_stop(vm, self._settings.stop_mode, facts)
        is_lossy = stop.mode is StopMode.DEALLOCATE and vm.power in _STOPPED_FOR_A_SWAP
        of_stop = warnings_of_stop(vm, facts) if is_lossy else ()
        return FoundWarnings((*warnings_of(vm, current, wanted), *of_stop), stop)

    def _may_deallocate(self, vm: Vm) -> bool:
        return vm.own_tags.choose_stop_mode(self._settings.stop_mode) is not StopWish.POWER_OFF

    async def _read_stop(self, vm: Vm) -> StopFacts:
        return await self._with_addresses(vm, await self._with_size(vm, StopFacts()))

    async def _with_size(self, vm: Vm, facts: StopFacts) -> StopFacts:
        try:
            async with asyncio.timeout(LISTS_BUDGET_S):
                return replace(facts, size=await read_known_size(self._access, self._reads, vm))
        except GatewayError as error:
            return replace(facts, size_unread=describe_refusal(error.code, error.message))
        except TimeoutError:
            return replace(facts, size_unread="no answer in time")

    async def _with_addresses(self, vm: Vm, facts: StopFacts) -> StopFacts:
        try:
            async with asyncio.timeout(BUDGET_S):
                dynamic: list[str] = []
                for nic in vm.guest.nic_ids:
                    dynamic += await self._reads.read(lambda nic=nic: self._addresses.list_dynamic_ips(nic)) or ()  # type: ignore[misc]
        except GatewayError as error:
            return replace(facts, addresses_unread=describe_refusal(error.code, error.message))
        except TimeoutError:
            return replace(facts, addresses_unread="no answer in time")
        return replace(facts, dynamic_ips=tuple(dynamic))

    async def _with_listed_addresses(self, vm: Vm, facts: StopFacts) -> StopFacts:
        subscription = vm.id.split("/")[2].lower()
        try:
            async with asyncio.timeout(LISTS_BUDGET_S):
                listed = await self._reads.once(
                    f"{subscription}/dynamic", lambda: self._addresses.list_all_dynamic_ips(subscription)
                )
        except (GatewayError, TimeoutError):
            return facts
        dynamic = [name for nic in vm.guest.nic_ids for name in (listed or {}).get(nic.lower(), ())]
        return replace(facts, dynamic_ips=tuple(dynamic), has_addresses=True)

    async def _lost(self, vm: Vm) -> dict[str, VmWarning]:
        # Rights that cannot be read have refused the swap already; here they give no warning.
        lost: dict[str, VmWarning] = {}
        try:
            async with asyncio.timeout(BUDGET_S):
                needed = rights.needed_by_rungs(vm, self._settings.health_rungs, probed=vm.own_tags.probe is not None)
                for rung, (action, scope) in needed.items():
                    if await self._granted.missing(scope, (action,)):
                        lost[rung] = warning_of_rung(rung, action, scope)
        except (GatewayError, TimeoutError):
            pass
        return lost
