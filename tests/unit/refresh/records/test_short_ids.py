"""A state is stored without the parts that its resource ids have in common, and read back as it was."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from refresh.records.dispatcher_state import DispatcherState
from refresh.records.short_ids import IDS, restore_ids, shorten_ids

GROUP = "/subscriptions/8c3e1d52-6a0f-4b7e-9d24-51f0a6c7be93/resourceGroups/rg-app"
VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/web01"
VERSION = f"{GROUP}/providers/Microsoft.Compute/galleries/g/images/i/versions/1.0.0"
TEXTS = st.one_of(
    st.text(max_size=8),
    st.text(alphabet="~/a1", max_size=12),
    st.sampled_from(
        [VM, VM.lower(), GROUP, f"{GROUP}/providers/Microsoft.Compute/galleries/g/images/i/versions/1.0.0"]
    ),
    st.lists(st.sampled_from(["", "subscriptions", "resourceGroups", "providers", "~0", "x"]), max_size=12).map(
        "/".join
    ),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)
STATES = st.dictionaries(TEXTS.filter(lambda name: name != IDS), VALUES, max_size=5)


@given(STATES)
@example({"queue": {VM.lower(): {"id": VM}}, "said": {"~0~1~x": "~"}})
def test_a_state_is_read_back_as_it_was(state: dict[str, Any]) -> None:
    """Any JSON comes back whole, key for key, texts that look like a short id included."""
    stored = json.loads(json.dumps(shorten_ids(state)))
    assert restore_ids(stored) == state


def test_common_parts_are_stored_once() -> None:
    """A thousand VMs cost little more than their names; each resource group and type is stored once."""
    vms = [f"{VM}-{number:04}" for number in range(1000)]
    stored = shorten_ids({"vms": vms})
    assert stored[IDS] == [GROUP, "providers/Microsoft.Compute/virtualMachines"]
    assert len(json.dumps(stored)) < 1000 * len('"~0~1~web01-0000", ') + 300


def test_a_part_without_ids_stays_as_it_is() -> None:
    """A part that is named as one without ids is neither read nor copied."""
    said = {"~a": "/b"}
    stored = shorten_ids({"said": said}, frozenset({"said"}))
    assert stored["said"] is said
    assert restore_ids(stored, frozenset({"said"}))["said"] is said


@pytest.mark.parametrize("text", ["~0~1~web01", "~~", "~"])
def test_a_state_of_an_older_app_is_read_as_it_is(text: str) -> None:
    """A state that was stored with whole ids has no list of them: its texts have no other meaning."""
    state = {"queue": {VM.lower(): {"id": VM, "note": text}}}
    assert DispatcherState(state).json == state
    assert DispatcherState(DispatcherState(state).stored()).json == state


def test_a_paused_app_stores_whole_ids() -> None:
    """An older version that is deployed while the app is paused can read the state; after a resume ids are short."""
    state = {"queue": {VM.lower(): {"id": VM}}, "paused": {"since": "2026-11-21T12:00:00+00:00", "why": "upgrade"}}
    assert DispatcherState(DispatcherState(state).stored()).stored() == state
    resumed = {"queue": state["queue"]}
    assert IDS in DispatcherState(resumed).stored()
