"""Hostile events: Event Grid's message about a VM with hostile values in any field, beside good ones.

Decides what a batch of events has. Does not send it.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.support.chaos.hostile_answers import HALF, IDS, edit, values
from tests.support.worlds.builders import GROUP, VM_ID

_FIELDS: tuple[tuple[str, ...], ...] = (
    *((name,) for name in ("id", "topic", "subject", "eventType", "eventTime", "dataVersion", "metadataVersion")),
    *((name,) for name in ("data", "extra", HALF)),
    *(
        ("data", name)
        for name in ("operationName", "resourceUri", "status", "claims", "authorization", "correlationId")
    ),
)
_OUTSIDE = VM_ID.replace("11111111", "99999999")
_VMS = (*IDS, _OUTSIDE, VM_ID.replace("web01", "gone01"), f"{VM_ID}\0", f"{VM_ID}?x=1", VM_ID.upper(), f"{VM_ID}{HALF}",
        f"{GROUP}/providers/Microsoft.Compute/disks/web01-new", VM_ID.replace("rg-app", ""),
        VM_ID + "x" * 9000)  # fmt: skip


def event(vm: str) -> dict[str, Any]:
    """Event Grid's message about a write of `vm`'s tags."""
    data = {"operationName": "Microsoft.Resources/tags/write", "resourceUri": vm}
    return {"id": "e1", "topic": "/", "subject": vm, "eventType": "Microsoft.Resources.ResourceWriteSuccess",
            "eventTime": "2026-11-21T12:00:01Z", "dataVersion": "2", "metadataVersion": "1", "data": data}  # fmt: skip


def _hostile(vm: str, edits: list[tuple[tuple[str, ...], Any]]) -> dict[str, Any]:
    body = event(vm)
    for field, value in edits:
        edit(body, field, value)
    return body


def batches(good: str) -> st.SearchStrategy[tuple[dict[str, Any], ...]]:
    """One to six events: hostile ones, and one about VM `good` among them."""
    edits = st.lists(st.tuples(st.sampled_from(_FIELDS), values()), max_size=3)
    hostile = st.builds(_hostile, st.sampled_from((*_VMS, good)), edits)
    both = st.tuples(st.lists(hostile, min_size=1, max_size=3), st.lists(hostile, max_size=2))
    return both.map(lambda drawn: (*drawn[0], event(good), *drawn[1]))
