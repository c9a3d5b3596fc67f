"""A recipe with dying workers, killed runs or a second run at the same time leaves no resource unnamed."""

from __future__ import annotations

import asyncio

import pytest

from simulator.durable.records import TERMINAL
from tests.support.chaos.boundaries import CrashAtEachStep
from tests.support.worlds.builders import VERSION_ID
from tests.support.worlds.month_world import HostedWorld
from tests.support.worlds.recipe_world import MACHINE, fail, groups_left, machines, on_recipes, recipe_bodies, until

STEPS = frozenset({"run_recipe", "build_vm", "prove_version"})


@pytest.mark.parametrize("moment", ["before", "after", "turn"])
def test_a_recipe_resumes_after_a_crash_at_each_step(moment: str) -> None:
    """With lost or repeated activities, or with every turn twice, one version is made and nothing is left."""

    async def story(world: HostedWorld) -> None:
        dying = world.hub.interruptions = CrashAtEachStep(moment, turns=STEPS)
        (row,) = (await world.run("create_images"))["images"]
        assert (row["decision"], row["reason"], row["version"]) == ("create", "made", "202611.1.0"), row
        assert groups_left(world) == []
        made = [line for line in world.writes() if line.startswith("PUT") and "machine" in line]
        assert sorted(set(made)) == ["PUT machine", "PUT machine-nic", "PUT machine-os"]
        assert made.count("PUT machine") == 2, "one build VM and one proof VM, whatever died"
        steps = {"ensure_build_group", "ensure_build_vm", "watch_build_vm", "ensure_stopped", "ensure_generalized"}
        others = {"plan_recipe", "plan_proof", "find_leftovers", "ensure_proof_vm", "ensure_healthy"}
        assert dying.crashed >= (STEPS if moment == "turn" else steps | others | {"ensure_group_gone"})
        await asyncio.sleep(1800)
        assert groups_left(world) == [], "activities that were delivered late made nothing new"

    on_recipes(recipe_bodies(osState="Generalized"), story)


def test_a_killed_run_leaves_a_tagged_group_that_the_next_run_deletes() -> None:
    """The group of a killed run has the run and definition in its tags, and the next run deletes it."""

    async def story(world: HostedWorld) -> None:
        fail(world, {"cloudInit": MACHINE, "ends": "never", "times": 1})
        world.hub.start("create_images", {}, None)
        await until(lambda: any(vm.state.power == "running" for vm in machines(world)))
        await asyncio.sleep(300)
        for name, instance in list(world.hub.orchestrations.instances.items()):
            if instance.status not in TERMINAL:
                world.hub.terminate(name)
        (left,) = groups_left(world)
        group = world.resource(f"{VERSION_ID.partition('/resourceGroups')[0]}/resourceGroups/{left}")
        assert group is not None
        assert group["tags"]["RefreshRun"].startswith("recipe-")
        assert group["tags"]["RefreshDefinition"].endswith("/images/ubuntu")
        (row,) = (await world.run("create_images"))["images"]
        assert (row["decision"], row["reason"]) == ("create", "made"), row
        await asyncio.sleep(3600)
        assert groups_left(world) == []

    on_recipes(recipe_bodies(), story)


def test_two_builds_of_one_recipe_never_run_together() -> None:
    """The second run finds the first one's group, makes nothing and names the first run."""

    async def story(world: HostedWorld) -> None:
        first = world.hub.start("create_images", {}, None)
        await asyncio.sleep(60)
        (second,) = (await world.run("create_images"))["images"]
        assert (second["decision"], second["reason"]) == ("refuse", "build-under-way"), second
        assert "recipe-202611" in second["message"]
        await world.hub.completed(first)
        (row,) = world.hub.output(first)["images"]
        assert (row["decision"], row["reason"], row["version"]) == ("create", "made", "202611.1.0")
        assert groups_left(world) == []
        assert [line for line in world.writes() if line == "PUT machine"] == ["PUT machine"] * 2

    on_recipes(recipe_bodies(), story)
