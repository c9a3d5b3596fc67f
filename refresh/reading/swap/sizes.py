"""Reads the VM sizes of a region.

Decides how long a list is used for warnings. A list is long and changes seldom, and every swap needs one row of it.
Does not know what a size means for a swap.
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
        sizes = {size.name.lower(): size for size in await source.list_sizes(subscription, vm.location)}
        _known.setdefault(source, {})[subscription, region] = asyncio.get_running_loop().time(), sizes
        return sizes

    return _named(await reads.once(f"{subscription}/sizes/{region}", read), vm)


async def read_known_size(source: SizeSource, reads: Reads, vm: Vm) -> VmSize | None:
    """The same from a list that may be some minutes old: enough for a warning."""
    key = vm.id.split("/")[2].lower(), region_key(vm.location)
    at_s, sizes = _known.get(source, {}).get(key, (-KEPT_S, {}))
    if asyncio.get_running_loop().time() - at_s < KEPT_S:
        return _named(sizes, vm)
    return await read_size(source, reads, vm)


def _named(sizes: dict[str, VmSize] | None, vm: Vm) -> VmSize | None:
    return (sizes or {}).get((vm.size or "").lower())
