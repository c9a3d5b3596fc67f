"""The state of the entity `past_outcomes`: the whole outcomes of the last swaps that ended, of some of the VMs.

The output of a swap's own instance is the record of its outcome. This one is for instances that Durable cannot read or
that a late second start has replaced.
"""

from __future__ import annotations

from refresh.records.dispatcher_state import OutcomeRow
from refresh.records.rows import ListOf, StoredState


class PastOutcomes(StoredState):
    """The outcomes of one key, oldest first, each with all that an `Outcome` has."""

    outcomes = ListOf(OutcomeRow)
