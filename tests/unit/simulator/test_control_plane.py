"""The simulator's control plane."""

from __future__ import annotations

import asyncio
import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from simulator.scenarios import ScenarioError, load, names
from tests.unit.simulator.arm.azure import COMPUTE, GROUP, SUB, VM1, Azure, Json, free_disk, linux_vm, run_story


def test_health_reports_the_time_and_the_speed() -> None:
    """Health has four fields, with the simulated time."""

    async def story(azure: Azure) -> None:
        before = (await azure.sim("GET", "health")).body
        assert (before["status"], before["clock"], before["speed"]) == ("ok", "virtual", 1.0)
        after = (await azure.sim("POST", "clock", {"advance_s": 3600})).body
        passed = datetime.fromisoformat(after["now"]) - datetime.fromisoformat(before["now"])
        assert passed.total_seconds() >= 3600

    run_story(story)


def test_an_unknown_request_is_a_404_that_names_the_known_ones() -> None:
    """A typo in a path or a wrong method gets the list of requests, not the refusal of ARM."""

    async def story(azure: Azure) -> None:
        for method, path in (("GET", "jurnal"), ("POST", "journal")):
            reply = await azure.sim(method, path)
            assert reply.status == 404
            assert reply.body["error"]["message"].startswith(f"there is no {method} {path}; there are GET health, ")

    run_story(story)


def test_advancing_the_clock_finishes_what_was_due() -> None:
    """An operation that is due has ended after one jump."""

    async def story(azure: Azure) -> None:
        reply = await azure.arm("POST", f"{VM1}/deallocate")
        await azure.sim("POST", "clock", {"advance_s": 300})
        assert (await azure.arm("GET", reply.headers["Azure-AsyncOperation"])).body["status"] == "Succeeded"
        assert await azure.power() == "PowerState/deallocated"

    run_story(story, [linux_vm()])


def test_an_id_is_enough_to_make_a_vm() -> None:
    """Group, OS disk, network interface, model and guest are filled in, without events."""

    async def story(azure: Azure) -> None:
        assert (await azure.sim("PUT", "resources", [{"id": VM1}])).body == {"upserted": 1}
        vm = await azure.vm()
        assert vm["location"] == "westeurope"
        assert vm["properties"]["instanceView"]["vmAgent"]["statuses"][0]["displayStatus"] == "Ready"
        disk_id = vm["properties"]["storageProfile"]["osDisk"]["managedDisk"]["id"]
        assert (await azure.arm("GET", disk_id)).body["managedBy"] == VM1
        nic = vm["properties"]["networkProfile"]["networkInterfaces"][0]["id"]
        configuration = (await azure.arm("GET", nic)).body["properties"]["ipConfigurations"][0]
        assert configuration["properties"]["privateIPAddress"].startswith("10.")
        assert (await azure.arm("GET", GROUP)).status == 200
        assert (await azure.sim("GET", "events")).body == []

    run_story(story)


def test_a_vm_and_its_disk_can_be_listed_in_any_order() -> None:
    """A disk listed after its VM is attached to it, with its own properties."""
    block = {"osDisk": {"name": "mine", "managedDisk": {"id": f"{COMPUTE}/disks/mine"}}}

    async def story(azure: Azure) -> None:
        disk = await azure.disk("mine")
        assert (disk["managedBy"], disk["properties"]["diskSizeGB"]) == (VM1, 64)
        assert (disk["properties"]["diskState"]) == "Reserved"

    vm = linux_vm(properties={"storageProfile": block}, _power="deallocated")
    run_story(story, [vm, free_disk("mine", {"diskSizeGB": 64})])


def test_resources_read_back_can_be_put_again_with_their_private_keys() -> None:
    """The bodies that GET returns can be PUT into an empty simulator and are the same there."""

    async def read(azure: Azure) -> list[Json]:
        body: list[Json] = (await azure.sim("GET", "resources")).body
        return body

    first = run_story(read, [linux_vm(_power="stopped", _agent=False, tags={"a": "b"})])
    assert {"_power", "_agent"} <= next(body for body in first if body["id"] == VM1).keys()
    again = run_story(read, first)
    key = lambda body: str(body["id"])  # noqa: E731
    assert sorted(first, key=key) == sorted(again, key=key)


def test_resources_are_found_by_type_and_id_in_any_case_and_removed() -> None:
    """Type and id filter in any case; deleting a VM detaches its disk."""

    async def story(azure: Azure) -> None:
        assert len((await azure.sim("GET", "resources?type=microsoft.compute/VIRTUALMACHINES")).body) == 1
        (vm,) = (await azure.sim("GET", f"resources?id={VM1.upper()}")).body
        assert (await azure.sim("DELETE", "resources", [VM1, f"{VM1}9"])).body == {"deleted": 1}
        assert (await azure.arm("GET", VM1)).status == 404
        disk_id = vm["properties"]["storageProfile"]["osDisk"]["managedDisk"]["id"]
        assert "managedBy" not in (await azure.arm("GET", disk_id)).body

    run_story(story, [linux_vm()])


