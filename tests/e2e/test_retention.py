"""Retention over the whole app: it lists by default, deletes only on request, and the result is read back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.chaos.failures import WorkerCrashes
from tests.support.worlds.builders import VM_ID
from tests.support.worlds.local_azure import LocalAzure, play, vm_body
from tests.support.worlds.retention_world import aged_fleet


async def ended(azure: LocalAzure, run: str) -> dict[str, Any]:
    await azure.hub.completed(run)
    return dict((await azure.api("GET", f"/api/runs/{run}"))[1])


async def by_timer(azure: LocalAzure) -> dict[str, Any]:
    """The run that the timer starts."""

    def runs() -> list[str]:
        return [one for one in azure.hub.orchestrations.instances if one.startswith("retention-")]

    await azure.fire("weekly_retention")
    await azure.until(lambda: bool(runs()))
    return await ended(azure, runs()[0])


def there(azure: LocalAzure) -> set[str]:
    kinds = ("Microsoft.Compute/disks", "Microsoft.Compute/galleries/images/versions")
    return {record.id.name for kind in kinds for record in azure.simulator.store.of_type(kind)}


def test_retention_lists_by_default_and_deletes_on_request() -> None:
    """The dry run lists deletable resources with size and cost; the run deletes exactly these and explains the rest."""

    async def story(azure: LocalAzure) -> None:
        before = there(azure)
        status, plan = await azure.api("POST", "/api/retention")
        assert status == 200, plan
        would = {row["id"].rsplit("/", 1)[1]: row for row in plan["plan"] if row["decision"] == "delete"}
        assert set(would) == {"web01-202601", "web01-202603", "202601.1.0"}
        assert (plan["deletable"], plan["size_gb"], plan["monthly_usd"], plan["in_use"]) == (3, 90, 9.42, 0)
        stays = {row["id"].rsplit("/", 1)[1]: row for row in plan["plan"] if row["decision"] == "keep"}
        assert {name: row["reason"] for name, row in stays.items()} == {
            "web01-202602": "named-by-tag",
            "web01-202604": "among-newest",
            "web01-202605": "among-newest",
            "202602.1.0": "disks-left",
            "202603.1.0": "among-newest",
            "202604.1.0": "disks-left",
            "202605.1.0": "disks-left",
        }
        assert stays["web01-202602"]["message"] == "tag OsDiskPrevious of VM web01 names it"
        run = await by_timer(azure)
        assert (run["status"], run["deleted"], run["deletable"], there(azure)) == ("succeeded", 0, 3, before)
        _, begun = await azure.api("POST", "/api/retention", {"dryRun": False})
        run = await ended(azure, begun["id"])
        assert (run["kind"], run["status"], run["deleted"], run["monthly_usd"]) == ("retention", "succeeded", 3, 9.42)
        assert before - there(azure) == set(would)
        rows = {row["id"].rsplit("/", 1)[1]: row["decision"] for row in run["resources"]}
        assert rows == {**dict.fromkeys(would, "deleted"), **dict.fromkeys(stays, "keep")}
        _, runs = await azure.api("GET", "/api/runs?kind=retention")
        assert len(runs["value"]) == 2

    play(story, aged_fleet(), events=False)


def test_retention_reports_what_azure_refuses_to_delete() -> None:
    """A refusal is a row with Azure's error and fails the run; if a list cannot be read, nothing is deleted."""

    async def story(azure: LocalAzure) -> None:
        before = there(azure)
        refusal = {"status": 403, "headers": {}, "body": {"error": {"code": "AuthorizationFailed", "message": "no"}}}
        azure.simulator.services.faults.add(
            [{"match": {"method": "DELETE", "path": "/disks/web01-202601$"}, "times": 9, "respond": refusal}]
        )
        _, begun = await azure.api("POST", "/api/retention", {"dryRun": False})
        run = await ended(azure, begun["id"])
        rows = {row["id"].rsplit("/", 1)[1]: row for row in run["resources"]}
        assert (run["status"], rows["web01-202601"]["reason"]) == ("failed", "azure-said-no")
        assert "AuthorizationFailed: no" in rows["web01-202601"]["message"]
        assert (rows["202601.1.0"]["decision"], rows["202601.1.0"]["reason"]) == ("keep", "disks-left")
        assert before - there(azure) == {"web01-202603"}
        azure.simulator.services.faults.add(
            [{"match": {"method": "GET", "path": "/virtualMachines$"}, "times": 99, "respond": refusal}]
        )
        _, begun = await azure.api("POST", "/api/retention", {"dryRun": False})
        run = await ended(azure, begun["id"])
        assert run["status"] == "failed"
        assert run["message"].startswith("not everything could be read, so nothing is deleted")
        status, problem = await azure.api("POST", "/api/retention")
        assert (status, problem["type"]) == (502, "urn:azure-vm-refresh:problem:azure-said-no")
        assert before - there(azure) == {"web01-202603"}

    play(story, aged_fleet(), events=False)


