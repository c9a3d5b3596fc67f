"""Notice before downtime: an event announces the stop of a VM, and changes during the notice count."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from refresh.activities.swap.count_swaps import count_down
from tests.support.worlds.builders import VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body

FLEET = [vm_body(), disk_body("web01-new"), disk_body("web01-newer")]
NOTICE = {"REFRESH_NOTICE_S": "1800"}


def events(azure: LocalAzure) -> list[dict[str, Any]]:
    return [row["event"] for row in azure.simulator.published()]


def kinds(azure: LocalAzure) -> list[str]:
    return [event["type"].removeprefix("refresh.swap.") for event in events(azure)]


def writes_of_the_app(azure: LocalAzure) -> list[str]:
    """The app's writes to VMs; the tag edits of the test have no client request id."""
    rows = azure.simulator.journal.to_json(azure.clock.now())["requests"]
    changed = [row for row in rows if row["method"] in ("PATCH", "POST", "PUT") and "/virtualMachines/" in row["path"]]
    return [row["path"].rsplit("/", 1)[-1] for row in changed if row["client_request_id"]]


async def announced(azure: LocalAzure, disk: str = "web01-new") -> None:
    """Request a disk and wait until its `starting` event is published."""
    await azure.tag(VM_ID, OsDiskName=disk)
    await azure.until(lambda: bool(events(azure)))


def test_nothing_is_touched_before_the_notice_is_over() -> None:
    """The VM runs unchanged until `hold_until` despite sweeps, is announced once, and is swapped then."""

    async def story(azure: LocalAzure) -> None:
        await announced(azure)
        hold_until = events(azure)[0]["data"]["hold_until"]
        for _ in range(5):
            await asyncio.sleep(301)
            await azure.fire("sweep")
        assert writes_of_the_app(azure) == []
        assert azure.journal(VM_ID)["stops"] == 0
        _, answer = await azure.api("GET", "/api/vms?vm=web01")
        assert (answer["decision"], answer["reason"]) == ("swap", "swapping")
        assert "notice" in answer["message"]
        assert len(azure.dispatcher_state()["running"]) == 1
        await azure.settled()
        assert kinds(azure) == ["starting", "succeeded"]
        ((stopped, _),) = azure.journal(VM_ID)["intervals"]
        late_s = (datetime.fromisoformat(stopped) - datetime.fromisoformat(hold_until)).total_seconds()
        assert 0 <= late_s < 30
        assert await azure.os_disk(VM_ID) == "web01-new"
        assert writes_of_the_app(azure)[:2] == ["default", "deallocate"]

    play(story, FLEET, settings=NOTICE)


def test_a_disk_that_changes_during_the_notice_counts() -> None:
    """A disk that is requested during the notice replaces the first one, and only it is swapped in."""

    async def story(azure: LocalAzure) -> None:
        await announced(azure)
        await asyncio.sleep(600)
        await azure.tag(VM_ID, OsDiskName="web01-newer")
        await azure.settled()
        assert await azure.os_disk(VM_ID) == "web01-newer"
        assert azure.journal(VM_ID)["stops"] == 1
        assert kinds(azure) == ["starting", "succeeded"]
        assert events(azure)[1]["data"]["new_disk"].endswith("/web01-newer")

    play(story, FLEET, settings=NOTICE)


def test_a_swap_can_be_cancelled_during_its_notice() -> None:
    """A VM that is put on hold, loses its request or is locked during the notice is neither written nor stopped."""

    async def story(azure: LocalAzure) -> None:
        await announced(azure)
        await azure.tag(VM_ID, AutoRefresh="hold")
        await azure.settled()
        assert [outcome["reason"] for outcome in azure.outcomes()] == ["on-hold"]
        await azure.tag(VM_ID, AutoRefresh="true")
        await azure.until(lambda: len(events(azure)) > 2)
        await azure.tag(VM_ID, OsDiskName="")
        await azure.settled()
        assert [outcome["reason"] for outcome in azure.outcomes()] == ["on-hold", "no-wish"]
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: len(events(azure)) > 4)
        lock = f"{VM_ID}/providers/Microsoft.Authorization/locks/freeze"
        azure.simulator.put_resources([{"id": lock, "properties": {"level": "ReadOnly"}}])
        await azure.settled()
        assert [outcome["reason"] for outcome in azure.outcomes()] == ["on-hold", "no-wish", "locked"]
        assert kinds(azure) == ["starting", "refused"] * 3, "an event cancels each announcement"
        assert [event["data"]["reason"] for event in events(azure)[1::2]] == ["on-hold", "no-wish", "locked"]
        assert writes_of_the_app(azure) == []
        assert azure.journal(VM_ID)["stops"] == 0

    play(story, FLEET, settings=NOTICE)


