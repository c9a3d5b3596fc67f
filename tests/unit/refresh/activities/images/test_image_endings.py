"""How a build ends in Azure: admitted, still excluded, deleted or left to a person; after one call or many."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from refresh.activities.images.admit_version import end_checks
from refresh.activities.images.discard_version import discard
from refresh.activities.images.make_definition import define
from refresh.activities.images.watch_version import read_build
from refresh.domain.images.version_choice import find_leftovers
from refresh.reading.images.version_plans import plan_build
from refresh.records.month import BuildInput
from simulator.arm.core.store import Json
from tests.support.worlds.builders import DEFINITION_ID, GALLERY, VERSION_ID
from tests.support.worlds.month_world import (
    GOLDEN,
    PERIOD,
    World,
    definition_body,
    gallery_bodies,
    on_arm,
    version_body,
)

BUILD = BuildInput(DEFINITION_ID, PERIOD, ("westeurope",), version=VERSION_ID, source=GOLDEN, admit=True)
PENDING = {"RefreshChecks": "pending", "team": "images"}
NOW = "2026-11-01T02:00:00+00:00"
LONG_AGO = "2026-09-01T00:00:00Z"


def excluded(tags: dict[str, str], version_id: str = VERSION_ID, **properties: object) -> Json:
    body = version_body(version_id)
    profile = {**body["properties"]["publishingProfile"], "excludeFromLatest": True}
    return {**body, "tags": tags, "properties": {**body["properties"], "publishingProfile": profile, **properties}}


async def shown(world: World) -> tuple[bool, dict[str, str]]:
    version = await world.gateways.gallery.read_version(VERSION_ID)
    return version.excluded_from_latest, dict(version.tags)


def test_an_admitted_version_keeps_its_other_tags() -> None:
    """A PATCH replaces all tags, so it also contains the tags of users."""

    async def story(world: World) -> None:
        assert (await end_checks(world.gateways, BUILD, passed=True))["waiting"]
        await asyncio.sleep(1200)
        assert await end_checks(world.gateways, BUILD, passed=True) == {"done": True}
        assert await shown(world) == (False, {"RefreshChecks": "passed", "team": "images"})
        assert world.writes() == ["PATCH 202611.1.0"]

    on_arm([*gallery_bodies(), excluded(PENDING)], story)


def test_a_version_excluded_by_another_person_stays_excluded() -> None:
    """A quarantine in the meantime, and the removal of the app's tag by a person, stay in effect."""

    async def story(world: World) -> None:
        assert await end_checks(world.gateways, BUILD, passed=True) == {"done": True}
        assert (await shown(world))[0] is True
        assert world.writes() == []

    for tags in ({**PENDING, "RefreshQuarantined": "rolled back on 2 VMs"}, {}, {"RefreshChecks": "failed"}):
        on_arm([*gallery_bodies(), excluded(tags)], story)


def test_a_version_that_failed_its_proof_is_marked_and_not_kept() -> None:
    """One tag shows the result to the next run, to retention and to users; the next build uses the next number."""

    async def story(world: World) -> None:
        assert await end_checks(world.gateways, BUILD, passed=False) == {"done": True}
        assert await shown(world) == (True, {"RefreshChecks": "failed", "team": "images"})
        plan = await plan_build(world.gateways, BuildInput(DEFINITION_ID, PERIOD), (), NOW)
        assert getattr(plan, "name", plan) == "202611.2.0"

    on_arm([*gallery_bodies(), excluded(PENDING)], story)


def test_only_unusable_versions_of_the_app_are_deleted() -> None:
    """Only a failed version of the app that is in no region is deleted; a second call changes nothing."""

    async def story(world: World) -> None:
        row = await discard(world.gateways, BUILD)
        assert row["by_hand"] == [f"az resource delete --ids {VERSION_ID}"]
        assert world.writes() == []

    on_arm([*gallery_bodies(), excluded(PENDING)], story)
    on_arm([*gallery_bodies(), excluded({}, provisioningState="Failed")], story)

    async def gone(world: World) -> None:
        assert await discard(world.gateways, BUILD) == {"message": "nothing of it is left"}

    on_arm(gallery_bodies(), gone)


