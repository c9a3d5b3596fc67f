"""The part of the dispatcher state that a decision about a VM needs, as a look passes it on.

Decides which keys of a row are taken, and how many VMs are read at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

READS_AT_ONCE = 8


def memory_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The keyword arguments of `FactReader.read`, from the row that came with the VM."""
    return {key: row.get(key, ()) for key in ("ran", "rejected", "over")}
