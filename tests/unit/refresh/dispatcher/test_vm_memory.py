"""The entities beside the dispatcher: messages that come again or late, what is too much, what cannot be read."""

from __future__ import annotations

from typing import Any

import pytest

from refresh.dispatcher import past_outcomes, vm_memory
from refresh.domain.terms.resource_id import id_hash
from refresh.records.past_outcomes import PastOutcomes
from refresh.records.vm_memory import KnownVms, MemoryRow, VmMemory

NOTE = {"id": "/vm", "intent": {"new_disk": "/d/b"}, "at": "2026-11-21T10:00:00+00:00"}


class Context:
    """An entity's context with a stored state; keeps what is stored and signalled."""

    def __init__(self, operation: str, stored: Any) -> None:
        self.operation, self.stored, self.signals = operation, stored, list[Any]()

    def get_state(self, *_: Any) -> Any:
        """The stored state."""
        return self.stored

    def set_state(self, state: Any) -> None:
        """Store another state."""
        self.stored = state

    def signal_entity(self, entity: Any, operation: str, data: Any) -> None:
        """Keep a signal."""
        self.signals.append((str(entity), str(operation), data))


def keep(state: VmMemory, n: int, vm: str = "ab01", **contents: Any) -> Any:
    return vm_memory.keep(state, {"n": n, "at": "t", "vms": {vm: contents}})


def row(state: VmMemory, vm: str = "ab01") -> MemoryRow:
    return state.vms[vm]


def test_an_older_message_that_comes_late_changes_nothing_and_is_answered() -> None:
    """What a VM ran later stays the newest."""
    state = VmMemory()
    keep(state, 5, ran=["a", "b", "c"])
    keep(state, 9, ran=["d"], proved="d")
    assert keep(state, 5, ran=["a", "b", "c"]) == {"n": 5, "vms": ["ab01"], "at": "t"}
    assert (row(state).ran, row(state).proved, row(state).n) == (("b", "c", "d"), "d", 9)


@pytest.mark.parametrize("late", [False, True])
def test_a_note_that_was_removed_does_not_come_back_with_its_message(late: bool) -> None:
    """The removal has a higher number than the message with the note, whichever comes first."""
    state = VmMemory()
    if not late:
        keep(state, 5, unproven=NOTE)
    vm_memory.settle(state, {"n": 7, "vm": "ab01"})
    keep(state, 5, unproven=NOTE)
    assert row(state).unproven is None


def test_a_removal_that_comes_late_leaves_a_newer_note() -> None:
    """The VM was swapped once more while stopped; messages after that brought no note."""
    state = VmMemory()
    keep(state, 9, unproven=NOTE)
    keep(state, 11, ran=["a"])
    vm_memory.settle(state, {"n": 7, "vm": "ab01"})
    assert row(state).unproven is not None
    vm_memory.settle(state, {"n": 12, "vm": "ab01"})
    assert row(state).unproven is None
    assert row(state).ran == ("a",)


def test_the_oldest_vms_leave_a_full_memory() -> None:
    """A VM that was written again counts as new."""
    state = VmMemory()
    for number in range(vm_memory.KEEP_VMS):
        keep(state, number + 1, f"{number:04}", ran=["a"])
    keep(state, 1000, "0000", ran=["b"])
    keep(state, 1001, "new", ran=["a"])
    assert len(state.vms) == vm_memory.KEEP_VMS
    assert ("0000" in state.vms, "0001" in state.vms, "new" in state.vms) == (True, False, True)


def test_the_memory_answers_the_dispatcher_and_stores_what_it_was_sent() -> None:
    """The answer has number, VMs and time of the message."""
    context: Any = Context("keep", None)
    vm_memory.vm_memory(context, {"n": 3, "at": "t", "vms": {"ab01": {"ran": ["a"]}}})
    assert context.signals == [("@dispatcher@app", "kept", {"n": 3, "vms": ["ab01"], "at": "t"})]
    assert context.stored == {"vms": {"ab01": {"ran": ["a"], "n": 3}}}


@pytest.mark.parametrize(
    ("operation", "data"),
    [
        ("keep", None),
        ("keep", {"n": 1}),
        ("keep", {"n": 1, "vms": {"x": 1}}),
        ("settle", {}),
        ("nonsense", {}),
        ("", 3),
    ],
)
@pytest.mark.parametrize("entity", [vm_memory.vm_memory, past_outcomes.past_outcomes])
def test_what_cannot_be_read_is_not_answered_and_changes_nothing(
    entity: Any, operation: str, data: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The entity does not raise: that would lose the other operations of its batch."""
    stored = {"vms": {"ab01": {"ran": ["a"], "n": 3}}}
    context: Any = Context(operation, stored)
    entity(context, data)
    assert (context.signals, context.stored) == ([], stored)
    assert "could not read operation" in caplog.text


def outcome(run: str, **more: Any) -> dict[str, Any]:
    return {"outcome": {"vm": "/vm", "run": run, "status": "succeeded", "evidence": ["e"], **more}}


def test_an_outcome_is_found_by_its_run_until_thirty_newer_ones_came() -> None:
    """With all that it has; one that comes again replaces itself."""
    state = PastOutcomes()
    for number in range(1, 31):
        past_outcomes.keep(state, outcome(f"swap-{number}"))
    past_outcomes.keep(state, outcome("swap-1", by_hand=["az"]))
    assert len(state.outcomes) == 30
    assert past_outcomes.find(state, {"run": "swap-1"}) == outcome("swap-1", by_hand=["az"])
    past_outcomes.keep(state, outcome("swap-31"))
    assert past_outcomes.find(state, {"run": "swap-2"}) == {}
    assert past_outcomes.find(PastOutcomes(), {"run": "swap-1"}) == {}


def test_asking_for_an_outcome_creates_no_state() -> None:
    """The entity answers, and nothing is stored."""
    context: Any = Context("find", None)
    assert past_outcomes.past_outcomes(context, {"run": "swap-1"}) == {}
    assert context.stored is None


def test_a_reader_counts_the_dispatchers_disks_as_newer() -> None:
    """Three disks at most, newest last, each once."""
    known = KnownVms({id_hash("/vm"): MemoryRow(ran=("a", "b", "c"))})
    assert known.ran_of("/VM", ["d", "b"]) == ("c", "d", "b")
    assert known.ran_of("/other", ["d"]) == ("d",)
