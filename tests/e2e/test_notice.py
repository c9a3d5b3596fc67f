"""Notice before downtime: people are told when a VM will be stopped, and what they do in the time they have counts."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from refresh.activities.swap.count_swaps import count_down
from refresh.records.dispatcher_state import DispatcherState
from tests.support.worlds.builders import VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body

FLEET = [vm_body(), disk_body("web01-new"), disk_body("web01-newer")]
NOTICE = {"REFRESH_NOTICE_S": "1800"}


def events(azure: LocalAzure) -> list[dict[str, Any]]:
    return [row["event"] for row in azure.simulator.published()]


def kinds(azure: LocalAzure) -> list[str]:
    return [event["type"].removeprefix("refresh.swap.") for event in events(azure)]


def writes_of_the_app(azure: LocalAzure) -> list[str]:
    """Every change on the VM since the test's own tag edits, which come before anything else."""
    rows = azure.simulator.journal.to_json(azure.clock.now())["requests"]
    changed = [row for row in rows if row["method"] in ("PATCH", "POST", "PUT") and "/virtualMachines/" in row["path"]]
    return [row["path"].rsplit("/", 1)[-1] for row in changed if row["client_request_id"]]


async def told(azure: LocalAzure, disk: str = "web01-new") -> None:
    """Ask for a disk and wait until the notice is out."""
    await azure.tag(VM_ID, OsDiskName=disk)
    await azure.until(lambda: bool(events(azure)))


def test_nothing_is_touched_before_the_notice_is_over() -> None:
    """The VM runs untouched until `hold_until`, sweeps and looks notwithstanding, and is swapped then, told of once."""

    async def story(azure: LocalAzure) -> None:
        await told(azure)
        hold_until = events(azure)[0]["data"]["hold_until"]
        for _ in range(5):
            await asyncio.sleep(301)
            await azure.fire("sweep")
        assert writes_of_the_app(azure) == []
        assert azure.journal(VM_ID)["stops"] == 0
        _, answer = await azure.api("GET", "/api/vms?vm=web01")
        assert (answer["decision"], answer["reason"]) == ("swap", "swapping")
        assert "notice" in answer["message"]
        assert len(azure.book()["running"]) == 1
        await azure.settled()
        assert kinds(azure) == ["starting", "succeeded"]
        ((stopped, _),) = azure.journal(VM_ID)["intervals"]
        late_s = (datetime.fromisoformat(stopped) - datetime.fromisoformat(hold_until)).total_seconds()
        assert 0 <= late_s < 30
        assert await azure.os_disk(VM_ID) == "web01-new"
        assert writes_of_the_app(azure)[:2] == ["default", "deallocate"]

    play(story, FLEET, settings=NOTICE)


def test_a_wish_that_changes_during_the_notice_counts() -> None:
    """Another disk is asked for while people make ready: that one is swapped in, once, and the first never."""

    async def story(azure: LocalAzure) -> None:
        await told(azure)
        await asyncio.sleep(600)
        await azure.tag(VM_ID, OsDiskName="web01-newer")
        await azure.settled()
        assert await azure.os_disk(VM_ID) == "web01-newer"
        assert azure.journal(VM_ID)["stops"] == 1
        assert kinds(azure) == ["starting", "succeeded"]
        assert events(azure)[1]["data"]["new_disk"].endswith("/web01-newer")

    play(story, FLEET, settings=NOTICE)


def test_a_notice_can_be_answered_with_no() -> None:
    """Put on hold, taken back, or locked during the notice: nothing is written and nothing stopped."""

    async def story(azure: LocalAzure) -> None:
        await told(azure)
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
        azure.simulator.upsert([{"id": lock, "properties": {"level": "ReadOnly"}}])
        await azure.settled()
        assert [outcome["reason"] for outcome in azure.outcomes()] == ["on-hold", "no-wish", "locked"]
        assert kinds(azure) == ["starting", "refused"] * 3, "whoever made ready is told that it is off"
        assert [event["data"]["reason"] for event in events(azure)[1::2]] == ["on-hold", "no-wish", "locked"]
        assert writes_of_the_app(azure) == []
        assert azure.journal(VM_ID)["stops"] == 0

    play(story, FLEET, settings=NOTICE)


