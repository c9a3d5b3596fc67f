"""The row about the disk that a VM ran when its tag was last fulfilled.

Decides the fields. `vm_memory` has the rows of all VMs, the dispatcher's state those that were written last.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from refresh.domain.vm.facts import Fulfilled
from refresh.records.rows import Row


class FulfilledRow(Row):
    """The `disk` (`disk_key`) that the tag named and the VM ran at time `at`.

    Without a `disk` it is not known which disk the app left the VM with. `told` is the other disk that a published
    refusal was about.
    """

    disk: str | None = None
    at: str | None = None
    told: str | None = None


def fact_of(stored: Mapping[str, Any] | None) -> Fulfilled | None:
    """What a stored row says for a decision; None where it names no disk."""
    row = FulfilledRow.from_json(dict(stored or {}))
    return Fulfilled(row.disk, row.at) if row.disk is not None else None


def read_keys(filled: str) -> tuple[str, ...]:
    """The keys of `vm_memory` in the text of the dispatcher's state that has two digits for each."""
    return tuple(filled[start : start + 2] for start in range(0, len(filled), 2))
