"""A rollback leads to the disk before the last swap, once: asked again, it changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.test_single_runs import ended
from tests.support.worlds.builders import VM_ID, disk_id
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body

WEB02 = VM_ID.replace("web01", "web02")
FLEET = [vm_body(), disk_body("web01-new"), disk_body("web01-newer"), vm_body("web02"), disk_body("web02-new")]


async def run(azure: LocalAzure, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """The record of the run that a request starts, after its end."""
    status, begun = await azure.api("POST", path, body)
    assert status == 202, begun
    return await ended(azure, begun["id"])


async def swap(azure: LocalAzure, disk: str, vm_id: str = VM_ID) -> dict[str, Any]:
    record = await run(azure, "/api/swap", {"vms": [vm_id], "disk": disk})
    assert rows_of(record)[vm_id.rsplit("/", 1)[-1]] == ("succeeded", "verified")
    return record


def rows_of(record: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {row["vm"].rsplit("/", 1)[-1]: (row["status"], row["reason"]) for row in record["vms"]}


def writes(azure: LocalAzure) -> int:
    return sum(row["method"] not in ("GET", "POST") for row in azure.simulator.journal.requests)


async def tags_of(azure: LocalAzure, vm_id: str = VM_ID) -> dict[str, str]:
    return dict((await azure.vm(vm_id))["tags"])


def test_a_rollback_asked_again_says_already_back() -> None:
    """Three requests after one another: one swap back, and two runs without a write."""

    async def story(azure: LocalAzure) -> None:
        await swap(azure, "web01-new")
        back = await run(azure, "/api/rollback", {"vms": ["web01"]})
        assert rows_of(back) == {"web01": ("succeeded", "verified")}
        await azure.settled()
        before = writes(azure)
        for body in ({"vms": ["web01"]}, {"vms": [VM_ID]}, {"vms": ["web01"], "force": True}, {"all": True}):
            again = await run(azure, "/api/rollback", body)
            assert rows_of(again)["web01"] == ("skipped", "already-back"), again
        await azure.settled()
        assert (await azure.os_disk(VM_ID), writes(azure)) == ("web01-old", before)

    play(story, FLEET)


def test_after_two_swaps_the_way_back_is_one_step() -> None:
    """The VM goes back to the disk before its last swap, and from there no further."""

    async def story(azure: LocalAzure) -> None:
        await swap(azure, "web01-new")
        await swap(azure, "web01-newer")
        for expected in (("succeeded", "verified"), ("skipped", "already-back"), ("skipped", "already-back")):
            assert rows_of(await run(azure, "/api/rollback", {"vms": ["web01"]})) == {"web01": expected}
        assert await azure.os_disk(VM_ID) == "web01-new"

    play(story, FLEET)


def test_a_new_swap_after_a_rollback_has_a_way_back_again() -> None:
    """Also to the same disk, by the tag edit `@previous`: a person's edit is a swap like any other."""

    async def story(azure: LocalAzure) -> None:
        await swap(azure, "web01-new")
        await run(azure, "/api/rollback", {"vms": ["web01"]})
        await azure.tag(VM_ID, OsDiskName="@previous")
        await azure.settled()
        assert await azure.os_disk(VM_ID) == "web01-new"
        assert rows_of(await run(azure, "/api/rollback", {"vms": ["web01"]})) == {"web01": ("succeeded", "verified")}
        assert await azure.os_disk(VM_ID) == "web01-old"

    play(story, FLEET)


def test_the_tag_edit_previous_takes_the_way_back() -> None:
    """A rollback after it finds the VM back already."""

    async def story(azure: LocalAzure) -> None:
        await swap(azure, "web01-new")
        await azure.tag(VM_ID, OsDiskName="@previous")
        await azure.settled()
        assert await azure.os_disk(VM_ID) == "web01-old"
        assert rows_of(await run(azure, "/api/rollback", {"all": True}))["web01"] == ("skipped", "already-back")
        assert await azure.os_disk(VM_ID) == "web01-old"

    play(story, FLEET)


def test_vms_with_nothing_to_go_back_to_are_skipped_without_a_write() -> None:
    """A VM that was never swapped, one on hold, and one whose earlier disk is deleted."""

    async def story(azure: LocalAzure) -> None:
        await swap(azure, "web01-new")
        await azure.arm("DELETE", disk_id("web01-old"))
        await azure.tag(WEB02, AutoRefresh="hold")
        await azure.settled()
        before = writes(azure)
        record = await run(azure, "/api/rollback", {"all": True})
        assert rows_of(record)["web01"] == ("refused", "disk-not-found")
        assert rows_of(record)["web02"] == ("skipped", "on-hold")
        await azure.tag(WEB02, AutoRefresh="true")
        record = await run(azure, "/api/rollback", {"vms": ["web02"]})
        assert rows_of(record) == {"web02": ("skipped", "no-previous")}
        await azure.settled()
        assert writes(azure) == before + 1  # the test's own

    play(story, FLEET)


