"""The invariants of a fleet after a failure scenario, checked on Azure's own record once no failure is left.

Decides what must hold. Does not know which failures happened: it reads the record of edits, the simulator's journal and
the dispatcher state.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from itertools import combinations
from typing import Any

from tests.support.chaos.fleet import GOOD, HOPELESS, EditRecord, Machine, text_of, vm_id
from tests.support.worlds.local_azure import LocalAzure

MAX_SWAPS = 2
_VM_WRITE = re.compile(r"/virtualMachines/(?P<vm>web0\d)(/(start|deallocate|powerOff))?\Z", re.IGNORECASE)
_FINAL = ("succeeded", "not-proven", "rolled-back")


async def assert_invariants(azure: LocalAzure, fleet: tuple[Machine, ...], edits: EditRecord) -> None:
    """Check every invariant of every VM and of the dispatcher state; AssertionError names the violated one."""
    for machine in fleet:
        if machine.name not in edits.deleted:
            await assert_vm_well(azure, machine, edits)
    assert_one_operation_at_a_time(azure, edits)
    assert_budgets_kept(azure, fleet, edits)
    assert_dispatcher_idle(azure)
    assert_own_work_known(azure)


async def assert_vm_well(azure: LocalAzure, machine: Machine, edits: EditRecord) -> None:
    name, outcomes = machine.name, [row for row in azure.outcomes() if row["vm"].lower() == vm_id(machine.name).lower()]
    (vm,) = azure.simulator.resources(resource_id=vm_id(name))
    power, disk, tags = vm["_power"], vm["properties"]["storageProfile"]["osDisk"]["name"], vm["tags"]
    held_down = name in edits.held and bool(outcomes) and outcomes[-1]["status"] == "needs-attention"
    if name not in edits.stopped:
        if machine.power == "running" and not held_down:
            assert power == "running", f"{name} ran and is {power}"
        elif machine.power != "running":
            assert power == machine.power, f"{name} was {machine.power} and is {power}"
    if not held_down:
        assert "RefreshState" not in tags, f"{name}: {tags}"
    assert_stops_are_few(azure, outcomes, name, edits)
    assert_outcomes_true(outcomes, disk, name)
    rejected = {
        name
        for row in azure.dispatcher_state().get("rejected", [])
        if row["vm"] == vm_id(machine.name).lower()
        for name in row["names"]
    }
    wishes = edits.wishes.get(name, [])
    if not (wishes and is_given_back(text_of(name, wishes[-1]), outcomes, disk, tags)):
        assert_wish_fulfilled(name, disk, tags, edits, {item.rsplit("/", 1)[1] for item in rejected})
    _, seen = await azure.api("GET", f"/api/vms?vm={name}")
    assert seen["decision"] != "swap", f"{name} still has to be swapped: {seen}"


def assert_stops_are_few(azure: LocalAzure, outcomes: list[dict[str, Any]], name: str, edits: EditRecord) -> None:
    """Check that one edit causes at most one stop, plus one on the way back, plus one for each stop in `spoilt`.

    A way back that failed, or a tag write that Azure refused, leaves a wish that differs from the disk: one more swap.
    """
    unfinished = sum(row["reason"] == "undo-failed" or _has_stale_tags(row) for row in outcomes)
    stops = azure.journal(vm_id(name))["stops"]
    allowed = 2 * (edits.count.get(name, 0) + unfinished) + edits.spoilt.get(name, 0)
    assert stops <= allowed, f"{name} was stopped {stops} times, not {allowed} at most: {edits}"


def _has_stale_tags(row: dict[str, Any]) -> bool:
    return any("tags could not be put back" in line for line in row.get("evidence", ()))


def assert_outcomes_true(outcomes: list[dict[str, Any]], disk: str, name: str) -> None:
    """Check that the last outcome names the VM's disk, and that no rejected disk was tried again."""
    rejected: set[str] = set()
    for row in outcomes:
        if row["status"] in _FINAL and row.get("new_disk"):
            assert row["new_disk"].lower() not in rejected, f"{name}: {outcomes}"
        if row["status"] == "rolled-back" and "is not at fault" not in row["message"]:
            rejected.add(row["new_disk"].lower())
    final = [row for row in outcomes if row["status"] in _FINAL and row.get("new_disk")]
    if final and final[-1] is outcomes[-1]:
        side = "old_disk" if final[-1]["status"] == "rolled-back" else "new_disk"
        assert final[-1][side].rsplit("/", 1)[1] == disk, f"{name} has {disk}: {final[-1]}"