def test_a_pause_works_during_a_notice() -> None:
    """After a pause during the notice the VM runs and the swap is cancelled; after resume it is announced again."""

    async def story(azure: LocalAzure) -> None:
        await announced(azure)
        await azure.api("POST", "/api/pause", {"why": "not today"})
        await asyncio.sleep(2400)
        assert kinds(azure) == ["starting", "refused"]
        assert (events(azure)[1]["data"]["reason"], azure.journal(VM_ID)["stops"]) == ("paused", 0)
        await azure.api("POST", "/api/resume", {})
        await azure.settled()
        assert kinds(azure) == ["starting", "refused", "starting", "succeeded"]
        assert azure.journal(VM_ID)["stops"] == 1

    play(story, FLEET, settings=NOTICE)


def test_a_vm_that_does_not_run_is_swapped_without_notice() -> None:
    """A deallocated VM is swapped at once, and its `starting` event is published."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.settled(within_s=600)
        assert await azure.os_disk(VM_ID) == "web01-new"
        assert kinds(azure) == ["starting", "not-proven"]
        assert events(azure)[0]["data"]["hold_until"] <= events(azure)[1]["time"]

    play(story, [vm_body(power="deallocated"), disk_body("web01-new")], settings=NOTICE)


def test_a_recovery_gives_no_notice() -> None:
    """A lost swap whose VM is down resumes as soon as a sweep finds it, without another notice."""

    async def story(azure: LocalAzure) -> None:
        await announced(azure)

        async def down() -> bool:
            return await azure.power(VM_ID) == "deallocated"

        await azure.until(down)
        (row,) = azure.running_swaps()
        azure.hub.terminate(next(name for name in azure.hub.orchestrations.instances if name.endswith(f"-{row['n']}")))
        for _ in range(4):
            await asyncio.sleep(301)
            await azure.fire("sweep")
        await azure.until(lambda: bool(azure.outcomes()), within_s=600)
        await azure.settled()
        assert azure.outcomes()[0]["status"] in ("succeeded", "not-proven")
        assert await azure.power(VM_ID) == "running"
        assert kinds(azure).count("starting") == 1

    play(story, FLEET, settings=NOTICE)


def test_a_lost_notice_is_given_again() -> None:
    """When the orchestration is lost during its notice, the sweep starts another one with its own notice."""

    async def story(azure: LocalAzure) -> None:
        await announced(azure)
        (row,) = azure.running_swaps()
        azure.hub.terminate(next(name for name in azure.hub.orchestrations.instances if name.endswith(f"-{row['n']}")))
        for _ in range(4):
            await asyncio.sleep(301)
            await azure.fire("sweep")
        await azure.settled()
        assert kinds(azure) == ["starting", "starting", "succeeded"]
        assert len({event["id"] for event in events(azure)}) == 3
        assert azure.journal(VM_ID)["stops"] == 1

    play(story, FLEET, settings=NOTICE)


def test_a_lost_notice_is_cancelled_when_the_request_is_gone() -> None:
    """When the run and the request are gone, the next run publishes `refused`."""

    async def story(azure: LocalAzure) -> None:
        await announced(azure)
        (row,) = azure.running_swaps()
        azure.hub.terminate(next(name for name in azure.hub.orchestrations.instances if name.endswith(f"-{row['n']}")))
        await azure.tag(VM_ID, OsDiskName="")
        for _ in range(4):
            await asyncio.sleep(301)
            await azure.fire("sweep")
        await azure.settled()
        assert kinds(azure) == ["starting", "refused"]
        assert events(azure)[1]["data"]["reason"] == "no-wish"

    play(story, FLEET, settings=NOTICE)


def test_a_topic_that_is_down_does_not_stop_the_swap() -> None:
    """When the event cannot be published, the swap still starts after the notice."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([{"match": {"path": "/api/events"}, "delay_s": 9000}])
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await asyncio.sleep(1700)
        assert azure.journal(VM_ID)["stops"] == 0
        await azure.until(lambda: bool(azure.outcomes()), within_s=600)
        assert azure.outcomes()[0]["status"] == "succeeded"

    play(story, FLEET, settings=NOTICE)


def test_a_vm_in_its_notice_counts_as_a_running_swap() -> None:
    """With a limit of one swap the second VM waits for the first one's notice; a notice does not delay bulk work."""

    async def story(azure: LocalAzure) -> None:
        await announced(azure)
        other = VM_ID.replace("web01", "web02")
        await azure.tag(other, OsDiskName="web02-new")
        await asyncio.sleep(300)
        _, queue = await azure.api("GET", "/api/queue")
        assert "swaps-in-flight" in str(queue)
        assert count_down(azure.dispatcher_state()) == {"running": 0}
        assert kinds(azure) == ["starting"]
        await azure.settled()
        assert kinds(azure) == ["starting", "succeeded"] * 2

    fleet = [*FLEET, vm_body("web02"), disk_body("web02-new")]
    play(story, fleet, settings={**NOTICE, "REFRESH_MAX_SWAPS": "1"})
