"""A short text that changes when something about a VM and its wish changes, so that a notice is given once.

Decides what counts as a change: the VM itself, its OS disk, its size, its tags and the disk that they name; not its
power state, nor the mark of a swap.
"""

from __future__ import annotations

from refresh.domain.azure.vms import Vm
from refresh.domain.terms import resource_id, tags
from refresh.domain.vm.wish import Wish


def print_of(vm: Vm, wish: Wish) -> str:
    """The same text for the same VM and wish."""
    kept = {name.lower(): value for name, value in vm.tags.items() if name.lower() != tags.REFRESH_STATE.lower()}
    parts = (vm.id, vm.unique_id, vm.os_disk_id, vm.size, wish.disk_id or wish.text, sorted(kept.items()))
    return resource_id.id_hash("\n".join(map(str, parts)))