def test_an_upsert_merges_and_keeps_what_it_does_not_name() -> None:
    """A change of tags and power leaves the disk unchanged."""

    async def story(azure: Azure) -> None:
        before = await azure.vm()
        await azure.sim("PUT", "resources", [{"id": VM1.lower(), "tags": {"x": "y"}, "_power": "deallocated"}])
        after = await azure.vm()
        assert after["tags"] == {"x": "y"}
        assert (
            after["properties"]["storageProfile"]["osDisk"]["name"]
            == (before["properties"]["storageProfile"]["osDisk"]["name"])
        )
        assert await azure.power() == "PowerState/deallocated"

    run_story(story, [linux_vm()])


def test_reset_starts_over() -> None:
    """Resources, operations, faults, journal and events are gone; the given scenario is loaded."""

    async def story(azure: Azure) -> None:
        await azure.arm("PUT", f"{VM1}/providers/Microsoft.Resources/tags/default", {"properties": {"tags": {}}})
        begun = await azure.arm("POST", f"{VM1}/deallocate")
        await azure.sim("POST", "faults", [{"match": {"path": "."}, "respond": {"status": 503}}])
        assert (await azure.sim("POST", "reset", {"scenario": "empty", "seed": 3})).status == 204
        assert (await azure.sim("GET", "resources")).body == []
        assert (await azure.sim("GET", "journal")).body == {"requests": [], "vms": {}}
        assert (await azure.sim("GET", "events")).body == []
        assert (await azure.arm("GET", begun.headers["Azure-AsyncOperation"])).status == 404
        await azure.sim("POST", "reset")
        assert await azure.power() == "PowerState/running"

    run_story(story, [linux_vm()])


def test_the_journal_notes_every_request_but_its_own() -> None:
    """Method, path, query, status, simulated times, the client's id and a digest of the body; nothing under /_sim."""

    async def story(azure: Azure) -> None:
        body = {"tags": {"a": "b"}}
        await azure.arm("PATCH", VM1, body, x_ms_client_request_id="mine")
        await azure.arm("GET", f"{VM1}9")
        patch, get = (await azure.sim("GET", "journal")).body["requests"]
        assert (patch["method"], patch["path"], patch["status"]) == ("PATCH", VM1, 200)
        assert (patch["query"], patch["client_request_id"]) == ("api-version=2024-07-01", "mine")
        assert patch["body_sha256"] == hashlib.sha256(json.dumps(body).encode()).hexdigest()
        assert (get["status"], get["body_sha256"], get["client_request_id"]) == (404, None, None)
        assert datetime.fromisoformat(get["t"]) >= datetime.fromisoformat(patch["t"])
        assert patch["duration_s"] >= 0

    run_story(story, [linux_vm()])


BAD: dict[str, tuple[str, str, Any, str]] = {
    "a rule with an unknown key": ("POST", "faults", [{"disk": "x", "boots": False, "colour": 1}], "'colour'"),
    "a match with an unknown key": ("POST", "faults", [{"match": {"verb": "GET"}, "duration_s": 1}], "'verb'"),
    "an unknown operation": ("POST", "faults", [{"match": {"operation": "fly"}, "duration_s": 1}], "'fly'"),
    "a rule without a verb": ("POST", "faults", [{"match": {"operation": "start"}}], "'respond'"),
    "a broken pattern": ("POST", "faults", [{"match": {"path": "("}, "respond": {}}], "regular expression"),
    "rules that are no list": ("POST", "faults", {"disk": "x"}, "list"),
    "a body without id": ("PUT", "resources", [{"name": "vm1"}], "'id'"),
    "an id that names nothing": ("PUT", "resources", [{"id": "vm1"}], "vm1"),
    "an unknown private key": ("PUT", "resources", [{"id": VM1, "_mood": "good"}], "'_mood'"),
    "an unknown power state": ("PUT", "resources", [{"id": VM1, "_power": "asleep"}], "'asleep'"),
    "time that goes back": ("POST", "clock", {"advance_s": -1}, "advance_s"),
    "an unknown key": ("POST", "clock", {"hours": 1}, "'hours'"),
    "an unknown scenario": ("POST", "reset", {"scenario": "nowhere"}, "'nowhere'"),
    "a seed that is no number": ("POST", "reset", {"seed": "x"}, "seed"),
}


