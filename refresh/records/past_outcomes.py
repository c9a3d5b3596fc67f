"""The state of the entity `past_outcomes`: the whole outcomes of the last swaps that ended, of some of the VMs.

The output of a swap's own instance is the record of its outcome. This one is for instances that Durable cannot read or
that a late second start has replaced.
"""

from __future__ import annotations

from refresh.records.dispatcher_state import OutcomeRow
from refresh.records.rows import ListOf, StoredState
from refresh.records.swap import OutcomeStatus


def is_repeated(row: OutcomeRow, newer: OutcomeRow) -> bool:
    """Whether `newer` is the refusal of `row` once more: of the same VM and swap, for the same reason."""
    same = row.vm.lower() == newer.vm.lower() and (row.reason, row.new_disk) == (newer.reason, newer.new_disk)
    return same and row.status == newer.status == OutcomeStatus.REFUSED


class PastOutcomes(StoredState):
    """The outcomes of one key, oldest first, each with all that an `Outcome` has."""

    outcomes = ListOf(OutcomeRow)
