"""The month's image versions, planned and begun on the local Azure over HTTP."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from refresh.activities.images.admit_version import end_checks
from refresh.activities.images.begin_version import begin_build
from refresh.activities.images.explain_version import explain_build
from refresh.activities.images.plan_version import choose_version
from refresh.activities.images.watch_version import read_build
from refresh.reading.images.scope import find_builds
from refresh.reading.images.version_plans import plan_images
from refresh.records.month import BuildInput
from simulator.arm.core.store import Json
from tests.support.worlds.builders import DEFINITION_ID, GALLERY, VERSION_ID, VM_ID
from tests.support.worlds.month_world import (
    GOLDEN,
    PERIOD,
    World,
    definition_body,
    gallery_bodies,
    on_arm,
    version_body,
    vm_bodies,
)

LONG_ENOUGH_S = 1200
BUILD = BuildInput(DEFINITION_ID, PERIOD, ("uksouth", "westeurope"))


async def choose(world: World, build: BuildInput = BUILD) -> BuildInput:
    return BuildInput.from_json((await choose_version(world.gateways, build))["build"])


async def standing_of(world: World) -> tuple[str | None, bool, str | None]:
    version = await world.gateways.gallery.read_version(VERSION_ID)
    return version.provisioning_state, version.excluded_from_latest, version.tags.get("RefreshChecks")


def definition(name: str, source: str, **properties: str) -> Json:
    return definition_body(f"{GALLERY}/images/{name}", {"AutoRefresh": "true", "RefreshSource": source}, **properties)


def test_a_version_is_built_and_replicated_everywhere() -> None:
    """A version is begun once, is done when it is read back in every region, and is excluded until then."""

    async def story(world: World) -> None:
        build = await choose(world)
        assert build.version == VERSION_ID
        begun = await begin_build(world.gateways, build)
        assert begun["token"]
        assert (await read_build(world.gateways, build))["standing"] == "waiting"
        await asyncio.sleep(LONG_ENOUGH_S)
        done = await read_build(world.gateways, build)
        assert done["standing"] == "done"
        assert (done["row"]["decision"], done["row"]["version"]) == ("create", "202611.1.0")
        assert "uksouth, westeurope" in done["row"]["message"]
        assert await standing_of(world) == ("Succeeded", True, "pending")
        resumed = await choose(world)
        assert (resumed.kept, resumed.admit) == (True, True)
        busy = await choose_version(world.gateways, replace(BUILD, force_rebuild=True))
        assert busy["row"]["reason"] == "build-under-way"
        assert (await end_checks(world.gateways, build, passed=True))["waiting"]
        await asyncio.sleep(LONG_ENOUGH_S)
        assert await end_checks(world.gateways, build, passed=True) == {"done": True}
        assert await standing_of(world) == ("Succeeded", False, "passed")
        assert not (await choose(world)).admit
        assert (
            await choose(world, replace(BUILD, force_rebuild=True))
        ).version == f"{DEFINITION_ID}/versions/202611.2.0"

    on_arm(gallery_bodies(), story)


def test_a_build_begun_twice_is_one_build() -> None:
    """An activity whose answer was lost, or a second run, finds the version that is being made."""

    async def story(world: World) -> None:
        build = await choose(world)
        await begin_build(world.gateways, build)
        assert await begin_build(world.gateways, build) == {}
        assert (await choose(world)).version == build.version
        assert world.writes() == ["PUT 202611.1.0"]
        busy = await choose_version(world.gateways, replace(BUILD, force_rebuild=True))
        assert (busy["row"]["decision"], busy["row"]["reason"]) == ("refuse", "build-under-way")

    on_arm(gallery_bodies(), story)


def test_a_failed_build_has_azures_reason() -> None:
    """The reason comes from the operation's status URL; the next run uses the next name."""

    async def story(world: World) -> None:
        error = {"code": "ReplicationJobsNotCompleted", "message": "no quota"}
        match = {"operation": "versionCreate", "resource": "*202611.1.0"}
        world.simulator.services.faults.add([{"match": match, "times": 1, "fail": error}])
        build = await choose(world)
        begun = await begin_build(world.gateways, build)
        await asyncio.sleep(LONG_ENOUGH_S)
        assert (await read_build(world.gateways, build))["standing"] == "failed"
        why = await explain_build(world.gateways, VERSION_ID, begun["token"])
        assert why == "ReplicationJobsNotCompleted: no quota"
        assert await explain_build(world.gateways, VERSION_ID, None) == "reason unknown"
        assert (await choose(world)).version == f"{DEFINITION_ID}/versions/202611.2.0"

    on_arm(gallery_bodies(), story)


def test_what_cannot_be_built_is_refused_by_name_and_nothing_is_made() -> None:
    """The dry run has a row for every definition; an invalid definition does not hide the others."""

    async def story(world: World) -> None:
        rows = await plan_images(world.gateways, world.settings, (), PERIOD)
        found = {row["definition"].rsplit("/", 1)[-1]: (row["decision"], row["reason"]) for row in rows}
        assert found == {
            "ubuntu": ("create", "missing"),
            "gone": ("refuse", "source-gone"),
            "kind": ("refuse", "unknown-source"),
            "far": ("refuse", "source-in-other-region"),
            "general": ("refuse", "definition-generalized"),
            "tls": ("refuse", "definition-trusted-launch-supported"),
            "itself": ("refuse", "source-does-not-fit"),
            "kept": ("skip", "kept"),
            "none": ("failed", "not-read"),
        }
        assert world.writes() == []

    far = [{**body, "location": "uksouth"} for body in vm_bodies("far01")]
    tls = definition("tls", GOLDEN)
    tls["properties"]["features"] = [{"name": "SecurityType", "value": "TrustedLaunchSupported"}]
    images = [
        definition("gone", VM_ID.replace("web01", "missing")),
        definition("kind", "golden"),
        definition("itself", f"{GALLERY}/images/itself/versions/2.0.0"),
        version_body(f"{GALLERY}/images/itself/versions/2.0.0"),
        definition("far", far[1]["id"]),
        definition("general", GOLDEN, osState="Generalized"),
        tls,
        definition("kept", "anything"),
        version_body(f"{GALLERY}/images/kept/versions/202611.1.0"),
    ]
    missing = GALLERY.removesuffix("gal") + "none"
    on_arm([*gallery_bodies(), *far, *images], story, galleries=(GALLERY, missing))


def test_versions_go_where_vms_in_scope_are() -> None:
    """Every region with a VM in scope counts, with the tag in any case; the demand is counted for each definition."""

    async def story(world: World) -> None:
        builds = await find_builds(world.gateways, world.settings)
        assert builds.regions == ("uksouth", "westeurope")
        demand = {one.rsplit("/", 1)[-1]: where for one, where in builds.demand.items()}
        assert demand == {"ubuntu": {"westeurope": 1}, "other": {"uksouth": 1}}

    places = {"web01": "westeurope", "far01": "uksouth", "out01": "eastus"}
    tags = {
        "web01": {"AutoRefresh": "true"},
        "far01": {"autorefresh": "HOLD", "RefreshImage": "other"},
        "out01": {"AutoRefresh": "no"},
    }
    fleet = [{**body, "location": place} for name, place in places.items() for body in vm_bodies(name, tags[name])]
    on_arm([*gallery_bodies(), definition("other", GOLDEN, osType="Windows"), *fleet], story)
