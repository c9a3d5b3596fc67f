"""Builds that fail in Azure or in a worker: every incomplete resource is named, and the next month works."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.chaos.boundaries import CrashAtEachStep
from tests.support.worlds.builders import VERSION_ID
from tests.support.worlds.image_builds import (
    FAR,
    IMAGE,
    IMAGES_GROUP,
    IMAGES_TOML,
    ONE_REGION_FAILED,
    PACKED,
    TURNS,
    build,
    failing,
    packed,
    plan,
)
from tests.support.worlds.month_world import (
    GOLDEN,
    HostedWorld,
    definition_body,
    gallery_bodies,
    on_functions,
    vm_bodies,
)


def test_a_version_that_misses_one_region_of_three_is_used_in_the_others() -> None:
    """The row has the region, Azure's details and the command that adds it; only the VM there gets no disk."""

    async def story(world: HostedWorld) -> None:
        plan(world, failing("versionCreate", "*202611.1.0", **ONE_REGION_FAILED))
        month = await world.run("refresh_month", {"period": "202611"})
        (row,) = month["images"]
        assert (row["decision"], row["reason"]) == ("failed", "not-replicated")
        assert row["message"].startswith("version 202611.1.0 is used in uksouth, westeurope; ")
        assert "northeurope (Failed with internal server error.)" in row["message"]
        assert row["regions"] == ["uksouth", "westeurope"]
        where = "--target-regions westeurope=1=standard_lrs uksouth=1=standard_lrs northeurope=1=standard_lrs"
        assert [command.endswith(where) for command in row["by_hand"]] == [True]
        reasons = {one["vm"].rsplit("/", 1)[-1]: one["reason"] for one in month["vms"]}
        assert reasons == {"near": "made", "mid": "made", "far": "no-version"}
        used = world.resource(VERSION_ID)
        assert used is not None
        profile = used["properties"]["publishingProfile"]
        assert (profile["excludeFromLatest"], used["tags"]["RefreshChecks"]) == (False, "passed")
        assert [region["name"] for region in profile["targetRegions"]] == ["West Europe", "UK South"]
        assert used["properties"]["provisioningState"] == "Succeeded"

        again = await build(world)
        assert (again["decision"], again["reason"], again["version"]) == ("failed", "not-replicated", "202611.1.0")
        assert "northeurope" in again["message"]
        assert again["by_hand"][0].endswith("northeurope"), "the command that adds the region"
        targets = [{"name": name} for name in ("westeurope", "uksouth", "northeurope")]
        plan(world, failing("versionUpdate", **ONE_REGION_FAILED))
        await world.gateways.gallery.begin_admit_version(VERSION_ID, used["tags"], targets)
        disks = await world.run("create_disks", {"period": "202611"})
        assert [one["reason"] for one in disks["vms"]].count("kept") == 2, "while the region is being added"
        await asyncio.sleep(3600)
        disks = await world.run("create_disks", {"period": "202611"})
        assert [one["reason"] for one in disks["vms"]].count("kept") == 2, "after it could not be added"
        await world.gateways.gallery.begin_admit_version(VERSION_ID, used["tags"], targets)
        await asyncio.sleep(3600)
        disks = await world.run("create_disks", {"period": "202611"})
        assert sorted(one["reason"] for one in disks["vms"]) == ["kept", "kept", "made"]
        assert (await build(world))["reason"] == "kept"
        december = await build(world, period="202612")
        assert (december["reason"], december["version"]) == ("made", "202612.1.0")

    on_functions([*gallery_bodies(), *FAR], story)


def test_a_gallery_that_keeps_its_regions_has_the_version_used_all_the_same() -> None:
    """Where Azure refuses to remove the failed region, the change with all regions ends the checks."""

    async def story(world: HostedWorld) -> None:
        answer = {"status": 400, "body": {"error": {"code": "OperationNotAllowed", "message": "regions are kept"}}}
        plan(
            world,
            failing("versionCreate", "*202611.1.0", **ONE_REGION_FAILED),
            {"match": {"method": "PATCH", "path": "versions/"}, "times": 1, "respond": answer},
            failing("versionUpdate", **ONE_REGION_FAILED),
        )
        month = await world.run("refresh_month", {"period": "202611"})
        assert [row["reason"] for row in month["images"]] == ["not-replicated"]
        reasons = {one["vm"].rsplit("/", 1)[-1]: one["reason"] for one in month["vms"]}
        assert reasons == {"near": "made", "mid": "made", "far": "no-version"}

    on_functions([*gallery_bodies(), *FAR], story)