def test_a_kept_version_that_misses_a_region_comes_with_the_command_that_adds_it() -> None:
    """VMs in scope in a new region need disks there: the row names the missing region and the command that adds it."""

    async def story(world: World) -> None:
        build = replace(BUILD, kept=True, regions=("westeurope", "uksouth"))
        row = (await read_build(world.gateways, build))["row"]
        assert (row["decision"], row["reason"]) == ("failed", "not-replicated")
        (command,) = row["by_hand"]
        assert command.endswith("-r gal -i ubuntu -e 202611.1.0 --target-regions westeurope=1=standard_lrs uksouth")

    on_arm([*gallery_bodies(), version_body()], story)


def test_a_version_that_is_continued_is_no_leftover() -> None:
    """After days the month's own version is still checked to its end; only others are named for deletion."""

    async def story(world: World) -> None:
        versions = [one async for one in world.gateways.gallery.list_versions(DEFINITION_ID)]
        assert {one.name for one in find_leftovers(versions, NOW)} == {"202611.1.0", "202610.1.0"}
        plan = await plan_build(world.gateways, BuildInput(DEFINITION_ID, PERIOD), (), NOW)
        assert getattr(plan, "name", None) == "202611.1.0"
        assert getattr(plan, "leftovers", None) == (f"{DEFINITION_ID}/versions/202610.1.0",)

    old = [excluded(PENDING, f"{DEFINITION_ID}/versions/{name}") for name in ("202610.1.0", "202611.1.0")]
    for body in old:
        body["properties"]["publishingProfile"]["publishedDate"] = LONG_AGO
    on_arm([*gallery_bodies(), *old], story)


def test_a_definition_is_made_once_and_repaired_where_it_failed() -> None:
    """Two calls send one PUT; a failed definition is put again under the same name; a refusal has Azure's error."""
    name = f"{GALLERY}/images/new"
    body = definition_body(name, {"AutoRefresh": "true"})
    body["properties"] |= {"identifier": {"publisher": "p", "offer": "o", "sku": "s"}}
    build = BuildInput(name, PERIOD, definition_body={key: body[key] for key in ("location", "tags", "properties")})

    async def story(world: World) -> None:
        failure = {"code": "InternalError", "message": "try again"}
        rule = {"match": {"operation": "galleryCreate"}, "times": 1, "fail": failure}
        world.simulator.services.faults.add([rule])
        assert (await define(world.gateways, build))["row"]["reason"] == "build-failed"
        assert await define(world.gateways, build) == {}
        assert await define(world.gateways, build) == {}
        assert world.writes() == ["PUT new", "PUT new"]
        incomplete = replace(build, definition=f"{name}2", definition_body={"location": "westeurope", "properties": {}})
        row = (await define(world.gateways, incomplete))["row"]
        assert (row["reason"], "InvalidParameter" in row["message"]) == ("azure-said-no", True)

    on_arm(gallery_bodies(), story)


def test_a_request_whose_answer_was_lost_does_not_fail_the_build() -> None:
    """Azure makes the version although its answer was lost: no deletion is advised, the next run continues with it."""

    async def story(world: World) -> None:
        row = await discard(world.gateways, BUILD)
        assert "run again" in row["message"]
        assert "by_hand" not in row
        assert world.writes() == []

    on_arm([*gallery_bodies(), excluded(PENDING, provisioningState="Creating")], story)


def test_an_admission_that_fails_is_tried_again() -> None:
    """Azure can fail a change that it accepted, and a Failed version is useless, so only Succeeded counts as done."""

    async def story(world: World) -> None:
        failure = {"code": "InternalError", "message": "try again"}
        world.simulator.services.faults.add([{"match": {"operation": "versionUpdate"}, "times": 1, "fail": failure}])
        for _ in range(2):
            assert (await end_checks(world.gateways, BUILD, passed=True))["waiting"]
            await asyncio.sleep(1200)
        assert await end_checks(world.gateways, BUILD, passed=True) == {"done": True}
        version = await world.gateways.gallery.read_version(VERSION_ID)
        assert (version.provisioning_state, version.excluded_from_latest) == ("Succeeded", False)
        assert world.writes() == ["PATCH 202611.1.0"] * 2

    on_arm([*gallery_bodies(), excluded(PENDING)], story)
