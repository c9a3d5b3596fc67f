"""Months of images: errors that scripts for this task often have, and two runs at the same time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from simulator.arm.core.store import Json
from tests.support.worlds.builders import DEFINITION_ID, GALLERY, VERSION_ID
from tests.support.worlds.local_azure import LocalAzure, play
from tests.support.worlds.month_world import (
    GOLDEN,
    HostedWorld,
    definition_body,
    gallery_bodies,
    on_functions,
    vm_bodies,
    vm_id,
)

TAGS = {"AutoRefresh": "true", "RefreshPersonalizes": "true"}


def of_generation(generation: str, name: str, tags: dict[str, str] | None = None) -> list[Json]:
    disk, vm = vm_bodies(name, tags)
    return [{**disk, "properties": {**disk["properties"], "hyperVGeneration": generation}}, vm]


def origin(world: HostedWorld, disk: str) -> str:
    body = world.resource(f"{GOLDEN.partition('/virtualMachines')[0]}/disks/{disk}")
    assert body is not None
    return str(body["properties"]["creationData"]["galleryImageReference"]["id"]).partition("/images/")[2]


def test_the_generation_is_the_vms_own() -> None:
    """A VM of either generation gets a disk of its generation, from an image of that generation."""

    async def story(world: HostedWorld) -> None:
        result = await world.run("refresh_month", {"period": "202611"})
        assert {row["reason"] for row in result["images"]} == {"made"}
        for name, generation, image in (("old01", "V1", "first"), ("new01", "V2", "second")):
            assert origin(world, f"{name}-202611") == f"{image}/versions/202611.1.0"
            disk = world.resource(f"{GOLDEN.partition('/virtualMachines')[0]}/disks/{name}-202611")
            assert disk is not None
            assert disk["properties"]["hyperVGeneration"] == generation
        crossed = await world.run("create_images", {"period": "202612"})
        assert {row["reason"] for row in crossed["images"]} == {"made"}

    sources = [*of_generation("V1", "gold1", {}), *of_generation("V2", "gold2", {})]
    images = [
        definition_body(f"{GALLERY}/images/first", {**TAGS, "RefreshSource": vm_id("gold1")}, hyperVGeneration="V1"),
        definition_body(f"{GALLERY}/images/second", {**TAGS, "RefreshSource": vm_id("gold2")}),
    ]
    fleet = [*of_generation("V1", "old01"), *of_generation("V2", "new01")]
    on_functions([{"id": GALLERY, "location": "westeurope"}, *sources, *images, *fleet], story)


def test_every_vm_gets_its_own_operating_system() -> None:
    """In one run Linux and Windows VMs, and a VM that names its image, each get a disk from the right image."""

    async def story(world: HostedWorld) -> None:
        result = await world.run("refresh_month", {"period": "202611"})
        assert {row["reason"] for row in result["vms"]} == {"made"}
        images = {name: origin(world, f"{name}-202611").partition("/")[0] for name in ("web01", "win01", "db01")}
        assert images == {"web01": "ubuntu", "win01": "windows", "db01": "hardened"}

    fleet = [*vm_bodies("web01"), *vm_bodies("win01", os_type="Windows"), *vm_bodies("goldwin", {}, os_type="Windows")]
    fleet += vm_bodies("db01", {"AutoRefresh": "true", "RefreshImage": "hardened"})
    windows = definition_body(
        f"{GALLERY}/images/windows", {**TAGS, "RefreshSource": vm_id("goldwin")}, osType="Windows"
    )
    hardened = definition_body(f"{GALLERY}/images/hardened", {"RefreshSource": GOLDEN, "RefreshPersonalizes": "true"})
    version = {"id": f"{GALLERY}/images/hardened/versions/1.0.0", "location": "westeurope"}
    on_functions([*gallery_bodies(), *fleet, windows, hardened, version], story)


def test_the_definition_stays_the_same_every_month() -> None:
    """Several months make versions of one definition and do not write the definition again."""

    async def story(world: HostedWorld) -> None:
        for month in range(1, 4):
            await world.run("create_images", {"period": f"2027{month:02d}"})
        definitions = world.simulator.store.of_type("Microsoft.Compute/galleries/images")
        assert [record.id.name for record in definitions] == ["ubuntu"]
        assert not [
            row for row in world.requests() if row["method"] == "PUT" and row["path"].endswith("/images/ubuntu")
        ]

    on_functions(gallery_bodies(), story)


def test_the_version_number_rises_every_month() -> None:
    """Version numbers grow with month and rebuild, so `latest` is the newest version."""

    async def story(world: HostedWorld) -> None:
        made = []
        for request in ({"period": "202611"}, {"period": "202611", "force_rebuild": True}, {"period": "202612"}):
            made += [row["version"] for row in (await world.run("create_images", request))["images"]]
        assert made == ["202611.1.0", "202611.2.0", "202612.1.0"]
        numbers = [tuple(map(int, name.split("."))) for name in made]
        assert numbers == sorted(numbers)
        assert max(part for number in numbers for part in number) < 2**31

    on_functions(gallery_bodies(), story)


def test_a_timer_and_two_requests_at_once_make_one_version(caplog: pytest.LogCaptureFixture) -> None:
    """Simultaneous timers and requests make one version, and every run reports that version."""

    async def story(azure: LocalAzure) -> None:
        period = f"{azure.clock.now():%Y%m}"
        await asyncio.gather(azure.fire("monthly_refresh"), azure.fire("monthly_refresh"))
        answers = await asyncio.gather(*(azure.api("POST", "/api/images", {"period": period}) for _ in range(3)))
        assert sorted(status for status, _ in answers)[0] == 202
        assert {status for status, _ in answers} <= {202, 409}
        await asyncio.sleep(3600)
        runs = (await azure.api("GET", "/api/runs?kind=images"))[1]["value"]
        runs += (await azure.api("GET", "/api/runs?kind=month"))[1]["value"]
        assert len(runs) >= 2
        rows = {(row["version"], row["decision"]) for run in runs for row in run["images"]}
        assert {version for version, _ in rows} == {f"{period}.1.0"}
        assert {decision for _, decision in rows} <= {"create", "skip"}
        versions = await azure.arm("GET", f"{DEFINITION_ID}/versions")
        assert [one["name"] for one in versions["value"]] == [f"{period}.1.0"]
        assert not [line for line in caplog.messages if "failed" in line], "a second firing must not fail"

    play(story, gallery_bodies(), events=False)


def test_a_run_under_way_shows_the_progress_of_each_region() -> None:
    """While a version replicates, the run has the state and percentage of each region."""

    async def story(azure: LocalAzure) -> None:
        _, begun = await azure.api("POST", "/api/images", {"period": "202611"})
        seen: list[dict[str, Any]] = []
        for _ in range(16):
            await asyncio.sleep(60)
            run = (await azure.api("GET", begun["href"]))[1]
            if run["status"] == "running":
                seen += run["images"]
        assert {row["version"] for row in seen} <= {VERSION_ID.rpartition("/")[2], None}
        assert {row["reason"] for row in seen} == {"under-way"}
        spread = [row["regions"] for row in seen if row["regions"]]
        assert all(set(regions) == {"westeurope", "uksouth"} for regions in spread)
        assert any("Replicating" in regions["uksouth"] for regions in spread)
        assert seen[-1]["message"].startswith(("replicating: ", "being admitted"))
        assert (await azure.api("GET", begun["href"]))[1]["images"][0]["reason"] == "made"

    far = [{**body, "location": "uksouth"} for body in vm_bodies("far01")]
    play(story, [*gallery_bodies(), *far], events=False)