def is_given_back(wanted: str, outcomes: list[dict[str, Any]], disk: str, tags: dict[str, str]) -> bool:
    """Whether the last outcome gives up this wish and the tag names the VM's disk again.

    The outcome must be of `wanted`: a newer wish that the app overwrote is lost, not given back. When the way back
    failed as well, only the swap to the old disk follows.
    """
    ended = [(row["status"], *(_name(row.get(side)) for side in ("new_disk", "old_disk"))) for row in outcomes]
    while ended and ended[-1][1] in (disk, ""):
        ended.pop()
    if not ended or tags.get("OsDiskName") != disk:
        return False
    return ended[-1][0] in ("rolled-back", "refused", "needs-attention") and ended[-1][1:] == (wanted, disk)


def _name(disk_id: str | None) -> str:
    return str(disk_id or "").rsplit("/", 1)[-1]


def assert_wish_fulfilled(name: str, disk: str, tags: dict[str, str], edits: EditRecord, rejected: set[str]) -> None:
    """Check that the last wish that can be fulfilled is fulfilled, or that its disk is rejected."""
    wishes = edits.wishes.get(name, [])
    if not wishes or name in edits.held:
        return
    wanted = text_of(name, wishes[-1])
    if wishes[-1] in GOOD and wanted != "shared":
        assert disk == wanted or wanted in rejected, f"{name} has {disk}, wants {wanted}, rejected {rejected}"
    if wishes[-1] == "bad" and disk != wanted:
        assert wanted in rejected, f"{name} has {disk}, wants {wanted}, rejected {rejected}"
    if wishes[-1] in HOPELESS:
        assert tags["OsDiskName"] == wanted
        assert disk != wanted


def assert_one_operation_at_a_time(azure: LocalAzure, edits: EditRecord) -> None:
    """Check that no write of the app got a 409. A request that was sent twice at the same time may get one."""
    if edits.sent_twice or edits.conflicts:
        return
    for request in azure.simulator.journal.requests:
        found = _VM_WRITE.search(request["path"])
        if found and request["method"] != "GET" and found["vm"].lower() not in edits.stopped | edits.deleted:
            assert request["status"] != 409, request


def assert_budgets_kept(azure: LocalAzure, fleet: tuple[Machine, ...], edits: EditRecord) -> None:
    """Check that two VMs of the set are never down at the same time, nor more VMs than the budget allows."""
    lost = {row["vm"].lower() for row in azure.outcomes() if row["status"] == "needs-attention"}
    down: list[tuple[datetime, datetime, Machine]] = []
    for machine in fleet:
        if machine.name not in edits.stopped | edits.deleted:
            intervals = azure.journal(vm_id(machine.name))["intervals"]
            down += [(datetime.fromisoformat(start), datetime.fromisoformat(end), machine) for start, end in intervals]
    for some in combinations(down, 2):
        together = max(start for start, _, _ in some) < min(end for _, end, _ in some)
        assert not (together and some[0][2] != some[1][2] and all(machine.in_set for _, _, machine in some)), some
    swapped = [one for one in down if vm_id(one[2].name).lower() not in lost]
    for many in combinations(swapped, MAX_SWAPS + 1):
        assert max(start for start, _, _ in many) >= min(end for _, end, _ in many), many


def assert_own_work_known(azure: LocalAzure) -> None:
    """Check that no disk that the app itself has put in was taken for the work of others."""
    reasons = {row["reason"] for row in azure.outcomes()}
    reasons |= {row["event"]["data"].get("reason") for row in azure.simulator.published()}
    assert "changed-by-others" not in reasons
    assert not any("told" in row for row in azure.dispatcher_state().get("fulfilled", {}).values())


def assert_dispatcher_idle(azure: LocalAzure) -> None:
    """Check that the dispatcher is idle, its state is small, and no input was unreadable."""
    state = azure.dispatcher_state()
    assert azure.idle(), state
    assert state.get("bad") is None, state["bad"]
    assert len(json.dumps(state)) < 100_000
