"""When Azure has no room for a VM that is to start.

Decides which of Azure's codes say so. Then no disk is to blame, and the old one could not start either: what helps is
to go on asking. https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/allocation-failure
"""

from __future__ import annotations

from refresh.domain.azure.polls import NO_ROOM

CODES = frozenset(
    {
        "AllocationFailed",
        "ZonalAllocationFailed",
        "OverconstrainedAllocationRequest",
        "OverconstrainedZonalAllocationRequest",
        "SkuNotAvailable",
        "QuotaExceeded",
    }
)


def is_capacity(code: str | None) -> bool:
    """Whether `code` says that Azure has no room; quota refusals come as OperationNotAllowed too, which says less."""
    return code in CODES


def pause_s(waited_s: float) -> float:
    """Seconds until the next try after `waited_s` seconds without room: longer and longer, ten minutes at most."""
    return min(max(NO_ROOM.every_s, waited_s / 4), NO_ROOM.longest_s or NO_ROOM.every_s)
