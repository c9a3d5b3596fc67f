"""The HTTP API through the local Functions host: app, Durable and ARM over HTTP, in virtual time."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.support.worlds.builders import VERSION_ID, VM_ID, disk_id
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body
from tests.support.worlds.month_world import gallery_bodies, version_body

FLEET = [vm_body(), disk_body("web01-new")]
RECORD = {"vm", "decision", "reason", "message", "current", "wanted", "previous", "next", "run"}
STOP = {"stop_mode", "stop_why", "warnings"}
FRESH = {"version", "latest", "disk_age_days", "days_behind"}
MONTH_FLEET = [*gallery_bodies(), vm_body(), vm_body("web02", AutoRefresh="hold")]


def fleet_of(count: int) -> list[dict[str, Any]]:
    return [body for n in range(count) for body in (vm_body(f"vm{n:04}"), disk_body(f"vm{n:04}-old"))]


async def ended(azure: LocalAzure, run: str) -> dict[str, Any]:
    async def is_over() -> bool:
        return bool((await azure.api("GET", f"/api/runs/{run}"))[1]["status"] != "running")

    await azure.until(is_over)
    return dict((await azure.api("GET", f"/api/runs/{run}"))[1])


def instances(azure: LocalAzure) -> int:
    return len(azure.hub.orchestrations.instances)


def writes(azure: LocalAzure) -> list[str]:
    requests = azure.simulator.journal.to_json(azure.clock.now())["requests"]
    return [
        f"{row['method']} {row['path']}"
        for row in requests
        if row["method"] not in ("GET", "HEAD") and "ResourceGraph" not in row["path"]
    ]


def test_a_swap_is_started_watched_and_rolled_back() -> None:
    """202 with a link, a running run that names the VM, then the verified result; rollback restores the old disk."""

    async def story(azure: LocalAzure) -> None:
        body = {"vms": ["web01"], "disk": "web01-new"}
        async with azure.http.post(f"{azure.functions}/api/swap", json=body) as answer:
            begun = await answer.json()
            assert answer.status == 202
            assert begun == {"id": begun["id"], "status": "running", "href": f"/api/runs/{begun['id']}"}
            assert answer.headers["Location"] == begun["href"]
            assert begun["id"].startswith("swaps-202")
        await asyncio.sleep(15)
        _, run = await azure.api("GET", begun["href"])
        assert (run["status"], [row["vm"] for row in run["vms"]]) == ("running", [VM_ID])
        run = await ended(azure, begun["id"])
        (row,) = run["vms"]
        assert (run["status"], run["kind"], row["reason"]) == ("succeeded", "swaps", "verified")
        assert (row["old_disk"], row["new_disk"]) == (disk_id("web01-old"), disk_id("web01-new"))
        assert set(row) >= {*RECORD, "down_s"}
        _, own = await azure.api("GET", f"/api/runs/{row['run']}")
        assert (own["status"], own["kind"]) == ("succeeded", "swap")
        _, back = await azure.api("POST", "/api/rollback", {"vms": [VM_ID]})
        assert (await ended(azure, back["id"]))["status"] == "succeeded"
        assert await azure.os_disk(VM_ID) == "web01-old"

    play(story, FLEET)


def test_a_dry_run_shows_the_whole_plan_and_changes_nothing() -> None:
    """The plan has steps, seconds, checks and the disk; it causes no ARM write, no run and no signal."""

    async def story(azure: LocalAzure) -> None:
        for path in ("swap", "rollback", "images", "disks", "tags", "refresh", "pause", "resume"):
            sent_body = {"dryRun": True} | ({"all": True} if path in ("swap", "rollback", "tags") else {})
            status, answer = await azure.api("POST", f"/api/{path}", sent_body)
            assert status == 200, (path, answer)
            assert {"plan", "disks_added", "down_s"} <= set(answer)
        body = {"vms": ["web01"], "disk": "web01-new", "dryRun": True}
        _, answer = await azure.api("POST", "/api/swap", body)
        (row,) = answer["plan"]
        assert (row["decision"], row["wanted"], row["new_disk"]) == ("swap", "web01-new", disk_id("web01-new"))
        assert row["steps"] == ["write-tag", "stop", "new-disk", "start", "health"]
        assert row["down_s"] == answer["down_s"] > 30
        assert all(check["ok"] for check in row["checks"])
        await azure.settled()
        assert (writes(azure), instances(azure), azure.dispatcher_state()) == ([], 0, {})

    play(story, [*MONTH_FLEET, disk_body("web01-new")], events=False)


def test_a_month_does_what_its_dry_run_planned() -> None:
    """The real run makes the disks and swaps of the plan, including those from images that are not built yet."""

    async def story(azure: LocalAzure) -> None:
        sent_body = {"period": "202611", "rollout": "auto"}
        _, plan = await azure.api("POST", "/api/refresh", sent_body | {"dryRun": True})
        assert plan["disks_added"] == 2
        assert [image["decision"] for image in plan["images"]] == ["create"]
        rows = {row["vm"].rsplit("/", 1)[-1]: row for row in plan["plan"]}
        assert rows["web01"]["steps"][:3] == ["create-disk", "write-tag", "stop"]
        assert rows["web01"]["down_s"] == plan["down_s"] > 30
        assert rows["web02"]["steps"] == ["create-disk"]
        _, begun = await azure.api("POST", "/api/refresh", sent_body)
        run = await ended(azure, begun["id"])
        assert (run["kind"], run["status"]) == ("month", "succeeded"), run
        done = {row["vm"].rsplit("/", 1)[-1]: row for row in run["vms"]}
        assert done["web01"]["new_disk"] == rows["web01"]["new_disk"]
        assert await azure.os_disk(VM_ID) == "web01-202611"
        assert await azure.arm("GET", disk_id("web02-202611"))
        _, listed = await azure.api("GET", "/api/runs?kind=month")
        assert [one["id"] for one in listed["value"]] == [begun["id"]]

    play(story, MONTH_FLEET)


def test_a_second_month_of_the_same_period_is_a_conflict() -> None:
    """While a month runs, another request for its period gets 409 with the id of the run."""

    async def story(azure: LocalAzure) -> None:
        _, begun = await azure.api("POST", "/api/refresh", {"period": "202611"})
        status, problem = await azure.api("POST", "/api/refresh", {"period": "202611"})
        assert (status, problem["status"]) == (409, 409)
        assert begun["id"] in problem["detail"]
        await ended(azure, begun["id"])
        assert (await azure.api("POST", "/api/refresh", {"period": "202611"}))[0] == 202

    play(story, MONTH_FLEET, events=False)


def test_a_paused_app_keeps_vms_waiting_and_shows_why() -> None:
    """While paused, a requested disk waits in the queue with the reason; after resume it is swapped in."""

    async def story(azure: LocalAzure) -> None:
        _, paused = await azure.api("POST", "/api/pause", {"why": "freeze"})
        assert (paused["paused"], paused["paused_why"], paused["was_paused"]) == (True, "freeze", False)
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: bool(azure.dispatcher_state().get("queue")))
        _, queue = await azure.api("GET", "/api/queue")
        assert queue["paused"] is True
        (row,) = queue["waiting"]
        assert (row["vm"], row["wanted"], row["reason"]) == (VM_ID, "web01-new", "paused")
        assert "freeze" in row["message"]
        _, resumed = await azure.api("POST", "/api/resume")
        assert (resumed["paused"], resumed["was_paused"]) == (False, True)
        await azure.settled()
        assert await azure.os_disk(VM_ID) == "web01-new"
        assert (await azure.api("GET", "/api/queue"))[1]["waiting"] == []

    play(story, FLEET)


def test_pause_works_while_azure_fails() -> None:
    """Pause takes effect while ARM answers every request with 503."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([{"match": {"path": "."}, "times": 99, "respond": {"status": 503}}])
        assert (await azure.api("POST", "/api/pause"))[0] == 200
        await azure.until(lambda: "paused" in azure.dispatcher_state())

    play(story, FLEET)


