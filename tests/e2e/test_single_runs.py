"""Identical requests that come at once start one month, one build, one retention, one self-check."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.worlds.builders import VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body
from tests.support.worlds.month_world import gallery_bodies

MONTH = {"period": "202611"}
REQUESTS = {
    "month": ("/api/refresh", MONTH),
    "images": ("/api/images", MONTH),
    "disks": ("/api/disks", MONTH),
    "tags": ("/api/tags", {**MONTH, "all": True}),
    "swaps": ("/api/swap", {"vms": ["web01"], "disk": "web01-new"}),
    "retention": ("/api/retention", {"dryRun": False}),
    "selfcheck": ("/api/selfcheck", {}),
}
# Over before another request can come.
QUICK = ("disks", "tags")
FLEET = [*gallery_bodies(), vm_body(), disk_body("web01-new")]


async def record(azure: LocalAzure, run: str) -> dict[str, Any]:
    status, found = await azure.api("GET", f"/api/runs/{run}")
    assert status == 200, found
    return dict(found)


async def ended(azure: LocalAzure, run: str) -> dict[str, Any]:
    async def is_over() -> bool:
        return bool((await record(azure, run))["status"] != "running")

    await azure.until(is_over)
    return await record(azure, run)


def runs_of(azure: LocalAzure, kind: str) -> list[str]:
    return [run for run in azure.hub.orchestrations.instances if run.startswith(f"{kind}-")]


@pytest.mark.parametrize("kind", REQUESTS)
def test_requests_that_come_at_once_start_one_run(kind: str) -> None:
    """One request gets 202, every other 409 with the id of that run, and so does one that comes later."""
    path, body = REQUESTS[kind]

    async def story(azure: LocalAzure) -> None:
        answers = await asyncio.gather(*(azure.api("POST", path, body) for _ in range(8)))
        (begun,) = [answer for status, answer in answers if status == 202]
        refused = [answer for answer in answers if answer[0] != 202]
        if kind not in QUICK:
            refused.append(await azure.api("POST", path, body))
        for status, problem in refused:
            assert (status, problem["type"].rpartition(":")[2]) == (409, "run-exists"), problem
            assert begun["href"] in problem["detail"]
        assert runs_of(azure, kind) == [begun["id"]]
        assert (await ended(azure, begun["id"]))["status"] != "running"

    play(story, FLEET, events=False)


@pytest.mark.parametrize("kind", REQUESTS)
def test_after_its_end_the_same_request_starts_a_new_run(kind: str) -> None:
    """Each new run has a new id, and the records of those before it stay as they were."""
    path, body = REQUESTS[kind]

    async def story(azure: LocalAzure) -> None:
        records: dict[str, dict[str, Any]] = {}
        for _ in range(3):
            status, begun = await azure.api("POST", path, body)
            assert status == 202, begun
            assert begun["id"] not in records
            records[begun["id"]] = await ended(azure, begun["id"])
            await asyncio.sleep(5)
        assert {run: await record(azure, run) for run in records} == records
        assert sorted(runs_of(azure, kind)) == sorted(records)

    play(story, FLEET, events=False)


def test_a_rollback_that_is_sent_again_does_not_swap_back() -> None:
    """The second request, in another spelling, gets the run that is under way; the VM ends on its previous disk."""

    async def story(azure: LocalAzure) -> None:
        _, begun = await azure.api("POST", "/api/swap", {"vms": ["web01"], "disk": "web01-new"})
        await ended(azure, begun["id"])
        status, back = await azure.api("POST", "/api/rollback", {"vms": [VM_ID]})
        assert status == 202
        await asyncio.sleep(30)
        status, problem = await azure.api("POST", "/api/rollback", {"vms": ["WEB01"]})
        assert (status, back["href"] in problem["detail"]) == (409, True), problem
        await ended(azure, back["id"])
        await azure.settled()
        assert await azure.os_disk(VM_ID) == "web01-old"
        assert azure.journal(VM_ID)["stops"] == 2

    play(story, FLEET, events=False)


def test_other_vms_disks_and_flags_are_other_runs() -> None:
    """Only the same request is refused: runs about other VMs, another disk or with `force` go on side by side."""

    async def story(azure: LocalAzure) -> None:
        swaps = [
            {"vms": ["web01"], "disk": "web01-new"},
            {"vms": ["web02"]},
            {"vms": ["web01", "web02"]},
            {"vms": ["web01"], "disk": "web01-new", "force": True},
        ]
        answers = [await azure.api("POST", "/api/swap", body) for body in swaps]
        answers += [await azure.api("POST", "/api/disks", {**MONTH, "vms": vms}) for vms in (["web01"], ["web02"])]
        assert [status for status, _ in answers] == [202] * 6
        again = await azure.api("POST", "/api/swap", {"vms": ["web02", "web01"]})
        assert (again[0], answers[2][1]["href"] in again[1]["detail"]) == (409, True)

    play(story, [*FLEET, vm_body("web02")], events=False)


def test_a_month_of_another_period_is_another_run() -> None:
    """Months of two periods run side by side."""

    async def story(azure: LocalAzure) -> None:
        answers = [await azure.api("POST", "/api/refresh", {"period": period}) for period in ("202611", "202612")]
        assert [status for status, _ in answers] == [202, 202]

    play(story, FLEET, events=False)