def test_a_region_that_azure_does_not_allow_is_left_out() -> None:
    """Azure refuses the version for one of its regions: it is made for the others, and the row has the refusal."""

    async def story(world: HostedWorld) -> None:
        message = (
            "The provided location 'northeurope' is not available for resource type 'Microsoft.Compute/galleries'. "
            "List of available regions for the resource type is 'westeurope,uksouth'."
        )
        answer = {"status": 400, "body": {"error": {"code": "LocationNotAvailable", "message": message}}}
        plan(world, {"match": {"method": "PUT", "path": "versions/"}, "times": 1, "respond": answer})
        month = await world.run("refresh_month", {"period": "202611"})
        (row,) = month["images"]
        assert (row["decision"], row["reason"]) == ("failed", "not-replicated")
        assert "northeurope" in row["message"]
        assert "LocationNotAvailable" in row["message"]
        assert row["by_hand"][0].endswith(" northeurope")
        reasons = {one["vm"].rsplit("/", 1)[-1]: one["reason"] for one in month["vms"]}
        assert reasons == {"near": "made", "mid": "made", "far": "no-version"}

    on_functions([*gallery_bodies(), *FAR], story)


def test_each_definition_is_replicated_to_the_regions_of_its_own_vms_only() -> None:
    """A VM in another region names `packed`: `ubuntu` does not go there, and its failure there is one definition's."""
    far = {"AutoRefresh": "true", "RefreshImage": "packed"}
    scenario = [
        *gallery_bodies(),
        definition_body(PACKED, {"AutoRefresh": "true", "RefreshSource": GOLDEN, "RefreshPersonalizes": "true"}),
        *vm_bodies("near", {"AutoRefresh": "true", "RefreshImage": "ubuntu"}),
        *({**one, "location": "northeurope"} for one in vm_bodies("far", far)),
    ]

    async def story(world: HostedWorld) -> None:
        plan(world, failing("versionCreate", "*packed*", **ONE_REGION_FAILED))
        month = await world.run("refresh_month", {"period": "202611"})
        assert {row["definition"].rsplit("/", 1)[-1]: row["reason"] for row in month["images"]} == {
            "packed": "not-replicated",
            "ubuntu": "made",
        }
        version = world.resource(VERSION_ID)
        assert version is not None
        targets = version["properties"]["publishingProfile"]["targetRegions"]
        assert [region["name"] for region in targets] == ["West Europe"]
        reasons = {one["vm"].rsplit("/", 1)[-1]: one["reason"] for one in month["vms"]}
        assert reasons == {"near": "made", "far": "no-version"}

    on_functions(scenario, story)


def test_a_version_that_fails_in_every_region_is_deleted() -> None:
    """The row has Azure's error, nothing is left, and the version number is free again."""

    async def story(world: HostedWorld) -> None:
        plan(world, failing("versionCreate", code="QuotaExceeded", message="no room in the gallery"))
        row = await build(world)
        assert (row["decision"], row["reason"]) == ("failed", "build-failed")
        assert "QuotaExceeded: no room in the gallery; nothing of it is left" in row["message"]
        assert "by_hand" not in row
        assert world.resource(VERSION_ID) is None
        assert (await build(world))["version"] == "202611.1.0"

    on_functions(gallery_bodies(), story)


def test_a_version_that_a_lock_keeps_is_named_with_the_command_to_delete_it() -> None:
    """A version that a lock on the gallery's group keeps is listed in this run and in every later one."""

    async def story(world: HostedWorld) -> None:
        plan(world, failing("versionCreate", "*202611.1.0", code="InternalError", message="try again"))
        row = await build(world)
        assert row["by_hand"] == [f"az resource delete --ids {VERSION_ID}"]
        assert "could not be deleted: ScopeLocked" in row["message"]
        assert world.resource(VERSION_ID) is not None
        again = await build(world)
        assert (again["reason"], again["version"]) == ("made", "202611.2.0")
        assert again["by_hand"] == [f"az resource delete --ids {VERSION_ID}"]

    lock = {
        "id": f"{IMAGES_GROUP}/providers/Microsoft.Authorization/locks/keep",
        "properties": {"level": "CanNotDelete"},
    }
    on_functions([*gallery_bodies(), lock], story)


def test_a_build_that_azure_refuses_at_once_makes_nothing() -> None:
    """A deleted source, a quota or a missing right leaves no version, and the row has Azure's error."""

    async def story(world: HostedWorld) -> None:
        for status, code in ((404, "ResourceNotFound"), (409, "QuotaExceeded"), (403, "LinkedAuthorizationFailed")):
            answer = {"status": status, "body": {"error": {"code": code, "message": "planned"}}}
            plan(world, {"match": {"method": "PUT", "path": "versions/"}, "times": 1, "respond": answer})
            row = await build(world)
            assert (row["decision"], row["reason"]) == ("failed", "azure-said-no")
            assert f"{code}: planned" in row["message"]
            assert world.resource(VERSION_ID) is None
        assert (await build(world))["reason"] == "made"

    on_functions(gallery_bodies(), story)