def test_vms_that_need_attention_come_first() -> None:
    """VMs are listed refused, to swap, unchanged, each with its `next` disk; VMs out of scope are not listed."""

    async def story(azure: LocalAzure) -> None:
        status, answer = await azure.api("GET", "/api/vms")
        assert status == 200
        assert [(row["vm"].rsplit("/", 1)[-1], row["decision"], row["reason"]) for row in answer["value"]] == [
            ("bad", "refuse", "disk-not-found"),
            ("wish", "swap", "wanted"),
            ("calm", "skip", "no-wish"),
        ]
        assert all(set(row) == RECORD | STOP | FRESH for row in answer["value"])
        assert [row["next"] for row in answer["value"]] == [None, "wish-202611", None]
        assert answer["nextLink"] is None
        status, exact = await azure.api("GET", "/api/vms?vm=wish")
        assert (status, exact) == (200, answer["value"][1])
        status, problem = await azure.api("GET", "/api/vms?vm=missing")
        assert (status, problem["title"]) == (404, "There is no such VM")

    requested_disk = disk_body(
        "wish-202611", creationData={"createOption": "FromImage", "galleryImageReference": {"id": VERSION_ID}}
    )
    bodies = [vm_body("calm"), vm_body("wish", OsDiskName="wish-202611"), vm_body("bad", OsDiskName="nonsense")]
    bodies += [vm_body("out", AutoRefresh="false"), {**requested_disk, "tags": {"RefreshVm": "wish"}}]
    play(story, [*gallery_bodies(), version_body(), *bodies], events=False)


