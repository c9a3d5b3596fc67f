"""Recipes of the whole app on the local Azure: the versions that they make, and the cleanup."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from refresh.reading.images.version_plans import plan_images
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


def test_a_recipe_becomes_a_proven_version_and_an_os_disk_and_leaves_nothing() -> None:
    """A recipe is built, captured, replicated, booted once, made latest only then, and swapped onto a VM."""

    async def story(world: HostedWorld) -> None:
        result = await world.run("refresh_month")
        (row,) = result["images"]
        assert (row["decision"], row["reason"], row["version"]) == ("create", "made", "202611.1.0"), row
        assert "agent: ready" in row["message"]
        version = world.resource(VERSION_ID)
        assert version is not None
        assert version["properties"]["publishingProfile"]["excludeFromLatest"] is False
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
