"""Cancelling a run: what has not begun does not begin, what is under way ends, and the run ends as `cancelled`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.test_rollback import rows_of, run, swap, tags_of
from tests.e2e.test_single_runs import ended
from tests.support.worlds.builders import VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body
from tests.support.worlds.month_world import gallery_bodies, vm_bodies, vm_id

NAMES = ("web01", "web02", "web03")
FLEET = [body for name in NAMES for body in (vm_body(name), disk_body(f"{name}-new"))]
ONE_AT_A_TIME = {"REFRESH_MAX_SWAPS": "1"}


async def cancel(azure: LocalAzure, run_id: str) -> tuple[int, dict[str, Any]]:
    status, answer = await azure.api("POST", f"/api/runs/{run_id}/cancel", {"why": "wrong image"})
    return status, dict(answer)


@pytest.mark.parametrize("paused", [True, False])
def test_a_cancelled_rollback_leaves_out_what_has_not_begun(paused: bool) -> None:
    """Of three rollbacks one at a time the one under way ends; the tags of the others name what the VMs run."""

    async def story(azure: LocalAzure) -> None:
        for name in NAMES:
            await swap(azure, f"{name}-new", vm_id(name))
        await azure.settled()
        if paused:
            await azure.api("POST", "/api/pause", {})
        _, begun = await azure.api("POST", "/api/rollback", {"all": True})
        stops = {name: azure.journal(vm_id(name))["stops"] for name in NAMES}
        if paused:
            await azure.until(lambda: len(azure.dispatcher_state().get("queue", {})) == 3)
        else:
            await azure.until(lambda: any(azure.journal(vm_id(name))["stops"] > stops[name] for name in NAMES))
        first = await cancel(azure, begun["id"])
        assert (first[0], first[1]["id"]) == (202, begun["id"])
        record = await ended(azure, begun["id"])
        assert record["status"] == "cancelled"
        rows = rows_of(record)
        swapped = [name for name, row in rows.items() if row == ("succeeded", "verified")]
        assert len(swapped) == (0 if paused else 1)
        assert all(rows[name] == ("skipped", "cancelled") for name in NAMES if name not in swapped)
        assert sum(record["counts"].values()) == 3
        assert await cancel(azure, begun["id"]) == first
        await azure.api("POST", "/api/resume", {})
        await azure.fire("sweep")
        await azure.settled()
        for name in NAMES:
            assert await azure.os_disk(vm_id(name)) == (f"{name}-old" if name in swapped else f"{name}-new")
            assert (await tags_of(azure, vm_id(name)))["OsDiskName"] == await azure.os_disk(vm_id(name))

    play(story, FLEET, settings=ONE_AT_A_TIME)


def test_a_cancelled_swap_takes_back_the_tag_that_it_wrote() -> None:
    """The queued swap of the run leaves the queue; a tag that a person wrote stays a wish."""

    async def story(azure: LocalAzure) -> None:
        await azure.api("POST", "/api/pause", {})
        await azure.tag(vm_id("web02"), OsDiskName="web02-new")
        _, mine = await azure.api("POST", "/api/swap", {"vms": ["web01"], "disk": "web01-new"})
        _, other = await azure.api("POST", "/api/swap", {"vms": ["web02"]})
        await azure.until(lambda: len(azure.dispatcher_state().get("queue", {})) == 2)
        for begun in (mine, other):
            await cancel(azure, begun["id"])
            record = await ended(azure, begun["id"])
            assert record["status"] == "cancelled"
            assert set(rows_of(record).values()) == {("skipped", "cancelled")}
        await azure.api("POST", "/api/resume", {})
        await azure.settled()
        assert (await azure.os_disk(VM_ID), await azure.os_disk(vm_id("web02"))) == ("web01-old", "web02-new")
        assert azure.journal(VM_ID)["stops"] == 0

    play(story, FLEET)


@pytest.mark.parametrize("moment", ["images", "swaps"])
def test_a_cancelled_month_begins_nothing_more(moment: str) -> None:
    """While images are built no disk is made; while swaps wait no VM is stopped, and no tag asks for it later."""

    async def story(azure: LocalAzure) -> None:
        if moment == "swaps":
            await azure.api("POST", "/api/pause", {})
        _, begun = await azure.api("POST", "/api/refresh", {"period": "202611", "rollout": "auto"})
        if moment == "swaps":
            await azure.until(lambda: len(azure.dispatcher_state().get("queue", {})) == 2)
        status, _ = await cancel(azure, begun["id"])
        assert status == 202
        await azure.until(lambda: is_over(azure, begun["id"]), 20_000)
        record = (await azure.api("GET", f"/api/runs/{begun['id']}"))[1]
        assert record["status"] == "cancelled"
        await azure.api("POST", "/api/resume", {})
        await azure.fire("sweep")
        await azure.settled()
        for name in ("web01", "web02"):
            assert azure.journal(vm_id(name))["stops"] == 0
        if moment == "swaps":
            assert set(rows_of(record).values()) == {("skipped", "cancelled")}
            assert sum(record["counts"].values()) == 2

    async def is_over(azure: LocalAzure, run_id: str) -> bool:
        return bool((await azure.api("GET", f"/api/runs/{run_id}"))[1]["status"] != "running")

    play(story, [*gallery_bodies(), *vm_bodies("web01"), *vm_bodies("web02")])


@pytest.mark.parametrize(
    ("run_id", "status", "problem"),
    [
        ("swaps-202611-00000000-00000000", 404, "unknown-run"),
        ("images-202611-00000000", 400, "bad-request"),
        ("nonsense", 400, "bad-request"),
    ],
)
def test_a_run_that_cannot_be_cancelled_is_a_problem(run_id: str, status: int, problem: str) -> None:
    """An unknown run, one whose kind cannot be cancelled, and what is no run."""

    async def story(azure: LocalAzure) -> None:
        answered, found = await cancel(azure, run_id)
        assert (answered, found["type"].rpartition(":")[2]) == (status, problem), found

    play(story, FLEET)


def test_an_ended_run_cannot_be_cancelled() -> None:
    """The answer is a conflict and names the run."""

    async def story(azure: LocalAzure) -> None:
        record = await run(azure, "/api/swap", {"vms": ["web01"], "disk": "web01-new"})
        status, found = await cancel(azure, record["id"])
        assert (status, found["type"].rpartition(":")[2]) == (409, "run-ended"), found
        assert record["id"] in found["detail"]

    play(story, FLEET)