def test_the_brake_works_during_a_notice() -> None:
    """Paused while people make ready: the VM keeps running and they are told; resumed, it is announced anew."""

    async def story(azure: LocalAzure) -> None:
        await told(azure)
        await azure.api("POST", "/api/pause", {"why": "not today"})
        await asyncio.sleep(2400)
        assert kinds(azure) == ["starting", "refused"]
        assert (events(azure)[1]["data"]["reason"], azure.journal(VM_ID)["stops"]) == ("paused", 0)
        await azure.api("POST", "/api/resume", {})
        await azure.settled()
        assert kinds(azure) == ["starting", "refused", "starting", "succeeded"]
        assert azure.journal(VM_ID)["stops"] == 1

    play(story, FLEET, settings=NOTICE)


def test_a_vm_that_does_not_run_waits_for_nobody() -> None:
    """A deallocated VM is swapped at once: its `starting` is told, and there is nothing to make ready for."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.settled(within_s=600)
        assert await azure.os_disk(VM_ID) == "web01-new"
        assert kinds(azure) == ["starting", "not-proven"]
        assert events(azure)[0]["data"]["hold_until"] <= events(azure)[1]["time"]

    play(story, [vm_body(power="deallocated"), disk_body("web01-new")], settings=NOTICE)


def test_a_recovery_gives_no_notice() -> None:
    """A swap that vanishes in the middle is taken up as soon as it is found out: a VM that is down waits for nobody."""

    async def story(azure: LocalAzure) -> None:
        await told(azure)

        async def down() -> bool:
            return await azure.power(VM_ID) == "deallocated"

        await azure.until(down)
        (row,) = azure.book()["running"].values()
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


def test_a_notice_that_vanishes_is_given_anew() -> None:
    """The orchestration is gone before anything was touched: the sweep starts over, and people are told again."""

    async def story(azure: LocalAzure) -> None:
        await told(azure)
        (row,) = azure.book()["running"].values()
        azure.hub.terminate(next(name for name in azure.hub.orchestrations.instances if name.endswith(f"-{row['n']}")))
        for _ in range(4):
            await asyncio.sleep(301)
            await azure.fire("sweep")
        await azure.settled()
        assert kinds(azure) == ["starting", "starting", "succeeded"]
        assert len({event["id"] for event in events(azure)}) == 3
        assert azure.journal(VM_ID)["stops"] == 1

    play(story, FLEET, settings=NOTICE)


def test_a_notice_that_vanishes_and_is_not_wanted_any_more_is_called_off() -> None:
    """The run that gave it is gone, and so is the wish: the run that takes its place says that nothing will happen."""

    async def story(azure: LocalAzure) -> None:
        await told(azure)
        (row,) = azure.book()["running"].values()
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
    """Nobody could be told: the swap goes on when the notice is over all the same."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.plane.faults.add([{"match": {"path": "/api/events"}, "delay_s": 9000}])
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await asyncio.sleep(1700)
        assert azure.journal(VM_ID)["stops"] == 0
        await azure.until(lambda: bool(azure.outcomes()), within_s=600)
        assert azure.outcomes()[0]["status"] == "succeeded"

    play(story, FLEET, settings=NOTICE)


def test_a_vm_in_its_notice_takes_up_a_place() -> None:
    """With room for one swap the second VM waits for the first one's notice, and bulk work gives way to neither."""

    async def story(azure: LocalAzure) -> None:
        await told(azure)
        other = VM_ID.replace("web01", "web02")
        await azure.tag(other, OsDiskName="web02-new")
        await asyncio.sleep(300)
        _, queue = await azure.api("GET", "/api/queue")
        assert "swaps-in-flight" in str(queue)
        assert count_down(DispatcherState(azure.book())) == {"running": 0}
        assert kinds(azure) == ["starting"]
        await azure.settled()
        assert kinds(azure) == ["starting", "succeeded"] * 2

    fleet = [*FLEET, vm_body("web02"), disk_body("web02-new")]
    play(story, fleet, settings={**NOTICE, "REFRESH_MAX_SWAPS": "1"})
