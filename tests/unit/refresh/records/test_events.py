"""Events follow from the records that people see, and are small."""

from __future__ import annotations

import json

import pytest

from refresh.records.events import MAX_VMS_NAMED, EventType, attention_event, image_event, month_event, outcome_event
from refresh.records.swap import Outcome, OutcomeStatus
from tests.support.worlds.builders import VM_ID

AT = "2026-11-21T10:00:00+00:00"


@pytest.mark.parametrize("status", [status for status in OutcomeStatus if status is not OutcomeStatus.SKIPPED])
def test_every_end_of_a_swap_has_its_type(status: OutcomeStatus) -> None:
    """The type has the outcome's status, the id has run and type, the time is the outcome's end."""
    outcome = Outcome(VM_ID, "swap-x-7", status, "verified", "m", ended=AT)
    event = outcome_event(outcome)
    assert event is not None
    cloud_event = event.to_cloud_event()
    assert cloud_event["type"] == f"refresh.swap.{status}"
    assert cloud_event["type"] in set(EventType)
    assert (cloud_event["id"], cloud_event["subject"], cloud_event["time"]) == (
        f"swap-x-7/{cloud_event['type']}",
        VM_ID,
        AT,
    )
    assert cloud_event["data"] == outcome.to_json()


def test_a_swap_that_had_nothing_to_do_has_no_event() -> None:
    """A skipped swap has no event, unless it was announced."""
    assert outcome_event(Outcome(VM_ID, "swap-x-7", OutcomeStatus.SKIPPED, "already-there", "m")) is None
    called_off = outcome_event(
        Outcome(VM_ID, "swap-x-7", OutcomeStatus.SKIPPED, "on-hold", "m", new_disk="d", ended=AT)
    )
    assert called_off is not None
    assert (called_off.type, called_off.data["status"]) == ("refresh.swap.refused", "skipped")


def test_attention_during_a_swap_and_at_its_end_have_different_ids() -> None:
    """Both events have the same type and different ids, so that a subscriber that drops duplicates keeps both."""
    early = attention_event(VM_ID, "swap-x-7", "start", "no-capacity", "m", AT)
    end = outcome_event(Outcome(VM_ID, "swap-x-7", OutcomeStatus.NEEDS_ATTENTION, "no-capacity", "m", ended=AT))
    assert end is not None
    assert early.type == end.type
    assert early.id != end.id


def test_a_month_of_many_vms_is_a_small_event() -> None:
    """2,500 VMs that all failed are counted, and the worst hundred are listed, far below Event Grid's limit."""
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
def test_a_build_has_an_event_when_it_made_a_version_or_could_not(
    decision: str, admitted: bool, kind: str | None
) -> None:
    """A version that was ready before has no event; a version of an earlier build that this build admitted has one."""
    row = {"definition": "d", "decision": decision, "reason": "r", "message": "m", "version": "1.0.0"}
    event = image_event("build-x", row, AT, admitted=admitted)
    assert (event.type if event else None) == kind
    if event is not None:
        assert (event.id, event.subject, event.data) == (f"build-x/{kind}", "d", {"run": "build-x", **row})
