"""With 2,500 VMs in scope the month makes every disk and does not delay the start of a stopped VM."""

from __future__ import annotations

from simulator.durable.trace import TraceEntry
from tests.support.worlds.builders import VERSION_ID, disk_id
from tests.support.worlds.local_azure import LocalAzure, play
from tests.support.worlds.month_world import gallery_bodies, version_body, vm_bodies, vm_id

FLEET = 2500
SWAPPED = 20
NAMES = [f"vm{number:04}" for number in range(FLEET)]


def others_before(trace: list[TraceEntry], start: TraceEntry) -> int:
    """The number of other activities dispatched between scheduling and dispatch of `start`."""
    mine = [entry for entry in trace if (entry.instance_id, entry.task_id) == (start.instance_id, start.task_id)]
    dispatched = next(entry for entry in mine if entry.what == "dispatched")
    between = trace[trace.index(start) : trace.index(dispatched)]
    return sum(entry.kind == "activity" and entry.what == "dispatched" for entry in between)


def test_every_disk_is_made_and_no_start_waits_for_it() -> None:
    """While twenty VMs are stopped and a month makes 2,500 disks, each start is dispatched at once."""

    async def story(azure: LocalAzure) -> None:
        # A disk takes longer than usual, so that the month lasts as long as the swaps.
        slow = {"match": {"operation": "diskCreate", "resource": "*"}, "duration_s": 20}
        azure.simulator.services.faults.add([slow])
        month = azure.hub.start("create_disks", {"period": "202612"})
        for name in NAMES[:SWAPPED]:
            await azure.tag(vm_id(name), OsDiskName=f"{name}-next")
        await azure.settled()
        await azure.hub.completed(month)
        result = azure.hub.output(month)
        assert len(result["vms"]) == FLEET
        assert {row["decision"] for row in result["vms"]} == {"create"}, result["vms"][0]
        disks = [record.id.name for record in azure.simulator.store.of_type("Microsoft.Compute/disks")]
        assert sum(name.endswith("-202612") for name in disks) == FLEET
        assert [outcome["status"] for outcome in azure.outcomes()] == ["succeeded"] * SWAPPED
        trace = [entry for entry in azure.hub.trace if entry.kind == "activity"]
        starts = [entry for entry in trace if (entry.name, entry.what) == ("ensure_started", "scheduled")]
        disks_end = max(entry.t for entry in trace if entry.name == "make_disks")
        assert sum(start.t < disks_end for start in starts) >= SWAPPED / 2, "the month was over before the starts"
        assert max(others_before(trace, start) for start in starts) <= 10

    fleet = [body for name in NAMES for body in vm_bodies(name)]
    next_disks = [{**body, "id": disk_id(f"{name}-next")} for name in NAMES[:SWAPPED] for body in vm_bodies(name)[:1]]
    play(story, [*gallery_bodies(), version_body(VERSION_ID), *fleet, *next_disks])
