"""The kinds of decision about a VM.

Decides the values that records, the API and logs show. Leaves the decision itself to `domain.swap.decision`.
"""

from __future__ import annotations

from enum import StrEnum


class DecisionKind(StrEnum):
    """What happens to the VM. The value is what people see; it never changes its meaning."""

    SWAP = "swap"
    SKIP = "skip"
    REFUSE = "refuse"
    REVIVE = "revive"
    """Right before a swap only: the VM is down because of an earlier one and is brought up on the disk it has."""
