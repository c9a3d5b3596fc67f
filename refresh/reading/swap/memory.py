"""The part of the dispatcher state that a decision about a VM needs, as a look passes it on.

Decides which keys of a row are taken, and how many VMs are read at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from refresh.records.fulfilled import fact_of

READS_AT_ONCE = 8


def memory_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The keyword arguments of `FactReader.read`, from the row that came with the VM."""
    # A person who asks for the swap knows what others have done to the VM.
    last = None if row.get("asked") else fact_of(row.get("fulfilled"))
    return {**{key: row.get(key, ()) for key in ("ran", "rejected", "over")}, "fulfilled": last}