def test_retention_deletes_by_timer_only_if_a_setting_enables_it() -> None:
    """With REFRESH_RETENTION=delete the timer deletes; the VM's disks and the disk of its last swap stay."""

    async def story(azure: LocalAzure) -> None:
        await azure.api("POST", "/api/swap", {"vms": [VM_ID], "disk": "web01-202605"})
        await azure.settled()
        assert await azure.os_disk(VM_ID) == "web01-202605"
        await azure.api("POST", "/api/swap", {"vms": [VM_ID], "disk": "web01-202601"})
        await azure.settled()
        azure.clock.advance(50 * 86400)
        before = there(azure)
        run = await by_timer(azure)
        rows = {row["id"].rsplit("/", 1)[1]: row["reason"] for row in run["resources"]}
        assert (run["status"], rows["web01-202605"], run["in_use"]) == ("succeeded", "named-by-tag", 1), run
        assert before - there(azure) == {"web01-202602", "web01-202603", "202601.1.0", "202602.1.0"}

    play(story, aged_fleet(), settings={"REFRESH_RETENTION": "delete"}, events=False)


def test_retention_deletes_nothing_when_a_later_page_is_unread() -> None:
    """A disk that a VM on the second page names stays; with that page unreadable nothing is deleted."""

    async def story(azure: LocalAzure) -> None:
        before = there(azure)
        unreadable = [
            {"match": {"method": "GET", "path": "/virtualMachines$"}, "times": 1, "delay_s": 0},
            {"match": {"method": "GET", "path": "/virtualMachines$"}, "times": 99, "respond": {"status": 403}},
        ]
        azure.simulator.services.faults.add(unreadable)
        _, begun = await azure.api("POST", "/api/retention", {"dryRun": False})
        run = await ended(azure, begun["id"])
        assert (run["status"], run["resources"], there(azure)) == ("failed", [], before)
        azure.simulator.services.faults.clear()
        _, begun = await azure.api("POST", "/api/retention", {"dryRun": False})
        run = await ended(azure, begun["id"])
        assert run["status"] == "succeeded"
        assert before - there(azure) == {"web01-202603"}

    others = [vm_body(f"vm{number:02}", AutoRefresh="false") for number in range(60)]
    named = vm_body("zz", AutoRefresh="false", note="web01-202601")
    play(story, [*aged_fleet(), *others, named], events=False)


@pytest.mark.parametrize("lead_s", [0, 1])
def test_a_swap_during_retention_leaves_no_vm_without_a_disk(lead_s: int) -> None:
    """When a disk is requested while it is deleted, the VM runs at the end, on that disk or on its old one."""

    async def story(azure: LocalAzure) -> None:
        _, begun = await azure.api("POST", "/api/retention", {"dryRun": False})
        await asyncio.sleep(lead_s)
        await azure.tag(VM_ID, OsDiskName="web01-202603")
        run = await ended(azure, begun["id"])
        await azure.settled()
        swapped = await azure.os_disk(VM_ID) == "web01-202603"
        assert await azure.power(VM_ID) == "running"
        assert swapped == ("web01-202603" in there(azure))
        assert swapped or azure.journal(VM_ID)["stops"] == 0
        assert ("web01-202603" not in there(azure)) == any(
            row["id"].endswith("/web01-202603") and row["decision"] == "deleted" for row in run["resources"]
        )

    play(story, aged_fleet())


def test_retention_resumes_after_a_crash() -> None:
    """With a worker that dies repeatedly the same resources are deleted and reported."""

    async def story(azure: LocalAzure) -> None:
        before = there(azure)
        azure.hub.interruptions = crashes = WorkerCrashes()
        for moment in range(1, 25, 3):
            crashes.plan(moment)
        _, begun = await azure.api("POST", "/api/retention", {"dryRun": False})
        run = await ended(azure, begun["id"])
        rows = {row["id"].rsplit("/", 1)[1] for row in run["resources"] if row["decision"] == "deleted"}
        assert run["status"] == "succeeded", run
        assert before - there(azure) == rows == {"web01-202601", "web01-202603", "202601.1.0"}

    play(story, aged_fleet(), events=False)
