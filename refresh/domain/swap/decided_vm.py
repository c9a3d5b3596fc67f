"""A VM with what is known of it and what was decided, for whoever shows or counts decisions."""

from __future__ import annotations

from dataclasses import dataclass

from refresh.domain.swap.decision import Decision
from refresh.domain.vm.facts import Facts


@dataclass(frozen=True)
class Seen:
    """One VM, the facts about it and the decision; `exact` when its power state is among the facts."""

    vm_id: str
    facts: Facts
    decision: Decision
    exact: bool = False
