"""The state of the entity `vm_memory`: what is known about VMs that were not swapped lately.

Decides the names of the parts and the fields of their rows, which are those of the dispatcher's state: see
`dispatcher_state.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from refresh.domain.terms.resource_id import id_hash
from refresh.records.dispatcher_state import DispatcherState, UnprovenRow, WayRow
from refresh.records.fulfilled import FulfilledRow
from refresh.records.rows import Row, StoredState, TableOf

KEEP_DISKS_RAN = 3


class RefusedRow(Row):
    """The last refusal of a swap that has been announced: its reason, and `print_of` the VM then."""

    reason: str
    about: str


class MemoryRow(Row):
    """What is known about one VM: hashes of the disks it ran, newest last, the one it was proved healthy on, the note
    that the health of its disk is not proved, its way back, and the hash of the image version that it was rolled back
    from by a person. `fulfilled` is about its last fulfilled tag.

    `n` is the number of the last message about the VM, `noted` that of the message with the note, `settled` that of the
    last message that removed one. `told` is what of the VM's refusals has been logged, `refused` the refusal that was
    announced; `told_n` and `refused_n` are the numbers of the messages with them.
    """

    ran: tuple[str, ...] = ()
    proved: str | None = None
    fulfilled: FulfilledRow | None = None
    unproven: UnprovenRow | None = None
    way: WayRow | None = None
    declined: str | None = None
    n: int = 0
    noted: int = 0
    settled: int = 0
    told: str | None = None
    told_n: int = 0
    refused: RefusedRow | None = None
    refused_n: int = 0


class VmMemory(StoredState):
    """The VMs of one key, by the hash of their ids, those that were written last at the end."""

    vms = TableOf(MemoryRow.from_json)


@dataclass(frozen=True)
class KnownVms:
    """What was read of `vm_memory`, by the hash of VM ids. A VM is absent when nothing is known about it there."""

    rows: Mapping[str, MemoryRow] = field(default_factory=dict)

    def ran_of(self, vm_id: str, newer: Iterable[str] = ()) -> tuple[str, ...]:
        """The last disks (hashes) that a VM ran, newest last; `newer` are those in the dispatcher's state."""
        row = self.rows.get(id_hash(vm_id))
        return merge_ran(row.ran if row is not None else (), tuple(newer))

    def fulfilled_of(self, vm_id: str, newer: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
        """The row about the last fulfilled tag of a VM, as JSON; `newer` is that of the dispatcher's state."""
        row = self.rows.get(id_hash(vm_id))
        older = row.fulfilled.json if row is not None and row.fulfilled is not None else None
        return dict(newer) if newer is not None else older

    def note_about(self, vm_id: str) -> UnprovenRow | None:
        """The note that the health of the VM's disk is not proved."""
        row = self.rows.get(id_hash(vm_id))
        return row.unproven if row is not None else None

    def way_of(self, vm_id: str, newer: WayRow | None = None) -> WayRow | None:
        """The way back of a VM; `newer` is that in the dispatcher's state."""
        row = self.rows.get(id_hash(vm_id))
        return newer or (row.way if row is not None else None)

    def declined_by(self, vm_id: str, newer: str | None = None) -> str | None:
        """The hash of the image version that a VM was rolled back from; `newer` is that in the dispatcher's state."""
        row = self.rows.get(id_hash(vm_id))
        return newer or (row.declined if row is not None else None)

    def told_of(self, vm_id: str) -> str | None:
        """What of the VM's refusals has been logged."""
        row = self.rows.get(id_hash(vm_id))
        return row.told if row is not None else None

    def refusal_of(self, vm_id: str) -> RefusedRow | None:
        """The last refusal of a swap of the VM that has been announced."""
        row = self.rows.get(id_hash(vm_id))
        return row.refused if row is not None else None

    def unproven(self) -> list[UnprovenRow]:
        """Every such note."""
        return [row.unproven for row in self.rows.values() if row.unproven is not None]

    def put_back(self, state: DispatcherState) -> DispatcherState:
        """`state` with these VMs in it; what it has itself counts more, and no disk that a VM ran is left out."""
        whole = DispatcherState(state.json)
        for vm_hash, row in self.rows.items():
            if row.ran:
                whole.ran[vm_hash] = tuple(dict.fromkeys((*row.ran, *state.ran.get(vm_hash, ()))))
            if row.proved is not None and vm_hash not in state.proved:
                whole.proved[vm_hash] = row.proved
            if row.unproven is not None and row.unproven.id.lower() not in state.unproven:
                whole.unproven[row.unproven.id.lower()] = row.unproven
        return whole


def merge_ran(older: tuple[str, ...], newer: tuple[str, ...]) -> tuple[str, ...]:
    """The last disks a VM ran, newest last, from two lists of them."""
    return (*(disk for disk in older if disk not in newer), *newer)[-KEEP_DISKS_RAN:]
