"""What is promised to every VM of a fleet, whatever befell it: checked on Azure's own record once all is calm.

Refuses to know what happened: it reads the diary, the journal and the app's book.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from itertools import combinations
from typing import Any

from tests.support.chaos.fleet import GOOD, HOPELESS, Diary, Machine, text_of, vm_id
from tests.support.worlds.local_azure import LocalAzure

MAX_SWAPS = 2
_VM_WRITE = re.compile(r"/virtualMachines/(?P<vm>web0\d)(/(start|deallocate|powerOff))?\Z", re.IGNORECASE)
_TOLD = ("succeeded", "not-proven", "rolled-back")


async def assert_all_is_well(azure: LocalAzure, fleet: tuple[Machine, ...], diary: Diary) -> None:
    """Every promise to every VM and to the book; AssertionError names the one that does not hold."""
    for machine in fleet:
        if machine.name not in diary.deleted:
            await assert_vm_well(azure, machine, diary)
    assert_one_operation_at_a_time(azure, diary)
    assert_budgets_kept(azure, fleet, diary)
    assert_book_closed(azure)


async def assert_vm_well(azure: LocalAzure, machine: Machine, diary: Diary) -> None:
    name, outcomes = machine.name, [row for row in azure.outcomes() if row["vm"].lower() == vm_id(machine.name).lower()]
    (vm,) = azure.simulator.resources(resource_id=vm_id(name))
    power, disk, tags = vm["_power"], vm["properties"]["storageProfile"]["osDisk"]["name"], vm["tags"]
    held_down = name in diary.held and bool(outcomes) and outcomes[-1]["status"] == "needs-attention"
    if name not in diary.stopped:
        if machine.power == "running" and not held_down:
            assert power == "running", f"{name} ran and is {power}"
        elif machine.power != "running":
            assert power == machine.power, f"{name} was {machine.power} and is {power}"
    if not held_down:
        assert "RefreshState" not in tags, f"{name}: {tags}"
    assert_stops_are_few(azure, outcomes, name, diary)
    assert_outcomes_true(outcomes, disk, name)
    rejected = {
        name
        for row in azure.book().get("rejected", [])
        if row["vm"] == vm_id(machine.name).lower()
        for name in row["names"]
    }
    wishes = diary.wishes.get(name, [])
    if not (wishes and is_given_back(text_of(name, wishes[-1]), outcomes, disk, tags)):
        assert_wish_fulfilled(name, disk, tags, diary, {item.rsplit("/", 1)[1] for item in rejected})
    _, seen = await azure.api("GET", f"/api/vms?vm={name}")
    assert seen["decision"] != "swap", f"{name} is at rest and not done: {seen}"


def assert_stops_are_few(azure: LocalAzure, outcomes: list[dict[str, Any]], name: str, diary: Diary) -> None:
    """One edit is one stop, and one more on the way back; a stop that Azure spoils is begun again.

    A way back that failed, and tags that Azure would not take, leave a wish that differs from the disk: one swap more.
    """
    unfinished = sum(row["reason"] == "undo-failed" or _has_stale_tags(row) for row in outcomes)
    stops = azure.journal(vm_id(name))["stops"]
    allowed = 2 * (diary.edits.get(name, 0) + unfinished) + diary.spoilt.get(name, 0)
    assert stops <= allowed, f"{name} was stopped {stops} times, not {allowed} at most: {diary}"


def _has_stale_tags(row: dict[str, Any]) -> bool:
    return any("tags could not be put back" in line for line in row.get("evidence", ()))


def assert_outcomes_true(outcomes: list[dict[str, Any]], disk: str, name: str) -> None:
    """What the last swap said of the VM's disk is so, and what was rejected was not tried again."""
    rejected: set[str] = set()
    for row in outcomes:
        if row["status"] in _TOLD and row.get("new_disk"):
            assert row["new_disk"].lower() not in rejected, f"{name}: {outcomes}"
        if row["status"] == "rolled-back" and "the disk is not to blame" not in row["message"]:
            rejected.add(row["new_disk"].lower())
    told = [row for row in outcomes if row["status"] in _TOLD and row.get("new_disk")]
    if told and told[-1] is outcomes[-1]:
        side = "old_disk" if told[-1]["status"] == "rolled-back" else "new_disk"
        assert told[-1][side].rsplit("/", 1)[1] == disk, f"{name} has {disk}: {told[-1]}"


def is_given_back(wanted: str, outcomes: list[dict[str, Any]], disk: str, tags: dict[str, str]) -> bool:
    """Whether the app said that it gave up on this very wish, and the tag asks for the disk that the VM has.

    For this wish alone: a newer one that the app overwrote is not given back, it is lost. Where the way back failed
    too, all that follows is the swap to the old disk.
    """
    told = [(row["status"], *(_name(row.get(side)) for side in ("new_disk", "old_disk"))) for row in outcomes]
    while told and told[-1][1] in (disk, ""):
        told.pop()
    if not told or tags.get("OsDiskName") != disk:
        return False
    return told[-1][0] in ("rolled-back", "refused", "needs-attention") and told[-1][1:] == (wanted, disk)


def _name(disk_id: str | None) -> str:
    return str(disk_id or "").rsplit("/", 1)[-1]


def assert_wish_fulfilled(name: str, disk: str, tags: dict[str, str], diary: Diary, rejected: set[str]) -> None:
    """The last wish that could be fulfilled is, or its disk was found bad."""
    wishes = diary.wishes.get(name, [])
    if not wishes or name in diary.held:
        return
    wanted = text_of(name, wishes[-1])
    if wishes[-1] in GOOD and wanted != "shared":
        assert disk == wanted or wanted in rejected, f"{name} has {disk}, wants {wanted}, rejected {rejected}"
    if wishes[-1] == "bad" and disk != wanted:
        assert wanted in rejected, f"{name} has {disk}, wants {wanted}, rejected {rejected}"
    if wishes[-1] in HOPELESS:
        assert tags["OsDiskName"] == wanted
        assert disk != wanted


def assert_one_operation_at_a_time(azure: LocalAzure, diary: Diary) -> None:
    """No write of ours met another under way: Azure would have said so. One asked for twice at once may, harmlessly."""
    if diary.asked_twice or diary.conflicts:
        return
    for request in azure.simulator.journal.requests:
        found = _VM_WRITE.search(request["path"])
        if found and request["method"] != "GET" and found["vm"].lower() not in diary.stopped | diary.deleted:
            assert request["status"] != 409, request


def assert_budgets_kept(azure: LocalAzure, fleet: tuple[Machine, ...], diary: Diary) -> None:
    """At no moment are two VMs of the set down, or more than the budget allows."""
    lost = {row["vm"].lower() for row in azure.outcomes() if row["status"] == "needs-attention"}
    down: list[tuple[datetime, datetime, Machine]] = []
    for machine in fleet:
        if machine.name not in diary.stopped | diary.deleted:
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
