"""The VM record and the order of VMs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.vms import Power, Vm
from refresh.domain.preflight.all_checks import CONDITIONS
from refresh.domain.preflight.provenance import Policy
from refresh.domain.swap.decided_vm import DecidedVm
from refresh.domain.swap.decision import decide_swap
from refresh.domain.terms.intent_tag import write_intent_tag
from refresh.domain.vm.facts import Facts
from refresh.domain.vm.wish import choose_wish
from refresh.records.durable_names import swap_id
from refresh.views.vms import RECORD, MadeDisks, Rank, attention, plan_record, rank_of, vm_record
from tests.support.worlds.builders import (
    GALLERY,
    VERSION_ID,
    VM_ID,
    disk_id,
    make_current,
    make_definition,
    make_disk,
    make_version,
    make_vm,
)
from tests.support.worlds.dispatcher import view_of

NOTHING_MADE = MadeDisks()
MARK = write_intent_tag(swap_id(VM_ID, 1), True, "web01-old", "web01-202611")


def see(vm: Vm, wanted: Disk | None = None, *, exact: bool = True) -> DecidedVm:
    wish = choose_wish(vm, ())
    facts = Facts(vm, wish, make_current(), wanted, make_version(), make_definition())
    return DecidedVm(vm.id, facts, decide_swap(facts, Policy()), exact=exact)


def made(name: str, at: str, **fields: Any) -> Disk:
    return make_disk(name, tags={"RefreshVm": "WEB01"}, time_created=at, **fields)


def test_a_record_has_every_field_even_where_nothing_is_known() -> None:
    """A VM without tags of its own shows all fields of the record, the unknown ones as null."""
    record = vm_record(see(make_vm()), view_of(), NOTHING_MADE)
    assert tuple(record) == RECORD
    assert record["decision"] == "skip"
    assert record["reason"] == "no-wish"
    assert [name for name in RECORD if record[name] is None] == ["wanted", "previous", "next", "run"]


def test_previous_is_shown_as_the_disk_it_stands_for() -> None:
    """A tag with the value @previous is shown as the disk's name."""
    vm = make_vm({"OsDiskName": "@previous", "OsDiskPrevious": "web01-older"})
    record = vm_record(see(vm, make_disk("web01-older")), view_of(), NOTHING_MADE)
    assert (record["wanted"], record["previous"]) == ("web01-older", "web01-older")


def test_the_record_of_a_vm_that_is_being_swapped_shows_its_run_and_step() -> None:
    """The record of a VM that is being swapped has its run and step, whatever its tags are."""
    dispatcher = view_of({"running": {VM_ID.lower(): {"id": VM_ID, "n": 7, "step": "stop"}}})
    record = vm_record(see(make_vm()), dispatcher, NOTHING_MADE)
    assert (record["decision"], record["reason"]) == ("swap", "swapping")
    assert str(record["run"]).endswith("-7")
    assert "stop" in record["message"]


def test_the_record_of_a_waiting_vm_has_the_reason_it_waits() -> None:
    """The record of a queued VM has the reason why its swap has not started."""
    dispatcher = view_of({"queue": {VM_ID.lower(): {"id": VM_ID}}, "paused": {"why": "friday"}})
    record = vm_record(see(make_vm({"OsDiskName": "web01-202611"}), make_disk()), dispatcher, NOTHING_MADE)
    assert record["decision"] == "swap"
    assert "paused (friday)" in record["message"]


def test_the_record_of_a_vm_that_is_down_and_waits_has_the_reason_it_waits() -> None:
    """A VM that needs attention and is queued shows why it is not started yet: others that are down are started."""
    ended = {"vm": VM_ID, "run": "swap-x-1", "status": "needs-attention", "reason": "undo-failed", "message": "failed"}
    state = {"queue": {VM_ID.lower(): {"id": VM_ID, "urgent": True}}, "paused": {"why": "friday"}, "finished": [ended]}
    starts = {"x": {"id": "x", "n": 1, "urgent": True}}
    dispatcher = view_of({**state, "running": starts, "budgets": {"max_starts": 1}})
    record = vm_record(see(make_vm({"OsDiskName": "web01-202611"}), make_disk()), dispatcher, NOTHING_MADE)
    assert record["reason"] == "undo-failed"
    assert "failed; waits: 1 VMs that are down are being started" in record["message"]


@pytest.mark.parametrize(
    ("disks", "expected"),
    [
        ([made("older", "2026-09-01T00:00:00Z")], None),
        ([made("newer", "2026-11-01T00:00:00Z")], "newer"),
        ([made("newer", "2026-11-01T00:00:00Z"), made("newest", "2026-12-01T00:00:00Z")], "newest"),
        ([made("taken", "2026-11-01T00:00:00Z", disk_state="Attached", managed_by=VM_ID)], None),
        ([made("half", "2026-11-01T00:00:00Z", provisioning_state="Creating")], None),
        ([made("bad", "2026-11-01T00:00:00Z", source_version="/x")], None),
        ([make_disk("untagged", time_created="2026-11-01T00:00:00Z")], None),
    ],
    ids=["older", "newer", "newest of two", "attached", "not ready", "from elsewhere", "not made by the app"],
)
def test_next_is_the_newest_free_disk_made_after_the_current(disks: list[Disk], expected: str | None) -> None:
    """`next` names only a free, finished disk that the app made for this VM later than the one it runs."""
    current = make_current(time_created="2026-10-01T00:00:00Z")
    found = MadeDisks.among(disks, [GALLERY.lower()])
    assert found.next_of(make_vm(), current, ()) == expected