def test_a_rollback_of_a_run_takes_back_what_the_run_gave() -> None:
    """A VM that runs another disk now, and one that the run refused, have rows with the reason."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.tag(WEB02, OsDiskName="web02-new")
        await azure.tag(VM_ID.replace("web01", "web03"), OsDiskName="missing")
        first = await run(azure, "/api/swap", {"vms": ["web01", "web02", "web03"]})
        await azure.settled()
        await swap(azure, "web01-newer")
        back = await run(azure, "/api/rollback", {"run": first["id"]})
        assert back["input"]["of_run"] == first["id"]
        assert rows_of(back) == {
            "web01": ("skipped", "runs-another-disk"),
            "web02": ("succeeded", "verified"),
            "web03": ("skipped", "not-given"),
        }
        assert (await azure.os_disk(VM_ID), await azure.os_disk(WEB02)) == ("web01-newer", "web02-old")
        again = await run(azure, "/api/rollback", {"run": first["id"]})
        assert rows_of(again)["web02"] == ("skipped", "already-back")
        of_back = await run(azure, "/api/rollback", {"run": back["id"]})
        assert rows_of(of_back)["web02"] == ("skipped", "already-back")
        assert await azure.os_disk(WEB02) == "web02-old"

    play(story, [*FLEET, vm_body("web03")])


@pytest.mark.parametrize(("body", "status", "problem"), [
    ({"run": "swaps-202611-0a1b2c3d-00000000"}, 404, "unknown-run"),
    ({"run": "images-202611-0a1b2c3d"}, 400, "bad-request"),
    ({"run": "swap-1", "all": True}, 400, "bad-request"),
])  # fmt: skip
def test_a_run_that_cannot_be_rolled_back_is_a_problem(body: dict[str, Any], status: int, problem: str) -> None:
    """An unknown run, one of another kind, and a run beside other VMs."""

    async def story(azure: LocalAzure) -> None:
        answered, found = await azure.api("POST", "/api/rollback", body)
        assert (answered, found["type"].rpartition(":")[2]) == (status, problem), found

    play(story, FLEET)


def test_a_run_that_has_not_ended_is_not_rolled_back() -> None:
    """The answer names the cancellation."""

    async def story(azure: LocalAzure) -> None:
        await azure.api("POST", "/api/pause", {})
        _, begun = await azure.api("POST", "/api/swap", {"vms": ["web01"], "disk": "web01-new"})
        status, found = await azure.api("POST", "/api/rollback", {"run": begun["id"]})
        assert (status, found["type"].rpartition(":")[2]) == (409, "run-under-way"), found

    play(story, FLEET)


def test_a_swap_that_has_not_begun_is_left_alone() -> None:
    """A rollback during a pause leads no VM past the disk it runs, whether its swap is queued or under way."""

    async def story(azure: LocalAzure) -> None:
        await swap(azure, "web01-new")
        await azure.api("POST", "/api/pause", {})
        _, begun = await azure.api("POST", "/api/swap", {"vms": ["web01"], "disk": "web01-newer"})
        await azure.until(lambda: bool(azure.dispatcher_state().get("queue")))
        back = await run(azure, "/api/rollback", {"vms": ["web01"]})
        assert rows_of(back) == {"web01": ("skipped", "swap-pending")}
        await azure.api("POST", "/api/resume", {})
        await azure.until(lambda: azure.journal(VM_ID)["stops"] == 2)
        back = await run(azure, "/api/rollback", {"vms": ["web01"]})
        assert rows_of(back) == {"web01": ("skipped", "swap-pending")}
        await ended(azure, begun["id"])
        await azure.settled()
        assert await azure.os_disk(VM_ID) == "web01-newer"

    play(story, FLEET)


def test_a_dry_run_shows_where_each_vm_would_go_back_to() -> None:
    """With the disk and the steps, or the reason why nothing is done; nothing is written."""

    async def story(azure: LocalAzure) -> None:
        given = await swap(azure, "web01-new")
        await azure.settled()
        before = writes(azure)
        for body in ({"all": True}, {"run": given["id"]}):
            status, plan = await azure.api("POST", "/api/rollback", {**body, "dryRun": True})
            assert status == 200, plan
            first = next(row for row in plan["plan"] if row["vm"] == VM_ID)
            assert (first["decision"], first["new_disk"]) == ("swap", disk_id("web01-old"))
            assert first["steps"][0] == "write-tag"
        _, plan = await azure.api("POST", "/api/rollback", {"vms": ["web02"], "dryRun": True})
        assert [(row["decision"], row["reason"]) for row in plan["plan"]] == [("skip", "no-previous")]
        assert writes(azure) == before

    play(story, FLEET)
