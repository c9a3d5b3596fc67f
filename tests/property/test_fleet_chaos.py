"""For all small fleets, edits, faults, crashes and disorders: nobody is left down, nobody is stopped for nothing."""

from __future__ import annotations

import json
import re
from datetime import datetime
from itertools import combinations
from typing import Any

from hypothesis import HealthCheck, given, settings

from tests.support.chaos import GOOD, Calamity, Diary, Machine, befall, calamities, scenario, text_of, vm_id
from tests.support.local_azure import LocalAzure, play

MAX_SWAPS = 2
_VM_WRITE = re.compile(r"/virtualMachines/(?P<vm>web0\d)(/(start|deallocate|powerOff))?\Z", re.IGNORECASE)


@settings(max_examples=45, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(calamities())
def test_whatever_befalls_a_fleet_it_ends_well(calamity: Calamity) -> None:
    """After the calamity is over and the sweep has come by, every promise to every VM and to the book holds."""
    assert_ends_well(calamity)


def assert_ends_well(calamity: Calamity) -> None:
    """Let one calamity befall its fleet in virtual time and hold the app to everything it promises."""

    async def story(azure: LocalAzure) -> None:
        diary = await befall(azure, calamity)
        for machine in calamity.fleet:
            await assert_vm_well(azure, machine, diary, calamity)
        assert_one_operation_at_a_time(azure, diary)
        assert_budgets_kept(azure, calamity, diary)
        assert_book_closed(azure)

    options: dict[str, Any] = {"chaos": calamity.chaos, "settings": {"REFRESH_MAX_SWAPS": str(MAX_SWAPS)}}
    play(story, scenario(calamity.fleet), **options)


async def assert_vm_well(azure: LocalAzure, machine: Machine, diary: Diary, calamity: Calamity) -> None:
    name, outcomes = machine.name, [row for row in azure.outcomes() if row["vm"].lower() == vm_id(machine.name).lower()]
    vm = await azure.vm(vm_id(name))
    power, disk, tags = await azure.power(vm_id(name)), await azure.os_disk(vm_id(name)), vm["tags"]
    held_down = name in diary.held and bool(outcomes) and outcomes[-1]["status"] == "needs-attention"
    if name not in diary.stopped:
        if machine.power == "running" and not held_down:
            assert power == "running", f"{name} ran and is {power}"
        elif machine.power != "running":
            assert power == machine.power, f"{name} was {machine.power} and is {power}"
    if not held_down:
        assert "RefreshState" not in tags, f"{name}: {tags}"
    assert_stops_are_few(azure, name, diary, calamity)
    assert_outcomes_true(outcomes, disk, name)
    rejected = {
        name
        for row in azure.book().get("rejected", [])
        if row["vm"] == vm_id(machine.name).lower()
        for name in row["names"]
    }
    assert_wish_fulfilled(name, disk, tags, diary, {item.rsplit("/", 1)[1] for item in rejected})
    _, seen = await azure.api("GET", f"/api/vms?vm={name}")
    assert seen["decision"] != "swap", f"{name} is at rest and not done: {seen}"


def assert_stops_are_few(azure: LocalAzure, name: str, diary: Diary, calamity: Calamity) -> None:
    """One edit is one stop, and one more on the way back; a stop that Azure fails is begun again."""
    failing = sum(
        rule["times"]
        for rule in calamity.faults
        if rule["match"].get("operation") in ("deallocate", "powerOff") and "fail" in rule
    )
    stops = azure.journal(vm_id(name))["stops"]
    assert stops <= 2 * diary.edits.get(name, 0) + failing, f"{name} was stopped {stops} times: {diary}"


def assert_outcomes_true(outcomes: list[dict[str, Any]], disk: str, name: str) -> None:
    """What the last swap said of the VM's disk is so, and what was rejected was not tried again."""
    rejected: set[str] = set()
    for row in outcomes:
        if row["status"] in ("succeeded", "not-proven", "rolled-back") and row.get("new_disk"):
            assert row["new_disk"].lower() not in rejected, f"{name}: {outcomes}"
        if row["status"] == "rolled-back":
            rejected.add(row["new_disk"].lower())
    told = [
        row for row in outcomes if row["status"] in ("succeeded", "not-proven", "rolled-back") and row.get("new_disk")
    ]
    if told and told[-1] is outcomes[-1]:
        side = "old_disk" if told[-1]["status"] == "rolled-back" else "new_disk"
        assert told[-1][side].rsplit("/", 1)[1] == disk, f"{name} has {disk}: {told[-1]}"


def assert_wish_fulfilled(name: str, disk: str, tags: dict[str, str], diary: Diary, rejected: set[str]) -> None:
    """The last wish that could be fulfilled is, or its disk was found bad."""
    wishes = diary.wishes.get(name, [])
    if not wishes or name in diary.held:
        return
    wanted = text_of(name, wishes[-1])
    if wishes[-1] in GOOD and wanted != "shared":
        assert disk == wanted or wanted in rejected, f"{name} has {disk}, wants {wanted}, rejected {rejected}"
    if wishes[-1] == "bad" and disk != wanted:
        assert wanted in rejected
    if wishes[-1] in ("zoned", "gen1", "taken", "typo"):
        assert tags["OsDiskName"] == wanted
        assert disk != wanted


def assert_one_operation_at_a_time(azure: LocalAzure, diary: Diary) -> None:
    """No write of ours met another under way: Azure would have said so. One asked for twice at once may, harmlessly."""
    if diary.asked_twice:
        return
    for request in azure.simulator.journal.requests:
        found = _VM_WRITE.search(request["path"])
        if found and request["method"] != "GET" and found["vm"].lower() not in diary.stopped:
            assert request["status"] != 409, request


def assert_budgets_kept(azure: LocalAzure, calamity: Calamity, diary: Diary) -> None:
    """At no moment are two VMs of the set down, or more than the budget allows."""
    lost = {row["vm"].lower() for row in azure.outcomes() if row["status"] == "needs-attention"}
    down: list[tuple[datetime, datetime, Machine]] = []
    for machine in calamity.fleet:
        if machine.name not in diary.stopped:
            intervals = azure.journal(vm_id(machine.name))["intervals"]
            down += [(datetime.fromisoformat(start), datetime.fromisoformat(end), machine) for start, end in intervals]
    for some in combinations(down, 2):
        together = max(start for start, _, _ in some) < min(end for _, end, _ in some)
        assert not (together and some[0][2] != some[1][2] and all(machine.in_set for _, _, machine in some)), some
    swapped = [one for one in down if vm_id(one[2].name).lower() not in lost]
    for many in combinations(swapped, MAX_SWAPS + 1):
        assert max(start for start, _, _ in many) >= min(end for _, end, _ in many), many


def assert_book_closed(azure: LocalAzure) -> None:
    """Nothing is looked at, waits or runs, nothing was unreadable, and the book is small."""
    book = azure.book()
    assert azure.idle(), book
    assert book.get("bad") is None, book["bad"]
    assert len(json.dumps(book)) < 100_000
