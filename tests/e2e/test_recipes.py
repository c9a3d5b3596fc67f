"""Recipes, carried out by the whole app against the pretend Azure: what comes of them, and what is never left behind."""

from __future__ import annotations

from tests.support.builders import VERSION_ID
from tests.support.month_world import HostedWorld
from tests.support.recipe_world import groups_left, on_recipes, recipe_bodies


def test_a_recipe_becomes_a_proved_version_and_leaves_nothing_behind() -> None:
    """Built on a VM nobody can reach, captured, replicated, booted once, and only then latest; both groups are gone."""

    async def story(world: HostedWorld) -> None:
        result = await world.run("create_images")
        print(result)
        (row,) = result["images"]
        assert (row["decision"], row["reason"], row["version"]) == ("create", "made", "202611.1.0"), row
        version = world.resource(VERSION_ID)
        assert version is not None
        assert version["properties"]["publishingProfile"]["excludeFromLatest"] is False
        assert groups_left(world) == []

    on_recipes(recipe_bodies(), story)
