"""The state of the entity `vm_memory`: what is known about VMs that were not swapped lately.

Decides the names of the parts and the fields of their rows, which are those of the dispatcher's state: see
`dispatcher_state.py`.
"""

from __future__ import annotations

from refresh.records.dispatcher_state import UnprovenRow
from refresh.records.rows import Row, StoredState, TableOf

KEEP_DISKS_RAN = 3


class MemoryRow(Row):
    """What is known about one VM: hashes of the disks it ran, newest last, the one it was proved healthy on, and the
    note that the health of its disk is not proved.

    `n` is the number of the last message about the VM, `noted` that of the message with the note, `settled` that of the
    last message that removed one.
    """

    ran: tuple[str, ...] = ()
    proved: str | None = None
    unproven: UnprovenRow | None = None
    n: int = 0
    noted: int = 0
    settled: int = 0


class VmMemory(StoredState):
    """The VMs of one key, by the hash of their ids, those that were written last at the end."""

    vms = TableOf(MemoryRow.from_json)


def merge_ran(older: tuple[str, ...], newer: tuple[str, ...]) -> tuple[str, ...]:
    """The last disks a VM ran, newest last, from two lists of them."""
    return (*(disk for disk in older if disk not in newer), *newer)[-KEEP_DISKS_RAN:]
