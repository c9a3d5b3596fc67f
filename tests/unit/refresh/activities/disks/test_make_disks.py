"""The month's disks, made on the local Azure over HTTP."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from refresh.activities.disks.make_disks import make_batch
from refresh.reading.disks.checked_plans import plan_disks
from refresh.records.month import BatchInput
from simulator.arm.core.store import Json
from tests.support.worlds.builders import DEFINITION_ID, GALLERY, VERSION_ID, disk_id, recall_nothing
from tests.support.worlds.month_world import (
    PERIOD,
    WINDOWS_ID,
    World,
    definition_body,
    gallery_bodies,
    on_arm,
    version_body,
    vm_bodies,
    vm_id,
)

READY = [*gallery_bodies(), version_body()]
REBUILT = f"{DEFINITION_ID}/versions/202611.2.0"


async def make(world: World, *names: str) -> list[Json]:
    vms = tuple(vm_id(name) for name in names)
    return await make_batch(world.gateways, world.settings, BatchInput(vms, PERIOD), recall_nothing)


def outcomes(rows: list[Json]) -> list[tuple[str, str, str | None]]:
    return [(row["decision"], row["reason"], row.get("next")) for row in rows]


def test_a_missing_disk_is_made_like_the_current_one() -> None:
    """The disk is read back free, from the version, in the VM's place, with the old disk's properties and tags."""

    async def story(world: World) -> None:
        rows = await make(world, "web01")
        assert outcomes(rows) == [("create", "made", "web01-202611")]
        disk = world.resource(disk_id("web01-202611"))
        assert disk is not None
        assert (disk["location"], disk["zones"], disk["sku"]["name"]) == ("westeurope", ["1"], "Premium_LRS")
        assert disk["properties"]["creationData"]["galleryImageReference"]["id"] == VERSION_ID
        assert disk["properties"]["diskState"] == "Unattached"
        assert disk["tags"]["owner"] == "team"
        assert disk["tags"]["RefreshPeriod"] == PERIOD

    on_arm([*READY, *vm_bodies("web01")], story)


def test_an_existing_disk_is_kept_and_nothing_is_written() -> None:
    """A second run finds the disk; a rebuilt image uses the next name."""

    async def story(world: World) -> None:
        await make(world, "web01")
        before = world.writes()
        assert outcomes(await make(world, "web01")) == [("skip", "kept", "web01-202611")]
        assert world.writes() == before
        world.simulator.put_resources([version_body(REBUILT)])
        assert outcomes(await make(world, "web01")) == [("create", "made", "web01-202611-2")]
        assert outcomes(await make(world, "web01")) == [("skip", "kept", "web01-202611-2")]

    on_arm([*READY, *vm_bodies("web01")], story)


def test_a_dry_run_lists_what_the_run_will_do_and_changes_nothing() -> None:
    """The plan's rows name the same disks, from single reads and from lists."""

    async def story(world: World) -> None:
        vms = [vm_id("web01"), vm_id("web02"), *(vm_id(f"gone{n:02d}") for n in range(60))]
        few = await plan_disks(world.gateways, world.settings, vms[:2], PERIOD, recall_nothing)
        before = len(world.requests())
        many = await plan_disks(world.gateways, world.settings, vms, PERIOD, recall_nothing)
        assert len(world.requests()) - before < 20
        assert outcomes(few) == [("create", "missing", "web01-202611"), ("create", "missing", "web02-202611")]
        assert many[:2] == few
        assert outcomes(many[2:]) == [("skip", "vm-gone", None)] * 60
        assert world.writes() == []

    on_arm([*READY, *vm_bodies("web01"), *vm_bodies("web02", {"autorefresh": "Hold"})], story)


def test_one_failing_vm_never_stops_the_others() -> None:
    """Every VM gets a row with its own reason; a VM on hold still gets its disk."""

    async def story(world: World) -> None:
        rows = await make(world, "ok", "held", "gone", "out", "win", "lost", "refused")
        assert outcomes(rows) == [
            ("create", "made", "ok-202611"),
            ("create", "made", "held-202611"),
            ("skip", "vm-gone", None),
            ("refuse", "not-in-scope", None),
            ("refuse", "no-image", None),
            ("refuse", "unknown-image", None),
            ("failed", "azure-said-no", "refused-202611"),
        ]
        assert "SkuNotAvailable" in rows[-1]["message"]
        assert "ubuntu" in rows[5]["message"]

    async def with_faults(world: World) -> None:
        rule = {"method": "PUT", "path": ".*/disks/refused-202611.*"}
        answer = {"status": 409, "body": {"error": {"code": "SkuNotAvailable", "message": "not here"}}}
        world.simulator.services.faults.add([{"match": rule, "respond": answer}])
        await story(world)

    fleet = [
        *vm_bodies("ok"),
        *vm_bodies("held", {"AutoRefresh": "HOLD"}),
        *vm_bodies("out", {}),
        *vm_bodies("win", os_type="Windows"),
        *vm_bodies("lost", {"AutoRefresh": "true", "RefreshImage": "nope"}),
        *vm_bodies("refused"),
    ]
    on_arm([*READY, *fleet], with_faults)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"times": 2, "respond": {"status": 429, "headers": {"Retry-After": "7"}}}, ("create", "made")),
        ({"times": 1, "respond": {"status": 503}}, ("create", "made")),
        ({"times": 999, "respond": {"status": 429, "headers": {"Retry-After": "30"}}}, ("failed", "not-read")),
    ],
)
def test_a_throttled_call_is_tried_again_within_a_budget(fault: dict[str, Any], expected: tuple[str, str]) -> None:
    """The server's Retry-After is kept; throttling without end is a row."""

    async def story(world: World) -> None:
        match = {"method": "PUT", "path": ".*/disks/.*"}
        world.simulator.services.faults.add([{"match": match, **fault}])
        rows = await make(world, "web01")
        assert (rows[0]["decision"], rows[0]["reason"]) == expected

    on_arm([*READY, *vm_bodies("web01")], story)