@pytest.mark.parametrize("case", BAD)
def test_an_invalid_request_is_refused_with_the_fault_named(case: str) -> None:
    """The answer is 400, its message names the fault, and no resource changes."""
    method, path, body, named = BAD[case]

    async def story(azure: Azure) -> None:
        reply = await azure.sim(method, path, body)
        assert reply.status == 400
        assert named in reply.message
        assert await azure.power() == "PowerState/running"

    run_story(story, [linux_vm()])


def test_a_planned_answer_comes_before_anything_happens() -> None:
    """`respond` replaces ARM's answer `times` times, with its headers and body; then ARM answers again."""

    async def story(azure: Azure) -> None:
        respond = {"status": 429, "headers": {"Retry-After": "7"}, "body": {"error": {"code": "TooMany"}}}
        rule = {"match": {"method": "POST", "path": "/deallocate$"}, "times": 1, "respond": respond}
        assert len((await azure.sim("POST", "faults", [rule])).body["ids"]) == 1
        planned = await azure.arm("POST", f"{VM1}/deallocate")
        assert (planned.status, planned.headers["Retry-After"], planned.code) == (429, "7", "TooMany")
        assert await azure.power() == "PowerState/running"
        assert (await azure.arm("POST", f"{VM1}/deallocate")).status == 202

    run_story(story, [linux_vm()])


def test_the_first_rule_that_matches_decides() -> None:
    """Rules apply in the given order; after its `times` a rule is skipped; DELETE removes all."""

    async def story(azure: Azure) -> None:
        rules = [
            {"match": {"operation": "powerOff", "resource": "vm*"}, "times": 1, "duration_s": 100},
            {"match": {"operation": "powerOff", "resource": "*/virtualMachines/VM1"}, "duration_s": 200},
        ]
        await azure.sim("POST", "faults", rules)
        took = []
        for _ in range(3):
            begun = azure.clock.time()
            await azure.finish(await azure.arm("POST", f"{VM1}/powerOff"))
            took.append(azure.clock.time() - begun)
            await azure.sim("PUT", "resources", [{"id": VM1, "_power": "running"}])
            if len(took) == 2:
                await azure.sim("DELETE", "faults")
        assert took[:2] == [pytest.approx(100, abs=2), pytest.approx(200, abs=2)]
        assert took[2] < 30

    run_story(story, [linux_vm()])


def test_a_failed_start_keeps_the_vm_down() -> None:
    """The downtime interval stays open until a start succeeds."""

    async def story(azure: Azure) -> None:
        error = {"code": "AllocationFailed", "message": "Allocation failed."}
        await azure.sim("POST", "faults", [{"match": {"operation": "start"}, "times": 1, "fail": error}])
        await azure.finish(await azure.arm("POST", f"{VM1}/deallocate"))
        assert (await azure.finish(await azure.arm("POST", f"{VM1}/start")))["status"] == "Failed"
        view = (await azure.vm())["properties"]["instanceView"]["statuses"]
        assert [each["code"] for each in view] == [
            "ProvisioningState/failed/AllocationFailed",
            "PowerState/deallocated",
        ]
        await asyncio.sleep(1000)
        await azure.finish(await azure.arm("POST", f"{VM1}/start"))
        (down,) = (await azure.sim("GET", "journal")).body["vms"].values()
        assert (down["stops"], len(down["intervals"])) == (1, 1)
        assert down["not_running_s"] > 1000

    run_story(story, [linux_vm()])


def test_resource_graph_sees_what_arm_holds() -> None:
    """A query through ARM's endpoint returns the VM's tags and power state."""
    query = "resources | where type =~ 'microsoft.compute/virtualmachines' | project id, tags, properties"

    async def story(azure: Azure) -> None:
        path = "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01"
        reply = await azure.arm("POST", path, {"subscriptions": [SUB], "query": query})
        (row,) = reply.body["data"]
        assert (row["id"], row["tags"]) == (VM1, {"AutoRefresh": "true"})
        assert row["properties"]["extended"]["instanceView"]["powerState"]["code"] == "PowerState/running"
        assert reply.headers["x-ms-user-quota-remaining"] == "14"

    run_story(story, [linux_vm(tags={"AutoRefresh": "true"})])


def test_a_scenario_is_a_list_a_file_or_a_name(tmp_path: Path) -> None:
    """All three load; anything else is refused."""
    file = tmp_path / "fleet.json"
    file.write_text(json.dumps([{"id": VM1}]))
    assert load([{"id": VM1}]) == load(file) == load(str(file)) == [{"id": VM1}]
    assert load("empty") == load(None) == []
    assert "empty" in names()
    file.write_text("{}")
    for wrong in (file, tmp_path / "none.json", "no_such_name"):
        with pytest.raises(ScenarioError):
            load(wrong)