def test_a_version_that_is_never_ready_blocks_only_its_month() -> None:
    """The build times out and a second one finds it under way; a day later the version is a leftover with a command."""

    async def story(world: HostedWorld) -> None:
        plan(world, {"match": {"operation": "versionCreate", "resource": "*202611.1.0"}, "hang": True})
        row = await build(world)
        assert (row["decision"], row["reason"]) == ("failed", "timed-out")
        assert (await build(world, period="202612"))["reason"] == "build-under-way"
        await asyncio.sleep(24 * 3600)
        december = await build(world, period="202612")
        assert (december["reason"], december["version"]) == ("made", "202612.1.0")
        assert december["by_hand"] == [f"az resource delete --ids {VERSION_ID}"]

    on_functions(gallery_bodies(), story)


@pytest.mark.parametrize("operation", ["galleryCreate", "imageCreate", "versionCreate"])
def test_a_failed_build_from_a_vhd_leaves_nothing_unnamed(operation: str, tmp_path: Path) -> None:
    """Whether definition, managed image or version fails, no image and no version is left."""

    async def story(world: HostedWorld) -> None:
        plan(world, failing(operation, code="InternalError", message="try again"))
        row = await build(world)
        assert row["decision"] == "failed", row
        assert world.resource(IMAGE) is None
        assert world.resource(f"{PACKED}/versions/202611.1.0") is None
        again = await build(world)
        assert (again["decision"], again["reason"]) == ("create", "made")
        assert again["by_hand"] == [f"az resource delete --ids {IMAGE}"]
        assert "keep managed image packed-202611.1.0" in again["message"]

    path = tmp_path / "images.toml"
    path.write_text(IMAGES_TOML)
    on_functions(packed(), story, REFRESH_IMAGES=str(path))


@pytest.mark.parametrize("moment", ["before", "after", "turn"])
def test_a_build_resumes_after_a_crash_at_each_step(moment: str, tmp_path: Path) -> None:
    """With repeated activities and lost turns a build makes one definition, image and version, admitted once."""

    async def story(world: HostedWorld) -> None:
        dying = world.hub.interruptions = CrashAtEachStep(moment, turns=TURNS)
        row = await build(world)
        assert (row["decision"], row["reason"], row["version"]) == ("create", "made", "202611.1.0"), row
        made = ["PUT packed", "PUT packed-202611.1.0", "PUT 202611.1.0", "PATCH 202611.1.0"]
        assert world.writes() == made
        activities = {"list_builds", "plan_version", "make_definition", "make_image", "begin_version"}
        activities |= {"watch_version", "admit_version"}
        assert dying.crashed >= (TURNS if moment == "turn" else activities)

    path = tmp_path / "images.toml"
    path.write_text(IMAGES_TOML)
    on_functions(packed(), story, REFRESH_IMAGES=str(path))


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_cleanup_resumes_after_a_crash_at_each_step(moment: str) -> None:
    """After any crash the failed version is explained once and deleted."""

    async def story(world: HostedWorld) -> None:
        dying = world.hub.interruptions = CrashAtEachStep(moment, turns=TURNS)
        plan(world, failing("versionCreate", code="InternalError", message="try again"))
        row = await build(world)
        # Azure's error is on a status URL, which is lost together with the response that had it.
        why = "InternalError: try again" if moment == "before" else "reason unknown"
        assert f"{why}; nothing of it is left" in row["message"]
        assert world.resource(VERSION_ID) is None
        assert dying.crashed >= {"explain_version", "discard_version"}

    on_functions(gallery_bodies(), story)


def test_a_run_that_is_killed_before_admission_is_completed_by_the_next() -> None:
    """The next run of the month finishes the checks of the version and does not build it again."""

    async def story(world: HostedWorld) -> None:
        first = world.hub.start("create_images", {"period": "202611"}, None)
        await asyncio.sleep(700)
        for name in list(world.hub.orchestrations.instances):
            if name != first:
                world.hub.terminate(name)
        world.hub.terminate(first)
        await asyncio.sleep(600)
        row = await build(world)
        assert (row["decision"], row["reason"], row["version"]) == ("skip", "kept", "202611.1.0")
        left = world.resource(VERSION_ID)
        assert left is not None
        assert left["properties"]["publishingProfile"]["excludeFromLatest"] is False
        assert left["tags"]["RefreshChecks"] == "passed"

    on_functions(gallery_bodies(), story)