def test_a_fleet_is_paged_and_listed_once() -> None:
    """250 VMs come in three pages, each VM once, and pages after the first cost no ARM request."""

    async def story(azure: LocalAzure) -> None:
        path: str | None = "/api/vms"
        seen: list[str] = []
        costs = []
        while path is not None:
            before = len(azure.simulator.journal.to_json(azure.clock.now())["requests"])
            status, page = await azure.api("GET", path)
            costs.append(len(azure.simulator.journal.to_json(azure.clock.now())["requests"]) - before)
            assert status == 200
            seen += [row["vm"] for row in page["value"]]
            path = page["nextLink"]
        assert (len(seen), len(set(seen)), costs[1:]) == (250, 250, [0, 0])

    play(story, fleet_of(250), events=False)


def test_runs_are_paged_by_time() -> None:
    """Runs come newest first, at most `top` on a page, and the link continues where the page ended."""

    async def story(azure: LocalAzure) -> None:
        begun = []
        for _ in range(5):
            _, answer = await azure.api("POST", "/api/disks", {"period": "202611"})
            begun.append(answer["id"])
            await asyncio.sleep(60)
        path: str | None = "/api/runs?top=2"
        seen: list[str] = []
        while path is not None:
            _, page = await azure.api("GET", path)
            assert len(page["value"]) <= 2
            seen += [run["id"] for run in page["value"]]
            path = page["nextLink"]
        assert seen == begun[::-1]
        assert (await azure.api("GET", "/api/runs?to=2020-01-01T00:00:00Z"))[1] == {"value": [], "nextLink": None}

    play(story, MONTH_FLEET, events=False)


def test_throttling_by_azure_is_a_problem_with_its_retry_after() -> None:
    """Throttling by ARM becomes 503 with ARM's Retry-After; no run starts."""

    async def story(azure: LocalAzure) -> None:
        error = {"error": {"code": "TooManyRequests", "message": "slow down"}}
        answer = {"status": 429, "headers": {"Retry-After": "33"}, "body": error}
        azure.simulator.services.faults.add(
            [{"match": {"path": "virtualMachines|resources$"}, "times": 99, "respond": answer}]
        )
        for method, path in (("GET", "/api/vms"), ("POST", "/api/swap"), ("GET", "/api/vms?vm=web01")):
            body = {"vms": ["web01"]} if method == "POST" else None
            async with azure.http.request(method, f"{azure.functions}{path}", json=body) as got:
                problem = json.loads(await got.text())
                assert (got.status, got.headers["Retry-After"]) == (503, "33"), problem
                assert got.headers["Content-Type"].startswith("application/problem+json")
                assert "TooManyRequests" in problem["detail"]
        assert instances(azure) == 0

    play(story, FLEET, events=False)
