"""Operations of the dispatcher that come again, or after a later one: the newer one counts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.worlds.builders import VM_ID, disk_id
from tests.support.worlds.dispatcher import Json, Played, apply
from tests.unit.refresh.dispatcher.test_operations import AT, CLAIM, HINT, INTENT, TAKE, VM, decided, finished, play

NEXT = "2026-11-21T10:10:00+00:00"
LAST = "2026-11-21T10:20:00+00:00"


def claimed() -> Json:
    """The stored state with swap 2 of the VM under way."""
    return play(HINT, TAKE, decided(), TAKE, CLAIM).state


def step(name: str, at: str = AT, **more: Any) -> tuple[str, Json]:
    """A step of swap 2."""
    return "step", {"vm": VM_ID, "n": 2, "step": name, "at": at, **more}


def switch(operation: str, at: str | None, key: str | None = None) -> tuple[str, Json]:
    """A pause or a resume."""
    return operation, {"at": at, "why": "w", **({"id": key} if key else {})}


@pytest.mark.parametrize(
    ("switches", "paused"),
    [
        ([switch("pause", AT), switch("resume", NEXT), switch("pause", AT)], False),
        ([switch("resume", NEXT), switch("pause", AT)], False),
        ([switch("resume", AT), switch("pause", NEXT), switch("resume", AT)], True),
        ([switch("pause", NEXT), switch("resume", AT)], True),
        ([switch("pause", AT, "a"), switch("resume", AT, "b"), switch("pause", AT, "a")], False),
        ([switch("pause", None, "a"), switch("resume", AT, "b"), switch("pause", None, "a")], False),
        ([switch("pause", AT), switch("resume", None)], False),
        ([switch("resume", AT), switch("pause", None)], True),
    ],
)
def test_the_last_pause_or_resume_counts_whenever_it_arrives(switches: list[tuple[str, Json]], paused: bool) -> None:
    """A pause that comes again or late undoes no newer resume, and vice versa; one without a time counts."""
    assert ("paused" in play(*switches).state) == paused


def test_of_a_pause_and_a_resume_within_arms_clock_skew_the_pause_counts() -> None:
    """A pause that seems a second older than the resume before it counts: ARM's clocks differ by that much."""
    assert "paused" in play(switch("resume", "2026-11-21T10:00:01+00:00"), switch("pause", AT)).state


def test_a_step_that_comes_late_does_not_undo_a_later_one() -> None:
    """Steps of one run that arrive in any order leave the furthest step and the newest time."""
    late = play(step("intent", intent=INTENT), step("start", NEXT), step("stop"), step("notice"), state=claimed())
    assert (late.state["running"][VM]["step"], late.state["running"][VM]["since"]) == ("start", NEXT)
    back = play(step("undo", NEXT), step("undo-stop", NEXT), step("undo", NEXT), step("health"), state=late.state)
    assert back.state["running"][VM]["step"] == "undo-stop"


def test_a_recovery_starts_its_steps_again() -> None:
    """The first step of the new number counts although it is an earlier step; later steps of the old number do not."""
    gone = {"gone": [{"vm": VM, "n": 2}]}
    started = play(step("intent", intent=INTENT), step("start"), state=claimed())
    dead = play(("recover", {**gone, "at": NEXT}), ("recover", {**gone, "at": LAST}), state=started.state)
    again = play(("step", {"vm": VM_ID, "n": 3, "step": "stop", "at": LAST}), step("health"), state=dead.state)
    assert again.state["running"][VM]["step"] == "stop"


def test_an_attention_is_logged_once_and_survives_a_late_step() -> None:
    """A repeated attention is not logged again, and a late message of the same step does not remove it."""
    worried = step("start", NEXT, attention="no room", attention_reason="no-capacity")
    first = play(step("intent", intent=INTENT), worried, state=claimed())
    assert len(first.loud) == 1
    assert apply(first.state, *worried).loud == []
    assert apply(first.state, *step("start")).state["running"][VM]["attention"] == "no room"
    assert "attention" not in apply(first.state, *step("health", LAST)).state["running"][VM]


def test_a_pause_during_a_notice_counts_although_the_notice_step_is_late() -> None:
    """The intent has the fact that there was a notice, because the notice step can arrive after it."""
    intent_step = step("intent", NEXT, intent=INTENT, noticed=True)
    assert play(switch("pause", AT), intent_step, state=claimed()).answer == {"ok": False, "paused": True}
    assert play(switch("pause", AT), step("intent", NEXT, intent=INTENT), state=claimed()).answer == {"ok": True}


def test_decisions_that_come_again_put_nothing_back_into_the_queue() -> None:
    """After a swap only the decision of the new batch counts, and no hint is lost."""
    answer = decided(wanted=disk_id("new"))
    over = play(HINT, TAKE, ("decided", {**answer[1], "batch": 1}), CLAIM, finished(), ("take", {"look": "look-1"}))
    assert over.answer["batch"] == 2
    again = apply(over.state, "decided", {**answer[1], "batch": 1, "at": NEXT})
    assert (again.answer, again.starts, again.state["queue"]) == ({"vms": []}, [], {})
    assert list(again.state["look"]["taken"]) == [VM]
    newer = decided(decision="skip", reason="already-there")
    done = apply(again.state, "decided", {**newer[1], "batch": 2, "at": NEXT})
    assert (done.answer, done.state["look"]["taken"]) == ({"vms": [VM]}, {})


