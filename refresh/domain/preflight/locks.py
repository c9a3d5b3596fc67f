"""Whether a lock of somebody's forbids the swap.

Decides which locks stand in the way: read-only ones on the VM, its disks, or anything above them; they stop start and
deallocate too, since those are POSTs. A `CanNotDelete` lock is no obstacle: nothing is deleted. Refuses to know how
locks are read.
"""

from __future__ import annotations

from collections.abc import Iterable

from refresh.domain.azure.locks import Lock
from refresh.domain.preflight.check import Check, Evidence, Promise
from refresh.domain.terms.swap_reason import Reason

NOT_LOCKED = Promise(
    "nothing is locked read-only",
    Reason.LOCKED,
    Evidence.DOCUMENTED,
    "https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources",
    "ScopeLocked",
)


def check_locks(resources: Iterable[str], locks: Iterable[Lock]) -> Check:
    """Whether none of `resources` (ids) may only be read. A level that Azure did not have yet counts as read-only."""
    asked = tuple(resources)
    closed = [
        lock for lock in locks if lock.level.lower() != "cannotdelete" and any(lock.covers(each) for each in asked)
    ]
    named = ", ".join(f"{lock.id.rpartition('/')[2]} on {lock.scope or 'an unknown scope'}" for lock in closed)
    return NOT_LOCKED.judged(not closed, f"read-only lock {named}: have it removed for the time of the swap")
