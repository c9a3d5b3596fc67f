"""The row about the disk that a VM ran when its tag was last fulfilled.

Decides the fields. The dispatcher's state has the row of VMs that were swapped lately, `vm_memory` that of all others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from refresh.domain.vm.facts import Fulfilled
from refresh.records.rows import Row


class FulfilledRow(Row):
    """The hash of the `disk` that the tag named and the VM ran at time `at`, and of the VM's `vmId` (`vm`).

    Without a `disk` it is not known which disk the app left the VM with. `told` is the hash of the other disk that a
    published refusal was about, or `*` for whichever the VM has.
    """

    disk: str | None = None
    at: str | None = None
    vm: str | None = None
    told: str | None = None


def fact_of(stored: Mapping[str, Any] | None) -> Fulfilled | None:
    """What a stored row says for a decision; None where it names no disk."""
    row = FulfilledRow.from_json(dict(stored or {}))
    return Fulfilled(row.disk, row.at, row.vm) if row.disk is not None else None
