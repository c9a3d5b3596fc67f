"""What the world is told follows from what people see, and is small."""

from __future__ import annotations

import json

import pytest

from refresh.records.events import MAX_VMS_NAMED, EventType, attention_event, image_event, month_event, outcome_event
from refresh.records.swap import Outcome, OutcomeStatus
from tests.support.worlds.builders import VM_ID

AT = "2026-11-21T10:00:00+00:00"


@pytest.mark.parametrize("status", [status for status in OutcomeStatus if status is not OutcomeStatus.SKIPPED])
def test_every_end_of_a_swap_has_its_type(status: OutcomeStatus) -> None:
    """The type says the outcome's status, the id the run and the type, the time when it ended."""
    outcome = Outcome(VM_ID, "swap-x-7", status, "verified", "m", ended=AT)
    event = outcome_event(outcome)
    assert event is not None
    told = event.to_cloud_event()
    assert told["type"] == f"refresh.swap.{status}"
    assert told["type"] in set(EventType)
    assert (told["id"], told["subject"], told["time"]) == (f"swap-x-7/{told['type']}", VM_ID, AT)
    assert told["data"] == outcome.to_json()


def test_a_swap_that_had_nothing_to_do_is_not_told() -> None:
    """A skipped swap is nobody's news, unless it had been announced."""
    assert outcome_event(Outcome(VM_ID, "swap-x-7", OutcomeStatus.SKIPPED, "already-there", "m")) is None
    called_off = outcome_event(
        Outcome(VM_ID, "swap-x-7", OutcomeStatus.SKIPPED, "on-hold", "m", new_disk="d", ended=AT)
    )
    assert called_off is not None
    assert (called_off.type, called_off.data["status"]) == ("refresh.swap.refused", "skipped")


def test_what_a_swap_needs_on_its_way_does_not_hide_its_end() -> None:
    """A step that needs attention and an end that does have different ids: whoever drops doubles keeps both."""
    early = attention_event(VM_ID, "swap-x-7", "start", "no-capacity", "m", AT)
    end = outcome_event(Outcome(VM_ID, "swap-x-7", OutcomeStatus.NEEDS_ATTENTION, "no-capacity", "m", ended=AT))
    assert end is not None
    assert early.type == end.type
    assert early.id != end.id


def test_a_month_of_many_vms_is_a_small_event() -> None:
    """2,500 VMs that all failed: counted, a hundred of them named worst first, well below what Event Grid takes."""
    failed = [
        {"vm": f"{VM_ID}{n}", "decision": "refuse", "reason": "other-zone", "message": "m" * 200} for n in range(2500)
    ]
    down = {"vm": VM_ID, "decision": "swap", "status": "needs-attention", "reason": "undo-failed", "message": "m"}
    result = {
        "period": "202611",
        "status": "needs-attention",
        "images": [{"decision": "create"}],
        "vms": [*failed, down],
    }
    event = month_event("month-202611-1a2b3c4d", result, AT)
    assert event.type == "refresh.month.completed"
    assert event.data["vms"] == {"refuse": 2500, "needs-attention": 1}
    assert event.data["not_made"][0]["vm"] == VM_ID
    assert len(event.data["not_made"]) == MAX_VMS_NAMED
    assert event.data["not_named"] == 2501 - MAX_VMS_NAMED
    assert len(json.dumps(event.to_cloud_event())) < 64 * 1024


def test_a_month_that_could_not_go_on_is_halted() -> None:
    """A month whose result has a message has a step that was not carried out; it may have no rows at all."""
    event = month_event("month-x", {"period": "202611", "status": "failed", "message": "no list"}, AT)
    assert (event.type, event.data["message"], event.data["vms"]) == ("refresh.month.halted", "no list", {})


@pytest.mark.parametrize(
    ("decision", "admitted", "kind"),
    [
        ("create", True, "refresh.image.published"),
        ("skip", True, "refresh.image.published"),
        ("skip", False, None),
        ("refuse", False, "refresh.image.failed"),
        ("failed", True, "refresh.image.failed"),
    ],
)
def test_a_build_is_told_when_it_made_a_version_or_could_not(decision: str, admitted: bool, kind: str | None) -> None:
    """A version that was ready before is no news; one that an earlier build left and this one admitted is."""
    row = {"definition": "d", "decision": decision, "reason": "r", "message": "m", "version": "1.0.0"}
    event = image_event("build-x", row, AT, admitted=admitted)
    assert (event.type if event else None) == kind
    if event is not None:
        assert (event.id, event.subject, event.data) == (f"build-x/{kind}", "d", {"run": "build-x", **row})
