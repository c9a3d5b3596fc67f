"""Rows stay small with any names of resources and any length of Azure's messages."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from refresh.records.month import MAX_ROW_BYTES, VmRow
from tests.support.worlds.builders import SUBSCRIPTION

NAMES = st.text(max_size=300)
LEGAL = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9\-]{0,63}\Z")


@given(LEGAL, LEGAL, NAMES, st.none() | NAMES.map(lambda text: text[:80]), st.none() | LEGAL)
def test_a_row_fits_in_400_bytes(group: str, name: str, message: str, wanted: str | None, disk: str | None) -> None:
    """A VM's row has at most 400 bytes and always has VM, decision and reason."""
    vm = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{name}"
    row = VmRow(vm, "failed", "azure-said-no", message, current=disk, next=disk, wanted=wanted).to_json()
    assert len(json.dumps(row)) <= MAX_ROW_BYTES
    assert (row["vm"], row["decision"], row["reason"]) == (vm, "failed", "azure-said-no")
    assert message.startswith(row["message"])
