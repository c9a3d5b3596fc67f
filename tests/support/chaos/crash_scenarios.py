"""Short scenarios of one swap, run while workers crash, and the required end of each.

Decides which tag is written and what must hold afterwards. Does not know which failures happen: the caller passes them
as `HubFailures`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from tests.support.chaos.boundaries import Boundary, BoundaryRecorder, HubFailures
from tests.support.worlds.builders import VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body

BAD = {"disk": "*-bad", "boots": False}
_OWN_WRITES = ("/deallocate", "/poweroff", "/start", "/virtualmachines/web01")


@dataclass(frozen=True)
class Story:
    """A person writes `wish` into the tag; the VM must end on `disk` with this `status`, after `stops` stops."""

    name: str
    wish: str
    disk: str
    status: str
    stops: int
    power: str = "running"


STORIES = (
    Story("success", "web01-new", "web01-new", "succeeded", 1),
    Story("rolled-back", "web01-bad", "web01-old", "rolled-back", 2),
    Story("not-running", "web01-new", "web01-new", "not-proven", 0, power="deallocated"),
)


def run_story(story: Story, failures: HubFailures) -> None:
    """Run a scenario with `failures` and check its end."""

    async def main(azure: LocalAzure) -> None:
        azure.hub.interruptions = failures
        azure.simulator.services.faults.add([BAD])
        await azure.tag(VM_ID, OsDiskName=story.wish)
        await azure.until(lambda: bool(azure.outcomes()), within_s=36000)
        for _ in range(2):  # late deliveries arrive within minutes
            await azure.settled()
            await asyncio.sleep(600)
        await assert_ended(azure, story, side_by_side=failures.side_by_side)

    play(main, [vm_body(power=story.power), disk_body("web01-new"), disk_body("web01-bad")])


def boundaries_of(story: Story) -> list[Boundary]:
    """Every boundary of a scenario at which a worker can crash."""
    recorder = BoundaryRecorder()
    run_story(story, recorder)
    return recorder.seen


async def assert_ended(azure: LocalAzure, story: Story, *, side_by_side: bool) -> None:
    """Check that the VM has the expected end, one outcome and no leftover tag.

    No write of the app conflicts with another, except when two workers ran the same work `side_by_side`: Azure refuses
    one of them then.
    """
    conflicts = [row for row in azure.simulator.journal.requests if row["status"] == 409]
    rejected = {"OsDiskRejected": story.wish} if story.status == "rolled-back" else {"OsDiskPrevious": "web01-old"}
    expected = {
        "disk": story.disk,
        "power": story.power,
        "stops": story.stops,
        # A doubled decision starts two swaps; the second has nothing to do and is `skipped`.
        "outcomes": [story.status],
        "tags": {"AutoRefresh": "true", "OsDiskName": story.disk, **rejected},
        "unreadable": [],
        "conflicts": [],
    }
    found = {
        "disk": await azure.os_disk(VM_ID),
        "power": await azure.power(VM_ID),
        "stops": azure.journal(VM_ID)["stops"],
        "outcomes": [outcome["status"] for outcome in azure.outcomes() if outcome["status"] != "skipped"],
        "tags": (await azure.vm(VM_ID))["tags"],
        "unreadable": azure.dispatcher_state().get("bad", []),
        "conflicts": [row for row in conflicts if row["path"].lower().endswith(_OWN_WRITES) and not side_by_side],
    }
    wrong = {name: value for name, value in found.items() if value != expected[name]}
    assert not wrong, f"{wrong} instead of { {name: expected[name] for name in wrong} }"
