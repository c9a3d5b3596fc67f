"""Starts that fail because Azure has no capacity for the VM.

Decides which error codes mean that. Then no disk is at fault, and the VM could not start on the old disk either: the
start is retried. https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/allocation-failure
"""

from __future__ import annotations

from refresh.domain.azure.polls import NO_CAPACITY

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
    """Whether `code` means no capacity. OperationNotAllowed, which quota refusals may have as well, is too general."""
    return code in CODES


def pause_s(waited_s: float) -> float:
    """Seconds until the next try after `waited_s` seconds without capacity: growing, ten minutes at most."""
    return min(max(NO_CAPACITY.every_s, waited_s / 4), NO_CAPACITY.longest_s or NO_CAPACITY.every_s)
