"""The dispatcher's operations: hints, looks, swaps, rejections, recoveries, pauses and proofs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from refresh.dispatcher.operations import OPERATIONS
from refresh.domain.terms.swap_reason import Reason
from refresh.records.swap import Intent, Outcome, OutcomeStatus
from tests.support.worlds.builders import VM_ID, disk_id
from tests.support.worlds.dispatcher import Json, Played, apply

AT = "2026-11-21T10:00:00+00:00"
LATER = "2026-11-21T10:20:00+00:00"
LAST = "2026-11-21T10:25:00+00:00"
LAST_OF_ALL = "2026-11-21T10:30:00+00:00"
VM = VM_ID.lower()
INTENT = Intent("swap-x-2", True, disk_id("old"), disk_id("new"), agent_spoke=True).to_json()


def play(*operations: tuple[str, Json], state: Json | None = None) -> Played:
    played = Played(state or {})
    for operation, data in operations:
        played = apply(played.state, operation, {"at": AT, **data})
    return played


def looked(state: Json, decision: tuple[str, Json]) -> Played:
    """The effects of `decision` by the look that a new hint started."""
    hinted = play(HINT, state=state)
    look = {"look": hinted.state["look"]["id"]}
    name, data = decision
    return play(("take", look), (name, {**data, **look}), state=hinted.state)


def decided(vm: str = VM_ID, decision: str = "swap", **row: Any) -> tuple[str, Json]:
    rows = [{"vm": vm, "decision": decision, "reason": "wanted", "message": "m", **row}]
    return "decided", {"look": "look-1", "decisions": rows, "budgets": {"max_swaps": 2}}


HINT = ("hint", {"vms": [VM_ID]})
TAKE = ("take", {"look": "look-1"})
CLAIM = ("claim", {"vm": VM_ID, "n": 2})
STEP = ("step", {"vm": VM_ID, "n": 2, "step": "stop", "intent": INTENT})


def finished(status: str = "succeeded", n: int = 2, reason: str = "verified") -> tuple[str, Json]:
    outcome = Outcome(VM_ID, "swap-x-2", OutcomeStatus(status), reason, "m", disk_id("old"), disk_id("new"))
    return "finished", {"vm": VM_ID, "n": n, "outcome": outcome.to_json()}


def test_hints_open_one_look() -> None:
    """The first hint starts a look, further hints start none, and a VM has one hint."""
    first = play(HINT)
    assert [start[:2] for start in first.starts] == [("look", "look-1")]
    assert apply(first.state, "hint", {"vms": [VM_ID.upper(), VM_ID + "2"], "at": AT}).starts == []
    again = apply(first.state, "hint", {"vms": [VM_ID.upper()], "at": AT})
    assert list(again.state["hints"]) == [VM]


def test_a_swap_without_a_record_is_logged_as_an_error() -> None:
    """A lost swap is logged as an error, but not while its VM is being swapped."""
    row = decided(decision="skip", lost="how swap-x-9 ended is not known")
    assert play(HINT, TAKE, row).loud == [f"lost {VM_ID}: how swap-x-9 ended is not known"]
    waiting = play(("pause", {}), HINT, TAKE, decided(), HINT, TAKE)
    assert play(("resume", {}), CLAIM, row, state=waiting.state).loud == []


def test_a_look_takes_hints_until_none_is_left() -> None:
    """A look gets its hints once, keeps them until it has decided, and ends with an empty answer."""
    played = play(HINT, TAKE)
    assert [row["vm"] for row in played.answer["vms"]] == [VM_ID]
    assert apply(played.state, "take", {"look": "look-9", "at": AT}).answer == {"vms": []}
    lost = apply(played.state, *TAKE)
    assert [row["vm"] for row in lost.answer["vms"]] == [VM_ID]
    done = play(decided(decision="skip"), TAKE, state=played.state)
    assert done.answer == {"vms": []}
    assert "look" not in done.state


def test_a_swap_is_started_once_and_claimed_by_its_number() -> None:
    """The decision starts swap number n; only (vm, n) gets the claim, and never after it has finished."""
    played = play(HINT, TAKE, decided())
    ((name, instance_id, payload),) = played.starts
    assert (name, payload) == ("swap_vm", {"vm": VM_ID, "n": 2, "bounded": True})
    assert instance_id.startswith("swap-")
    assert instance_id.endswith("-2")
    assert apply(played.state, "claim", {"vm": VM_ID, "n": 1, "at": AT}).answer["answer"] == "not-yours"
    assert apply(played.state, *CLAIM).answer["answer"] == "yours"
    assert play(CLAIM, finished(), CLAIM, state=played.state).answer["answer"] == "not-yours"


def test_the_intent_is_stored_once() -> None:
    """A second intent for the same claim does not overwrite the first."""
    other = {**INTENT, "new_disk": disk_id("other")}
    played = play(HINT, TAKE, decided(), CLAIM, STEP, ("step", {**STEP[1], "intent": other}), CLAIM)
    assert played.answer["intent"] == INTENT
    assert played.answer["step"] == "stop"


def test_a_hint_during_a_swap_is_kept_for_afterwards() -> None:
    """A tag edit while the VM is being swapped leads to one more look when that swap is over."""
    played = play(HINT, TAKE, decided(), TAKE, CLAIM, HINT)
    assert played.starts == []
    over = apply(played.state, *finished("refused"))
    assert [start[0] for start in over.starts] == ["look"]


def test_a_refused_vm_is_not_looked_at_again_at_once() -> None:
    """Without a newer hint a VM that was refused or needs attention waits for the sweep; others are looked at again."""
    played = play(HINT, TAKE, decided(), TAKE, CLAIM)
    for status, looks in (("refused", 0), ("needs-attention", 0), ("succeeded", 1), ("rolled-back", 1)):
        assert len(apply(played.state, *finished(status)).starts) == looks


def test_an_outcome_is_one_structured_log_line() -> None:
    """Every outcome is logged once, as JSON; one that needs a person is logged as an error."""
    claimed = play(HINT, TAKE, decided(), TAKE, CLAIM)
    well, ill = (apply(claimed.state, *finished(status)) for status in ("succeeded", "needs-attention"))
    (line,), (loud,) = well.lines, ill.loud
    assert json.loads(line.removeprefix("outcome "))["status"] == "succeeded"
    assert json.loads(loud.removeprefix("outcome "))["status"] == "needs-attention"


def test_a_rejection_is_kept_until_the_disk_is_proved_healthy() -> None:
    """A rejected disk and its version come with every later claim of that VM; a verified forced swap clears them."""
    reject = ("reject", {"vm": VM_ID, "n": 2, "disk": disk_id("new"), "version": "/v/1"})
    played = play(HINT, TAKE, decided(), CLAIM, reject, reject, CLAIM)
    assert played.answer["rejected"] == sorted(["/v/1", disk_id("new").lower()])
    assert len(played.state["rejected"]) == 1
    assert apply(played.state, *finished("succeeded")).state["rejected"] == []


def test_a_swap_that_the_app_broke_is_not_started_again_by_its_own_tag_write() -> None:
    """A swap that failed with an error of the app rejects its disk on the VM, so its own tag write starts no other."""
    broken = finished("needs-attention", reason=Reason.APP_FAILED)
    played = play(HINT, TAKE, decided(), CLAIM, STEP, HINT, broken, ("take", {"look": "look-1"}))
    assert played.answer["vms"][0]["rejected"] == [disk_id("new").lower()]
    unprepared = play(HINT, TAKE, decided(), CLAIM, broken)
    assert "rejected" not in unprepared.state


def test_claims_without_an_orchestration_are_recovered_with_a_new_number() -> None:
    """A claim that two sweeps missed and that is older than 15 minutes is recovered under a new n with its intent."""
    gone = ("recover", {"gone": [{"vm": VM, "n": 2}], "at": LATER})
    once = play(HINT, TAKE, decided(), TAKE, CLAIM, STEP, gone)
    assert once.starts == []
    later = {**gone[1], "at": LAST}
    twice = apply(once.state, "recover", later)
    ((name, _, payload),) = twice.starts
    assert (name, payload) == ("swap_vm", {"vm": VM_ID, "n": 3, "bounded": True})
    assert apply(twice.state, *CLAIM).answer["answer"] == "not-yours"
    assert apply(twice.state, "claim", {"vm": VM_ID, "n": 3, "at": LATER}).answer["intent"] == INTENT
    alive = play(("recover", {"gone": [], "at": LAST}), ("recover", {**gone[1], "at": LAST_OF_ALL}), state=once.state)
    assert alive.starts == []


def test_a_dead_looks_hints_are_looked_at_again() -> None:
    """The hints of a look that is open over five minutes go to a new look."""
    played = play(HINT, TAKE, ("recover", {"at": LATER}))
    assert [start[:2] for start in played.starts] == [("look", "look-2")]
    assert list(played.state["hints"]) == [VM]


def test_a_pause_stops_admission_and_nothing_else() -> None:
    """While the app is paused decisions wait in the queue; a resume starts them."""
    paused = play(("pause", {"why": "freeze"}), HINT, TAKE, decided())
    assert paused.starts == []
    assert list(paused.state["queue"]) == [VM]
    assert [start[0] for start in apply(paused.state, "resume", {"at": AT}).starts] == ["swap_vm"]


def test_a_newer_decision_replaces_a_queued_one() -> None:
    """The last decision counts while a VM waits: a skip takes it out of the queue."""
    queued = looked(play(("pause", {}), HINT, TAKE, decided(wanted="a")).state, decided(wanted="b"))
    assert queued.state["queue"][VM]["wanted"] == "b"
    assert looked(queued.state, decided(decision="skip")).state["queue"] == {}


def test_a_decision_is_logged_once() -> None:
    """The same decision about the same wish is logged once."""
    first = play(HINT, TAKE, decided(decision="refuse"))
    assert len(first.lines) == 1
    assert looked(first.state, decided(decision="refuse")).lines == []
    assert len(looked(first.state, decided(decision="refuse", wanted="other")).lines) == 1


@pytest.mark.parametrize("operation", [*OPERATIONS, "nonsense"])
@pytest.mark.parametrize("data", [None, [], "x", {}, {"vms": 7}, {"vms": [7]}, {"vm": 1, "n": "x", "outcome": 3}])
def test_no_input_makes_an_operation_raise_or_lose_state(operation: str, data: Any) -> None:
    """An input that cannot be read is kept under `bad` with a reason; the rest of the state stays."""
    before = play(HINT, TAKE, decided(), CLAIM, STEP).state
    after = apply(before, operation, data).state
    assert {key: after.get(key) for key in ("running", "rejected", "finished")} == {
        key: before.get(key) for key in ("running", "rejected", "finished")
    }


def test_force_counts_for_one_disk_only() -> None:
    """A decision about another disk replaces a forced one that waits, and is not forced."""
    forced = play(("pause", {}), HINT, TAKE, decided(wanted="/disks/bad", force=True))
    assert forced.state["queue"][VM]["force"]
    assert "force" not in looked(forced.state, decided(wanted="/disks/other")).state["queue"][VM]
    assert looked(forced.state, decided(wanted="/disks/bad")).state["queue"][VM]["force"]


def test_a_forced_hint_is_not_answered_by_an_unforced_swap() -> None:
    """A hint with force that comes while its VM waits is looked at after the swap."""
    waiting = play(
        ("pause", {}), HINT, TAKE, decided(wanted="/disks/a"), TAKE, ("hint", {"vms": [VM_ID], "force": True})
    )
    admitted = apply(waiting.state, "resume", {"at": AT}).state
    assert "force" not in admitted["running"][VM]
    assert admitted["hints"][VM]["force"]


def swapped_while_stopped() -> Json:
    """The stored state after a stopped VM was swapped and seen running while the app is paused: its proof waits."""
    outcome = Outcome(
        VM_ID, "swap-x-2", OutcomeStatus.NOT_PROVEN, "was-not-running", "m", disk_id("old"), disk_id("new"), ended=AT
    )
    over = ("finished", {"vm": VM_ID, "n": 2, "outcome": outcome.to_json()})
    seen = decided(decision="skip", reason="already-there", up=True, current="new")
    return looked(play(HINT, TAKE, decided(), TAKE, CLAIM, STEP, over, ("pause", {})).state, seen).state


def test_a_vm_swapped_while_stopped_is_proved_once_it_runs() -> None:
    """The claim of the proof has the swap's intent, as of a running VM, and the time that swap ended."""
    played = apply(swapped_while_stopped(), "resume", {"at": AT})
    n = next(start[2]["n"] for start in played.starts if start[0] == "swap_vm")
    claimed = apply(played.state, "claim", {"vm": VM_ID, "n": n, "at": AT}).answer
    assert (claimed["step"], claimed["proves_since"]) == ("prove", AT)
    assert claimed["intent"] == INTENT