def test_a_disk_that_cannot_be_made_is_reported_with_azures_error() -> None:
    """A disk that is not read back as Succeeded is a failed row, and the next run uses the next name."""

    async def story(world: World) -> None:
        match = {"operation": "diskCreate", "resource": "*web01-202611"}
        error = {"code": "AllocationFailed", "message": "no room"}
        world.simulator.services.faults.add([{"match": match, "times": 1, "fail": error}])
        rows = await make(world, "web01")
        assert (rows[0]["decision"], rows[0]["reason"]) == ("failed", "azure-said-no")
        assert "AllocationFailed: no room" in rows[0]["message"]
        assert (await make(world, "web01"))[0]["decision"] == "create"

    on_arm([*READY, *vm_bodies("web01")], story)


def test_a_name_taken_by_something_else_is_left_alone() -> None:
    """A disk with the month's name from another source is left alone; the next name is used."""

    async def story(world: World) -> None:
        other = {"id": disk_id("web01-202611"), "location": "westeurope", "zones": ["1"]}
        world.simulator.put_resources([other])
        assert outcomes(await make(world, "web01")) == [("create", "made", "web01-202611-2")]

    on_arm([*READY, *vm_bodies("web01")], story)


def test_a_version_must_have_arrived_in_the_vms_region() -> None:
    """Without a version in the region nothing is made, and the row has the reason."""

    async def story(world: World) -> None:
        rows = await make(world, "web01", "far01")
        assert outcomes(rows) == [("create", "made", "web01-202611"), ("refuse", "no-version", None)]
        assert "uksouth" in rows[1]["message"]

    far = [{**body, "location": "uksouth"} for body in vm_bodies("far01")]
    on_arm([*READY, *vm_bodies("web01"), *far], story)


def test_images_are_matched_by_os() -> None:
    """A Windows VM gets its disk from the Windows definition."""

    async def story(world: World) -> None:
        rows = await make(world, "win01", "web01")
        assert [row["decision"] for row in rows] == ["create", "create"]
        disk = world.resource(disk_id("win01-202611"))
        assert disk is not None
        assert WINDOWS_ID in disk["properties"]["creationData"]["galleryImageReference"]["id"]

    windows = [
        definition_body(WINDOWS_ID, {"AutoRefresh": "true", "RefreshPersonalizes": "true"}, osType="Windows"),
        version_body(f"{WINDOWS_ID}/versions/202611.1.0"),
        *vm_bodies("win01", os_type="Windows"),
    ]
    on_arm([*READY, *windows, *vm_bodies("web01")], story)


def test_an_unreadable_gallery_makes_no_disk() -> None:
    """While one gallery cannot be read the fitting image is unknown, so no disk is made."""

    async def story(world: World) -> None:
        rows = await make(world, "web01")
        assert (rows[0]["decision"], rows[0]["reason"]) == ("failed", "not-read")

    on_arm([*READY, *vm_bodies("web01")], story, galleries=(GALLERY, GALLERY + "2"))


def test_a_disk_costs_five_requests() -> None:
    """The requests are VM, current disk, name, PUT and read back.

    What is read once for all disks: definitions and versions, and the rights, the locks and the VMs of the group.
    """

    async def story(world: World) -> None:
        names = [f"web{n:02d}" for n in range(20)]
        await make(world, *names)
        reads = Counter("disk or vm" if "/disks/" in row["path"] or "/virtualMachines/" in row["path"] else "shared"
                        for row in world.requests() if "/providers/" in row["path"])  # fmt: skip
        assert reads["disk or vm"] == 5 * len(names)
        assert reads["shared"] == 6

    on_arm([*READY, *(body for n in range(20) for body in vm_bodies(f"web{n:02d}"))], story)
