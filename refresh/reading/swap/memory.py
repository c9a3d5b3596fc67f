"""The part of the dispatcher state that a decision about a VM needs, as a look passes it on.

Decides which keys of a row are taken, and how many VMs are read at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from refresh.domain.terms import resource_id
from refresh.domain.vm.facts import Fulfilled
from refresh.records.fulfilled import fact_of

READS_AT_ONCE = 8


def memory_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The keyword arguments of `FactReader.read`, from the row that came with the VM."""
    return {
        **{key: row.get(key, ()) for key in ("ran", "rejected", "over")},
        "fulfilled": _fulfilled_of(row),
    }


def _fulfilled_of(row: Mapping[str, Any]) -> Fulfilled | None:
    """The last fulfilled tag; None where a person has `asked` for the swap to that disk (`wanted`, if it is known)."""
    last, wanted = fact_of(row.get("fulfilled")), row.get("wanted")
    is_asked = bool(row.get("asked")) and (not wanted or last is None or resource_id.id_hash(wanted) == last.disk)
    return None if is_asked else last