def test_a_newer_wish_is_swapped_and_not_proved() -> None:
    """A wish that comes while a proof waits replaces it: the claim has no old intent to finish."""
    played = apply(looked(swapped_while_stopped(), decided(wanted="newer")).state, "resume", {"at": AT})
    n = next(start[2]["n"] for start in played.starts if start[0] == "swap_vm")
    claimed = apply(played.state, "claim", {"vm": VM_ID, "n": n, "at": AT}).answer
    assert "intent" not in claimed
    assert "proves_since" not in claimed


def test_a_waiting_proof_has_all_it_needs() -> None:
    """A proof that waits in the queue is done though the VM is no longer among the unproven."""
    played = apply({**swapped_while_stopped(), "unproven": {}}, "resume", {"at": AT})
    assert "bad" not in played.state
    assert played.state["queue"] == {}
    assert played.state["running"][VM]["intent"] == INTENT


@pytest.mark.parametrize("row", [{"reason": "vm-gone"}, {"reason": "already-there", "up": True, "current": "other"}])
def test_a_vm_that_is_gone_or_changed_has_nothing_to_prove(row: Json) -> None:
    """A deleted VM, and one that runs another disk, is no longer unproven."""
    assert VM not in looked(swapped_while_stopped(), decided(**{"decision": "skip", **row})).state["unproven"]
