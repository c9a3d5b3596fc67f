"""A VM with its facts and the decision about it, for lists, dry runs and counts."""

from __future__ import annotations

from dataclasses import dataclass

from refresh.domain.swap.decision import Decision
from refresh.domain.vm.facts import Facts


@dataclass(frozen=True)
class Seen:
    """One VM, its facts and the decision; `exact` when its power state was read."""

    vm_id: str
    facts: Facts
    decision: Decision
    exact: bool = False