def test_next_is_never_a_disk_found_unhealthy() -> None:
    """A disk whose version was rolled back on this VM is not offered as the next one."""
    found = MadeDisks.among([made("newer", "2026-11-01T00:00:00Z")], [GALLERY.lower()])
    assert found.next_of(make_vm(), None, {VERSION_ID.lower()}) is None
    assert found.next_of(make_vm(), None, {disk_id("newer").lower()}) is None
    assert found.next_of(make_vm(), None, ()) == "newer"


def test_a_failed_way_back_needs_attention_until_it_is_right_again() -> None:
    """A VM whose last swap needs attention is first, with that outcome's message, until it runs the disk of its tag."""
    outcome = {"vm": VM_ID, "run": "swap-x-1", "status": "needs-attention", "reason": "undo-failed", "message": "help"}
    dispatcher = view_of({"finished": [outcome]})
    open_ = see(make_vm({"RefreshState": MARK, "OsDiskName": "web01-old"}, power=Power.UNKNOWN))
    assert rank_of(open_, dispatcher) is Rank.NEEDS_ATTENTION
    record = vm_record(open_, dispatcher, NOTHING_MADE)
    assert (record["reason"], record["message"], record["run"]) == ("undo-failed", "help", "swap-x-1")
    assert attention(see(make_vm({"OsDiskName": "web01-old"})), dispatcher) is None


def test_refresh_state_without_a_swap_under_way_needs_attention() -> None:
    """A VM with RefreshState and no swap under way is first, unless it is known to run or the swap to be over."""
    marked = make_vm({"RefreshState": MARK})
    listed = see(marked, exact=False)
    assert rank_of(listed, view_of()) is Rank.NEEDS_ATTENTION
    running = view_of({"running": {VM_ID.lower(): {"id": VM_ID, "n": 1}}})
    assert rank_of(listed, running) is Rank.SWAP
    assert rank_of(see(marked), view_of()) is Rank.SKIPPED
    over = replace(listed, facts=replace(listed.facts, over=frozenset({swap_id(VM_ID, 1)})))
    assert rank_of(over, view_of()) is Rank.SKIPPED


def test_a_plan_is_the_record_with_checks_steps_and_seconds() -> None:
    """A dry run's row names each check, the steps in order, the seconds down and the disk."""
    row = plan_record(see(make_vm({"OsDiskName": "web01-202611"}), make_disk()), view_of(), NOTHING_MADE)
    assert row["steps"] == ["stop", "new-disk", "start", "health"]
    assert row["down_s"] == 39.1
    assert row["new_disk"] == disk_id("web01-202611")
    assert {check["result"] for check in row["checks"]} == {"passed", "not-checked"}
    assert [check["name"] for check in row["checks"]] == [condition.name for condition in CONDITIONS]
    assert set(RECORD) < set(row)


def test_a_refused_plan_shows_the_check_that_failed_and_no_steps() -> None:
    """A refusal's row has no steps and no downtime, and names the check that failed."""
    wanted = make_disk(location="northeurope")
    row = plan_record(see(make_vm({"OsDiskName": "web01-202611"}), wanted), view_of(), NOTHING_MADE)
    assert (row["decision"], row["steps"], row["down_s"], row["new_disk"]) == ("refuse", [], 0.0, None)
    assert [check["name"] for check in row["checks"] if check["result"] == "failed"] == ["same region"]


def test_a_stopped_vm_is_planned_without_downtime() -> None:
    """A stopped VM only gets the disk; a VM of unknown power state counts as running."""
    stopped = make_vm({"OsDiskName": "web01-202611"}, power=Power.DEALLOCATED)
    exact = plan_record(see(stopped, make_disk()), view_of(), NOTHING_MADE)
    assert (exact["steps"], exact["down_s"]) == (["new-disk"], 0.0)
    guessed = plan_record(see(stopped, make_disk(), exact=False), view_of(), NOTHING_MADE)
    assert guessed["down_s"] == 39.1


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("web01-202610", "web01-202610"),
        ("d" * 80, "d" * 80),
        (disk_id("web01-202610").upper(), "WEB01-202610"),
        ("https://blob/x?sig=secret", "https://blob/x"),
        ("x" * 200 + "!", "x" * 57 + "..."),
        (" ", None),
    ],
)
def test_the_previous_disk_is_named_as_tags_name_disks(value: str, shown: str | None) -> None:
    """A disk in the VM's group is shown by name; of any other text only the beginning is shown, without a signature."""
    row = vm_record(see(make_vm({"OsDiskPrevious": value})), view_of(), NOTHING_MADE)
    assert row["previous"] == shown
