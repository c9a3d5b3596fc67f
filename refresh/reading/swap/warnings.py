"""Gathers the warnings about a swap, with the reads that some of them need.

Decides what is read and how long it may take: unreadable facts never fail a swap or delay it for long; the warning then
states that they could not be read. Leaves what each warning is about to `domain/vm/warnings.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.refusals import describe_refusal
from refresh.domain.azure.vms import Vm
from refresh.domain.preflight import rights
from refresh.domain.terms.stop_mode import StopMode
from refresh.domain.vm.warnings import (
    VmWarning,
    warning_of_addresses,
    warning_of_rung,
    warning_of_unread_addresses,
    warnings_of,
)
from refresh.gateways.errors import GatewayError
from refresh.reading.calls.paced_reads import Reads
from refresh.reading.swap.missing_rights import GrantReader, GrantSource

# Long enough for a few reads, and short beside the downtime.
BUDGET_S = 5.0


class AddressSource(Protocol):
    """Where public addresses are read."""

    async def list_dynamic_ips(self, nic_id: str) -> Sequence[str]:
        """Names of the interface's public addresses that a deallocated VM loses. GatewayError."""
        ...


@dataclass(frozen=True)
class FoundWarnings:
    """The warnings about a swap; `lost` are the rungs of the health check that the app has no right to read."""

    warnings: tuple[VmWarning, ...]
    lost: frozenset[str] = frozenset()


class WarningReader:
    """Gathers warnings for many swaps; what they share is read once."""

    def __init__(self, access: GrantSource, addresses: AddressSource, counted: Collection[str], reads: Reads) -> None:
        """Read from `access` and `addresses` at the pace of `reads`; `counted` are the rungs that count."""
        self._granted = GrantReader(access, reads)
        self._addresses = addresses
        self._counted = counted
        self._reads = reads

    async def read_warnings(self, vm: Vm, current: Disk | None, wanted: Disk | None, mode: StopMode) -> FoundWarnings:
        """The warnings about making `wanted` the OS disk of `vm` after `current`, stopped by `mode`. Never raises."""
        address = await self._of_addresses(vm) if mode is StopMode.DEALLOCATE else None
        lost = await self._lost(vm)
        found = [*warnings_of(vm, current, wanted, mode), address, *lost.values()]
        return FoundWarnings(tuple(one for one in found if one is not None), frozenset(lost))

    async def _of_addresses(self, vm: Vm) -> VmWarning | None:
        try:
            async with asyncio.timeout(BUDGET_S):
                dynamic: list[str] = []
                for nic in vm.guest.nic_ids:
                    dynamic += await self._reads.read(lambda nic=nic: self._addresses.list_dynamic_ips(nic)) or ()  # type: ignore[misc]
        except GatewayError as error:
            return warning_of_unread_addresses(describe_refusal(error.code, error.message))
        except TimeoutError:
            return warning_of_unread_addresses("no answer in time")
        return warning_of_addresses(dynamic)

    async def _lost(self, vm: Vm) -> dict[str, VmWarning]:
        # Rights that cannot be read have refused the swap already; here they give no warning.
        lost: dict[str, VmWarning] = {}
        try:
            async with asyncio.timeout(BUDGET_S):
                needed = rights.needed_by_rungs(vm, self._counted, probed=vm.own_tags.probe is not None)
                for rung, (action, scope) in needed.items():
                    if await self._granted.missing(scope, (action,)):
                        lost[rung] = warning_of_rung(rung, action, scope)
        except (GatewayError, TimeoutError):
            pass
        return lost
