"""The month, run by the whole app on the local Functions host against the local Azure, in virtual time."""

from __future__ import annotations

import json
from typing import Any

from refresh.records.month import MAX_ROW_BYTES
from simulator.arm.core.store import Json
from tests.support.worlds.builders import DEFINITION_ID, GALLERY, disk_id
from tests.support.worlds.month_world import (
    GOLDEN,
    PERIOD,
    HostedWorld,
    definition_body,
    gallery_bodies,
    on_functions,
    version_body,
    vm_bodies,
    vm_id,
)

FAR = [{**body, "location": "uksouth"} for body in vm_bodies("far01")]


def reasons(rows: list[Json], key: str) -> dict[str, tuple[str, str]]:
    return {row[key].rsplit("/", 1)[-1]: (row["decision"], row["reason"]) for row in rows}


def test_a_manual_month_makes_images_and_disks_and_touches_no_vm() -> None:
    """There are versions in every region in scope, a disk and a row for every VM, and no tag is written."""

    async def story(world: HostedWorld) -> None:
        result = await world.run("refresh_month")
        assert (result["kind"], result["period"], result["status"]) == ("month", PERIOD, "refused")
        assert reasons(result["images"], "definition") == {
            "ubuntu": ("create", "made"),
            "broken": ("refuse", "no-source"),
        }
        assert reasons(result["vms"], "vm") == {
            "web01": ("create", "made"),
            "held": ("create", "made"),
            "far01": ("create", "made"),
            "win01": ("refuse", "no-image"),
        }
        # The version itself is changed: once it is replicated it is no longer excluded from latest.
        changes = {line for line in world.writes() if line.startswith(("PATCH", "POST"))}
        assert changes == {"PATCH 202611.1.0"}
        assert "token" not in json.dumps(result).lower()
        again = await world.run("refresh_month")
        assert reasons(again["images"], "definition")["ubuntu"] == ("skip", "kept")
        assert reasons(again["vms"], "vm")["web01"] == ("skip", "kept")

    fleet = [
        *vm_bodies("web01"),
        *vm_bodies("held", {"autorefresh": "Hold"}),
        *vm_bodies("win01", os_type="Windows"),
        *vm_bodies("out", {}),
        *FAR,
        definition_body(f"{GALLERY}/images/broken", {"AutoRefresh": "true"}, hyperVGeneration="V1"),
    ]
    on_functions([*gallery_bodies(), *fleet], story)


def test_an_automatic_month_ends_with_every_vm_on_its_new_disk() -> None:
    """With rollout on, tags are written and swaps verified; a VM on hold keeps its disk and its tags."""

    async def story(world: HostedWorld) -> None:
        result = await world.run("refresh_month")
        rows = {row["vm"].rsplit("/", 1)[-1]: row for row in result["vms"]}
        assert {name: row["status"] for name, row in rows.items() if "status" in row} == {
            "web01": "succeeded",
            "web02": "succeeded",
        }
        assert rows["held"]["reason"] == "on-hold"
        for name, disk in {"web01": "web01-202611", "web02": "web02-202611", "held": "held-old"}.items():
            vm = world.resource(vm_id(name))
            assert vm is not None
            assert vm["properties"]["storageProfile"]["osDisk"]["name"] == disk

    fleet = [*vm_bodies("web01"), *vm_bodies("web02"), *vm_bodies("held", {"AutoRefresh": "hold"})]
    on_functions([*gallery_bodies(), *fleet], story, REFRESH_ROLLOUT="auto")


def test_a_rebuild_makes_one_more_version_and_one_more_disk() -> None:
    """`force_rebuild` makes the next version of the month, and disks with the next name."""

    async def story(world: HostedWorld) -> None:
        images = await world.run("create_images", {"period": PERIOD, "force_rebuild": True})
        assert [(row["decision"], row["version"]) for row in images["images"]] == [("create", "202611.2.0")]
        disks = await world.run("create_disks", {"vms": [vm_id("web01")], "period": PERIOD})
        assert disks["vms"][0]["next"] == "web01-202611-2"

    old = {"id": disk_id("web01-202611"), "location": "westeurope", "zones": ["1"]}
    on_functions([*gallery_bodies(), version_body(), old, *vm_bodies("web01")], story)


