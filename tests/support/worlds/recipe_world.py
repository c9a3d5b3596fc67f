"""A gallery whose definition `ubuntu` is built from the recipe in tests/data/recipes, and a build subnet."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from simulator.arm.core.store import Json, Record
from tests.support.worlds.builders import DEFINITION_ID, GALLERY, GROUP
from tests.support.worlds.month_world import HostedWorld, definition_body, on_functions

RECIPES = Path(__file__).parents[2] / "data" / "recipes"
NETWORK = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/build"
SUBNET = f"{NETWORK}/subnets/build"
MACHINE = "*/refresh-build-*/machine"
PROOF_DISK = "*/refresh-proof-*/machine-os"
RECIPE_TAGS = {"AutoRefresh": "true", "RefreshSource": "recipe", "RefreshPersonalizes": "true"}


def recipe_bodies(tags: dict[str, str] | None = None, **properties: Any) -> list[Json]:
    """The gallery, its definition with `RefreshSource=recipe`, and the build network in the same region."""
    return [
        {"id": NETWORK, "location": "westeurope", "properties": {"subnets": [{"name": "build"}]}},
        {"id": GALLERY, "location": "westeurope"},
        definition_body(DEFINITION_ID, {**RECIPE_TAGS, **(tags or {})}, **properties),
    ]


def on_recipes[T](
    scenario: list[Json], story: Callable[[HostedWorld], Awaitable[T]], *, recipes: Path = RECIPES, **settings: Any
) -> T:
    """Run `story` with the hosted app and the recipes in the folder `recipes`."""
    given = {"REFRESH_RECIPES": str(recipes), "REFRESH_BUILD_SUBNETS": SUBNET, **settings}
    return on_functions(scenario, story, **given)


def fail(world: HostedWorld, *rules: Json) -> None:
    """Add fault rules."""
    world.simulator.services.faults.add(list(rules))


def groups_left(world: HostedWorld) -> list[str]:
    """The names of the app's temporary groups that exist."""
    found = world.simulator.store.of_type("Microsoft.Resources/resourceGroups")
    return [each.id.name for each in found if each.id.name.startswith("refresh-")]


def machines(world: HostedWorld) -> list[Record]:
    """The temporary VMs for builds and proofs that exist."""
    found = world.simulator.store.of_type("Microsoft.Compute/virtualMachines")
    return [each for each in found if each.id.name == "machine"]


async def until(holds: Callable[[], object], within_s: float = 7200) -> None:
    """Let simulated time pass until `holds`; AssertionError after `within_s`."""
    for _ in range(int(within_s / 5)):
        if holds():
            return
        await asyncio.sleep(5)
    raise AssertionError(f"did not hold within {within_s} simulated seconds")
