"""Short stories of one swap, to be told while workers die, and how each has to end whatever happens.

Decides what is asked of the app and what must be so afterwards. Refuses to know what goes wrong meanwhile: those are
the `Troubles` of whoever tells the story.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from tests.support.chaos.boundaries import Boundary, Troubles, Watch
from tests.support.worlds.builders import VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body

BAD = {"disk": "*-bad", "boots": False}
_OWN_WRITES = ("/deallocate", "/poweroff", "/start", "/virtualmachines/web01")


@dataclass(frozen=True)
class Story:
    """Somebody asks for `wish`; the VM must end on `disk` with this `status`, stopped so many times."""

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


def tell(story: Story, troubles: Troubles) -> None:
    """Tell a story to its end amid `troubles` and hold the app to it."""

    async def main(azure: LocalAzure) -> None:
        azure.hub.interruptions = troubles
        azure.simulator.services.faults.add([BAD])
        await azure.tag(VM_ID, OsDiskName=story.wish)
        await azure.until(lambda: bool(azure.outcomes()), within_s=36000)
        for _ in range(2):  # what comes late comes within minutes
            await azure.settled()
            await asyncio.sleep(600)
        await assert_ended(azure, story, side_by_side=troubles.side_by_side)

    play(main, [vm_body(power=story.power), disk_body("web01-new"), disk_body("web01-bad")])


def boundaries_of(story: Story) -> list[Boundary]:
    """Every moment of a story at which a worker could die."""
    watch = Watch()
    tell(story, watch)
    return watch.seen


async def assert_ended(azure: LocalAzure, story: Story, *, side_by_side: bool) -> None:
    """The VM is where the story says, told so once, with nothing left on it.

    No write of ours met another, unless two workers did one thing `side_by_side`: then Azure refused one of them.
    """
    conflicts = [row for row in azure.simulator.journal.requests if row["status"] == 409]
    rejected = {"OsDiskRejected": story.wish} if story.status == "rolled-back" else {"OsDiskPrevious": "web01-old"}
    expected = {
        "disk": story.disk,
        "power": story.power,
        "stops": story.stops,
        # A decision that comes twice is looked into twice, and the second time there is nothing left to do.
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
        "unreadable": azure.book().get("bad", []),
        "conflicts": [row for row in conflicts if row["path"].lower().endswith(_OWN_WRITES) and not side_by_side],
    }
    wrong = {name: value for name, value in found.items() if value != expected[name]}
    assert not wrong, f"{wrong} instead of { {name: expected[name] for name in wrong} }"
