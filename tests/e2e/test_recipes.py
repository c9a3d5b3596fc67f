"""Recipes of the whole app on the local Azure: the versions that they make, and the cleanup."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from refresh.reading.images.version_plans import plan_images
from simulator.arm.core.store import Json
from tests.support.worlds.builders import DEFINITION_ID, VERSION_ID, disk_id
from tests.support.worlds.month_world import PERIOD, HostedWorld, vm_bodies, vm_id
from tests.support.worlds.recipe_world import (
    MACHINE,
    PROOF_DISK,
    RECIPES,
    SUBNET,
    fail,
    groups_left,
    on_recipes,
    recipe_bodies,
)

SUBSCRIPTION_LOCK = f"{DEFINITION_ID.partition('/resourceGroups')[0]}/providers/Microsoft.Authorization/locks/keep"


def excluded(world: HostedWorld) -> bool | None:
    """Whether the version is excluded from latest; None if there is no version."""
    version = world.resource(VERSION_ID)
    return bool(version["properties"]["publishingProfile"]["excludeFromLatest"]) if version else None


def test_a_recipe_becomes_a_proven_version_and_an_os_disk_and_leaves_nothing() -> None:
    """A recipe is built, captured, replicated, booted once, made latest only then, and swapped onto a VM."""

    async def story(world: HostedWorld) -> None:
        result = await world.run("refresh_month")
        (row,) = result["images"]
        assert (row["decision"], row["reason"], row["version"]) == ("create", "made", "202611.1.0"), row
        assert "agent: ready" in row["message"]
        assert excluded(world) is False
        assert groups_left(world) == []
        assert [(row["vm"].rsplit("/", 1)[-1], row["status"]) for row in result["vms"]] == [("web01", "succeeded")]
        vm, disk = world.resource(vm_id("web01")), world.resource(disk_id("web01-202611"))
        assert vm is not None
        assert disk is not None
        assert vm["properties"]["storageProfile"]["osDisk"]["name"] == "web01-202611"
        assert disk["properties"]["creationData"]["galleryImageReference"]["id"] == VERSION_ID
        again = await world.run("create_images")
        assert [row["decision"] for row in again["images"]] == ["skip"]

    on_recipes([*recipe_bodies(), *vm_bodies("web01")], story, REFRESH_ROLLOUT="auto")


def test_a_generalized_definition_gets_a_generalized_capture() -> None:
    """The build VM is generalized before its capture, and the version is proven like any other."""

    async def story(world: HostedWorld) -> None:
        (row,) = (await world.run("create_images"))["images"]
        assert (row["decision"], row["reason"]) == ("create", "made"), row
        assert "POST generalize" in world.writes()
        assert groups_left(world) == []

    on_recipes(recipe_bodies(osState="Generalized"), story)


@dataclass(frozen=True)
class Bad:
    """One failure scenario: the planned faults, and the expected row of the definition."""

    name: str
    reason: str
    text: str
    rules: tuple[Json, ...] = ()
    decision: str = "failed"
    settings: dict[str, Any] = field(default_factory=dict)
    definition: dict[str, Any] = field(default_factory=dict)
    evidence: str | None = None
    by_hand: str | None = None
    excluded: bool | None = None
    more: tuple[Json, ...] = ()
    groups: int = 0


def respond(method: str, path: str, status: int, code: str) -> Json:
    body = {"error": {"code": code, "message": f"Azure says {code}"}}
    return {"match": {"method": method, "path": path}, "respond": {"status": status, "body": body}}


BAD = (
    Bad(
        "the VM never powers itself off",
        "build-timed-out",
        "60 minutes",
        ({"cloudInit": MACHINE, "ends": "never"},),
        evidence="login:",
    ),
    Bad(
        "there is no marker",
        "no-build-marker",
        "no line",
        ({"cloudInit": MACHINE, "ends": "silent"},),
        evidence="login:",
    ),
    Bad(
        "cloud-init fails",
        "no-build-marker",
        "reported errors",
        ({"cloudInit": MACHINE, "ends": "failed"},),
        evidence="REFRESH-BUILD-FAILED",
    ),
    Bad(
        "the quota is used up",
        "azure-said-no",
        "OperationNotAllowed",
        (respond("PUT", "/machine$", 409, "OperationNotAllowed"),),
    ),
    Bad(
        "there is no room for the VM",
        "build-failed",
        "AllocationFailed",
        (
            {
                "match": {"operation": "create", "resource": MACHINE},
                "fail": {"code": "AllocationFailed", "message": "no"},
            },
        ),
    ),
    Bad(
        "no group may be made",
        "azure-said-no",
        "AuthorizationFailed",
        (respond("PUT", "refresh-build-[^/]*$", 403, "AuthorizationFailed"),),
    ),
    Bad("the capture is refused", "azure-said-no", "Conflicting", (respond("PUT", "/versions/", 409, "Conflicting"),)),
    Bad(
        "the capture fails",
        "build-failed",
        "ImageBroken",
        ({"match": {"operation": "versionCreate"}, "fail": {"code": "ImageBroken", "message": "no"}},),
    ),
    Bad(
        "the disk of the proof never boots",
        "not-proven",
        "stays excluded",
        ({"disk": PROOF_DISK, "boots": False, "serial": "panic"},),
        evidence="boot-log condemns",
        by_hand="az resource delete",
        excluded=True,
    ),
    Bad(
        "there is no room for the VM of the proof",
        "not-proven",
        "run again",
        (
            {
                "match": {"operation": "create", "resource": "*/refresh-proof-*/machine"},
                "fail": {"code": "AllocationFailed", "message": "no"},
            },
        ),
        excluded=True,
    ),
    Bad(
        "the cleanup is refused by a lock",
        "made",
        "ScopeLocked",
        decision="create",
        more=({"id": SUBSCRIPTION_LOCK, "properties": {"level": "CanNotDelete"}},),
        by_hand="az group delete --name refresh-build-ubuntu-",
        excluded=False,
        groups=2,
    ),
    Bad(
        "the cleanup takes hours",
        "made",
        "is being deleted",
        ({"match": {"operation": "groupDelete"}, "duration_s": 36000.0},),
        decision="create",
        by_hand="az group delete --name refresh-build-ubuntu-",
        excluded=False,
        groups=2,
    ),
    Bad(
        "the recipe is for Windows",
        "windows-recipe",
        "custom data",
        decision="refuse",
        definition={"osType": "Windows"},
    ),
    Bad(
        "the image has another generation",
        "source-does-not-fit",
        "generation",
        decision="refuse",
        definition={"hyperVGeneration": "V1"},
    ),
    Bad(
        "there is no subnet",
        "no-build-subnet",
        "REFRESH_BUILD_SUBNETS",
        decision="refuse",
        settings={"REFRESH_BUILD_SUBNETS": ""},
    ),
    Bad("there is no recipe", "bad-recipe", "recipe.toml", decision="refuse", settings={"REFRESH_RECIPES": "/nowhere"}),
    Bad(
        "the image does not exist",
        "bad-recipe",
        "is not available",
        (respond("GET", "/publishers/", 404, "NotFound"),),
        decision="refuse",
    ),
)


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_a_failed_build_is_explained_and_leaves_no_group_unnamed(bad: Bad) -> None:
    """The row has the failure with the end of the log or the commands to run, and names every group that is left."""

    async def story(world: HostedWorld) -> None:
        fail(world, *bad.rules)
        (row,) = (await world.run("create_images"))["images"]
        assert (row["decision"], row["reason"]) == (bad.decision, bad.reason), row
        assert bad.text in row["message"]
        commands = "\n".join(row.get("by_hand", ()))
        assert bad.evidence is None or bad.evidence in "\n".join(row["evidence"])
        assert bad.by_hand is None or bad.by_hand in commands
        assert excluded(world) is bad.excluded
        left = groups_left(world)
        assert len(left) == bad.groups
        assert all(f"az group delete --name {name} " in commands for name in left)

    on_recipes([*recipe_bodies(**bad.definition), *bad.more], story, **bad.settings)


def test_a_version_that_is_not_proven_makes_no_disk_and_does_not_block_the_next_build() -> None:
    """It stays excluded from latest, so no disk is made from it; the next build makes the next version."""

    async def story(world: HostedWorld) -> None:
        fail(world, {"disk": PROOF_DISK, "boots": False, "times": 1})
        result = await world.run("refresh_month")
        assert result["images"][0]["reason"] == "not-proven"
        assert [row["reason"] for row in result["vms"]] == ["no-version"]
        again = await world.run("refresh_month")
        assert (again["images"][0]["reason"], again["images"][0]["version"]) == ("made", "202611.2.0")
        assert [row["reason"] for row in again["vms"]] == ["made"]

    on_recipes([*recipe_bodies(), *vm_bodies("web01")], story)


def test_a_marker_inside_a_log_line_proves_nothing(tmp_path: Path) -> None:
    """A recipe that prints the marker inside a line is no proof that its build succeeded."""
    home = tmp_path / "ubuntu"
    home.mkdir()
    (home / "recipe.toml").write_text('[image]\npublisher = "Canonical"\noffer = "ubuntu-24_04-lts"\nsku = "server"\n')
    cloud_init = "#cloud-config\nruncmd:\n  - printf 'cloud-init: REFRESH-BUILD-OK\\n' >/dev/console\n"
    (home / "cloud-init.yaml").write_text(cloud_init)

    async def story(world: HostedWorld) -> None:
        fail(world, {"cloudInit": MACHINE, "ends": "failed"})
        (row,) = (await world.run("create_images"))["images"]
        assert row["reason"] == "no-build-marker"

    on_recipes(recipe_bodies(), story, recipes=tmp_path)


def test_a_dry_run_checks_the_recipe_and_makes_nothing() -> None:
    """The plan refuses what the build would refuse and names what it would make, and nothing is written."""
    known = recipe_bodies()
    other = {**known[-1], "id": f"{DEFINITION_ID}2"}

    async def story(world: HostedWorld) -> None:
        settings = replace(world.settings, recipes=str(RECIPES), build_subnets=(SUBNET,))
        rows = await plan_images(world.gateways, settings, (), PERIOD)
        found = {row["definition"].rsplit("/", 1)[-1]: (row["decision"], row["reason"]) for row in rows}
        assert found == {"ubuntu": ("create", "missing"), "ubuntu2": ("refuse", "bad-recipe")}
        assert "recipe" in rows[0]["message"]
        assert world.writes() == []

    on_recipes([*known, other], story)


PUBLISHING = (
    "Microsoft.Compute/galleries/images/read",
    "Microsoft.Compute/galleries/images/versions/read",
    "Microsoft.Compute/galleries/images/versions/write",
    "Microsoft.Resources/subscriptions/read",
    "Microsoft.Resources/tags/write",
)


def test_the_rights_in_the_docs_are_enough() -> None:
    """With only the documented actions and those for publishing a recipe becomes a proven version."""
    page = (Path(__file__).parents[2] / "docs" / "recipes.md").read_text(encoding="utf-8")
    listed = re.findall(r"^Microsoft\.\S+$", page, re.MULTILINE)
    assert len(listed) > 10

    async def story(world: HostedWorld) -> None:
        subscription = DEFINITION_ID.partition("/resourceGroups")[0]
        world.simulator.roles.replace([{"scope": subscription, "actions": [*listed, *PUBLISHING]}])
        (row,) = (await world.run("create_images"))["images"]
        assert (row["decision"], row["reason"]) == ("create", "made"), row
        assert groups_left(world) == []

    on_recipes(recipe_bodies(osState="Generalized"), story)
