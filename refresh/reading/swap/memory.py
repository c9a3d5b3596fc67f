"""What the dispatcher remembers of a VM, as a look passes it on.

Decides how a row becomes a `Memory`, and how many VMs are read at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

READS_AT_ONCE = 8


def memory_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """What the dispatcher remembers of a VM, as it came with the VM."""
    return {key: row.get(key, ()) for key in ("ran", "rejected", "over")}
