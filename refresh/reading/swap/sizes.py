"""Reads the VM sizes of a region, at most once in a quarter of an hour for each subscription.

Decides how long a list is used. A list is long and changes seldom, and every swap needs one row of it. Does not know
what a size means for a swap.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol
from weakref import WeakKeyDictionary

from refresh.domain.azure.sizes import VmSize
from refresh.domain.azure.vms import Vm
from refresh.domain.terms.names import region_key
from refresh.reading.calls.paced_reads import Reads

KEPT_S = 900.0

type _Known = dict[tuple[str, str], tuple[float, dict[str, VmSize]]]

_known: WeakKeyDictionary[SizeSource, _Known] = WeakKeyDictionary()


class SizeSource(Protocol):
    """Where VM sizes are read."""

    async def list_sizes(self, subscription: str, location: str) -> Sequence[VmSize]:
        """The VM sizes of a region. GatewayError."""
        ...


async def read_size(source: SizeSource, reads: Reads, vm: Vm) -> VmSize | None:
    """The size of `vm` in its region; None where Azure's list has no such size. GatewayError."""
    subscription, region = vm.id.split("/")[2].lower(), region_key(vm.location)

    async def read() -> dict[str, VmSize]:
        known, now_s = _known.setdefault(source, {}), asyncio.get_running_loop().time()
        at_s, sizes = known.get((subscription, region), (now_s - KEPT_S, {}))
        if now_s - at_s >= KEPT_S:
            sizes = {size.name.lower(): size for size in await source.list_sizes(subscription, vm.location)}
            known[subscription, region] = asyncio.get_running_loop().time(), sizes
        return sizes

    found = await reads.once(f"{subscription}/sizes/{region}", read)
    return (found or {}).get((vm.size or "").lower())