def test_two_builds_at_once_make_one_version() -> None:
    """Two runs of the same month choose the same name, so the second run finds the first one's version."""

    async def story(world: HostedWorld) -> None:
        first = world.hub.start("create_images", {"period": PERIOD}, None)
        second = await world.run("create_images", {"period": PERIOD})
        await world.hub.completed(first)
        rows = [*world.hub.output(first)["images"], *second["images"]]
        assert {row["version"] for row in rows} == {"202611.1.0"}
        assert {row["decision"] for row in rows} <= {"create", "skip"}
        assert set(world.writes()) == {"PUT 202611.1.0", "PATCH 202611.1.0"}

    on_functions(gallery_bodies(), story)


def test_a_failed_build_has_azures_error_and_the_others_go_on() -> None:
    """The row of the failed definition has Azure's reason; no result contains its token."""

    async def story(world: HostedWorld) -> None:
        error = {"code": "OutOfQuota", "message": "no room for it"}
        match = {"operation": "versionCreate", "resource": "*images/ubuntu/*"}
        world.simulator.services.faults.add([{"match": match, "fail": error}])
        result = await world.run("create_images")
        assert result["status"] == "failed"
        rows = {row["definition"].rsplit("/", 1)[-1]: row for row in result["images"]}
        assert rows["ubuntu"]["decision"] == "failed"
        assert "OutOfQuota: no room for it" in rows["ubuntu"]["message"]
        assert rows["debian"]["decision"] == "create"

    debian = definition_body(f"{GALLERY}/images/debian", {"AutoRefresh": "true", "RefreshSource": GOLDEN})
    on_functions([*gallery_bodies(), debian], story)


def test_a_build_that_takes_hours_is_waited_for_and_then_reported() -> None:
    """After an hour the build continues as new; after four hours it ends as timed out."""

    async def story(world: HostedWorld) -> None:
        match = {"operation": "versionCreate", "resource": "*"}
        world.simulator.services.faults.add([{"match": match, "times": 1, "duration_s": 2.5 * 3600}])
        assert (await world.run("create_images"))["images"][0]["decision"] == "create"
        world.simulator.services.faults.add([{"match": match, "times": 1, "duration_s": 9 * 3600}])
        slow = (await world.run("create_images", {"force_rebuild": True}))["images"][0]
        assert (slow["decision"], slow["reason"]) == ("failed", "timed-out")

    on_functions(gallery_bodies(), story)


def test_an_unreadable_scope_is_a_result() -> None:
    """When neither Resource Graph nor ARM's list has the VMs in scope, the run fails with the reason."""

    async def story(world: HostedWorld) -> None:
        matches = [{"path": ".*ResourceGraph.*"}, {"method": "GET", "path": ".*/Microsoft.Compute/virtualMachines$"}]
        answer = {"status": 403, "body": {"error": {"code": "AuthorizationFailed", "message": "no"}}}
        world.simulator.services.faults.add([{"match": match, "respond": answer} for match in matches])
        for name in ("refresh_month", "create_disks", "write_tags"):
            result = await world.run(name)
            assert result["status"] == "failed"
            assert "AuthorizationFailed" in result["message"]
        bad: Any = await world.run("create_disks", {"period": "2026-11"})
        assert "YYYYMM" in bad["message"]

    on_functions(gallery_bodies(), story)


def test_2500_vms_get_their_disks_in_batches() -> None:
    """At most ten activities are outstanding, and every VM has a row of at most 400 bytes."""
    count = 2500

    async def story(world: HostedWorld) -> None:
        result = await world.run("create_disks")
        assert len(result["vms"]) == count
        assert {row["reason"] for row in result["vms"]} == {"made"}
        assert max(len(json.dumps(row)) for row in result["vms"]) <= MAX_ROW_BYTES
        open_now = most = 0
        for entry in world.hub.trace:
            if entry.kind == "activity":
                open_now += {"scheduled": 1, "completed": -1}.get(entry.what, 0)
                most = max(most, open_now)
        assert most <= 10

    vms = [body for n in range(count) for body in vm_bodies(f"vm{n:04d}")]
    on_functions([*gallery_bodies(), version_body(f"{DEFINITION_ID}/versions/202611.1.0"), *vms], story)