def test_a_look_that_was_replaced_decides_nothing() -> None:
    """Its late decisions change neither the queue nor the hints that the new look has taken, and it gets no hints."""
    replaced = play(HINT, TAKE, ("recover", {"at": NEXT}), ("take", {"look": "look-2"}))
    late = apply(replaced.state, *decided())
    assert (late.answer, late.starts) == ({"vms": []}, [])
    assert late.state["look"]["taken"] == replaced.state["look"]["taken"]
    assert apply(late.state, "take", {"look": "look-1", "at": NEXT}).answer == {"vms": []}


def test_a_look_of_an_older_app_names_no_batch_and_counts() -> None:
    """A look from before a deployment, which names no batch, still counts."""
    older = {"look": {"id": "look-1", "since": AT, "taken": {VM: {"id": VM_ID}}}, "seq": 1}
    played = apply(older, *decided())
    assert (played.answer, [start[0] for start in played.starts]) == ({"vms": [VM]}, ["swap_vm"])


def test_a_hint_that_is_taken_again_keeps_every_reply_to() -> None:
    """A newer hint for a VM that a look has taken adds to it when both are taken."""
    first = ("hint", {"vms": [VM_ID], "reply_to": "swaps-1"})
    more = ("hint", {"vms": [VM_ID], "reply_to": "swaps-2"})
    played: Played = play(first, TAKE, more, TAKE)
    assert played.answer["vms"][0]["reply_to"] == ["swaps-1", "swaps-2"]


def test_a_dead_look_is_replaced_sooner_when_its_orchestration_is_gone() -> None:
    """An open look without orchestration is replaced after a minute, with its hints; another look's end is ignored."""
    open_look = play(HINT, TAKE).state
    soon = "2026-11-21T10:02:00+00:00"
    assert apply(open_look, "recover", {"at": soon}).starts == []
    assert apply(open_look, "recover", {"at": soon, "look": "look-9"}).starts == []
    replaced = apply(open_look, "recover", {"at": soon, "look": "look-1"})
    assert [start[1] for start in replaced.starts] == ["look-2"]
    assert replaced.state["hints"] == {VM: {"id": VM_ID, "deaths": 1}}
    young = "2026-11-21T10:00:30+00:00"
    assert apply(open_look, "recover", {"at": young, "look": "look-1"}).starts == []


def test_a_look_that_began_in_the_future_is_replaced_like_any_other() -> None:
    """An event can name any time; from the next sweep on the look's age counts."""
    state = play(("hint", {"vms": [VM_ID], "at": "2099-01-01T00:00:00+00:00"}), TAKE).state
    seen = apply(state, "recover", {"at": "2026-11-21T10:02:00+00:00", "look": "look-1"})
    assert seen.starts == []
    replaced = apply(seen.state, "recover", {"at": "2026-11-21T10:07:00+00:00", "look": "look-1"})
    assert [start[1] for start in replaced.starts] == ["look-2"]
    assert replaced.state["hints"] == {VM: {"id": VM_ID, "deaths": 1}}


def test_one_sweep_counts_once() -> None:
    """The report of one sweep that comes again, or after a later one, does not make a claim missed twice."""
    gone = {"gone": [{"vm": VM, "n": 2}]}
    once = play(("recover", {**gone, "at": LAST}), state=claimed())
    for at in (LAST, NEXT):
        again = apply(once.state, "recover", {**gone, "at": at})
        assert (again.state["running"][VM]["missing"], again.starts) == (1, [])


def test_a_rejection_that_comes_again_does_not_outlive_a_newer_success() -> None:
    """A disk that was proved healthy by a later forced swap stays unrejected."""
    reject = ("reject", {"vm": VM_ID, "n": 2, "disk": disk_id("new"), "version": None})
    rejected = play(reject, finished("rolled-back"), state=claimed()).state
    rejected["running"] = {VM: {"id": VM_ID, "n": 5}}
    proved = play(finished("succeeded", 5), state=rejected).state
    assert proved["rejected"] == []
    late = apply(proved, *reject)
    assert (late.answer["ok"], late.state["rejected"]) == (False, [])


def test_a_hint_with_force_that_comes_again_forces_nothing_newer() -> None:
    """A forced signal that comes again is a plain hint; the signal of another run forces again."""
    forced = {"vms": [VM_ID], "force": True, "reply_to": "swaps-1", "at": AT}
    played = play(("hint", forced), TAKE, decided(decision="skip"), ("hint", forced))
    assert played.state["hints"] == {VM: {"id": VM_ID, "reply_to": ["swaps-1"]}}
    other = apply(played.state, "hint", {**forced, "reply_to": "swaps-2"})
    assert other.state["hints"][VM]["force"]


def test_a_self_check_that_began_earlier_does_not_replace_a_later_one() -> None:
    """The late result of an earlier self-check is ignored; one without begin time, of an older app, is replaced."""

    def result(run: str, began: str | None, at: str) -> tuple[str, Json]:
        found = {"package": "p", "bundle": "b", "ok": True, "run": run, "checks": []}
        return "selfchecked", {"verdict": {**found, **({"began": began} if began else {})}, "at": at}

    kept = play(result("selfcheck-2", NEXT, NEXT), result("selfcheck-1", AT, LAST))
    assert kept.state["selfcheck"]["run"] == "selfcheck-2"
    assert apply(kept.state, *result("selfcheck-2", NEXT, NEXT)).lines == []
    older = play(result("selfcheck-1", None, AT), result("selfcheck-2", AT, NEXT))
    assert older.state["selfcheck"]["run"] == "selfcheck-2"
