"""Whether a management lock forbids the swap.

Decides which locks do: read-only ones on the VM, its disks, or any scope above; they also block start and deallocate,
which are POST requests. A `CanNotDelete` lock does not: a swap deletes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from refresh.domain.azure.locks import Lock
from refresh.domain.preflight.check import Check, Condition, Evidence
from refresh.domain.terms.swap_reason import Reason

NOT_LOCKED = Condition(
    "no read-only lock",
    Reason.LOCKED,
    Evidence.DOCUMENTED,
    "https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources",
    "ScopeLocked",
)


def check_locks(resources: Iterable[str], locks: Iterable[Lock]) -> Check:
    """Whether no read-only lock covers any of `resources` (ids). An unknown level of lock counts as read-only."""
    ids = tuple(resources)
    closed = [lock for lock in locks if lock.level.lower() != "cannotdelete" and any(lock.covers(each) for each in ids)]
    named = ", ".join(f"{lock.id.rpartition('/')[2]} on {lock.scope or 'an unknown scope'}" for lock in closed)
    return NOT_LOCKED.judged(not closed, f"read-only lock {named} forbids the swap; remove it for the time of the swap")
