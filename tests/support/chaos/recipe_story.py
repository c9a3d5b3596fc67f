"""A recipe among drawn calamities, and what holds whatever they are.

Decides what may befall a build, and what is promised of it: it ends with a row, every group it left is in that row's
commands, and the next build, without calamity, is proved and leaves nothing behind.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from simulator.arm.core.store import Json
from tests.support.worlds.builders import DEFINITION_ID
from tests.support.worlds.month_world import HostedWorld
from tests.support.worlds.recipe_world import groups_left, on_recipes, recipe_bodies

_VERSIONS = "Microsoft.Compute/galleries/images/versions"
# Longer than a deletion that hangs (`_HANGS_S`) may still take.
_REST_S = _HANGS_S = 7200.0


@dataclass(frozen=True)
class Calamity:
    """The seed of chance, the share of requests and operations that something befalls, how the first VM's run ends."""

    seed: int
    rate: float
    ending: str


def calamities() -> st.SearchStrategy[Calamity]:
    """Everything that may befall the first build."""
    endings = st.sampled_from(("ok", "failed", "silent", "never"))
    return st.builds(Calamity, st.integers(0, 10_000), st.sampled_from((0.05, 0.1, 0.2)), endings)


@dataclass
class Told:
    """What was seen of a story: both builds' results and every request to Azure."""

    first: dict[str, Any]
    second: dict[str, Any]
    requests: list[Json]


def play(calamity: Calamity) -> Told:
    """Play a story; AssertionError names the promise that did not hold."""

    async def story(world: HostedWorld) -> Told:
        return await _two_builds(world, calamity)

    return on_recipes(recipe_bodies(), story)


async def _two_builds(world: HostedWorld, calamity: Calamity) -> Told:
    faults = world.simulator.services.faults
    faults.add([{"cloudInit": "machine", "ends": calamity.ending, "times": 1}])
    faults.plan(calamity.seed, calamity.rate, hang_limit_s=_HANGS_S)
    first = await world.run("create_images")
    commands = "\n".join(line for row in first.get("images", ()) for line in row.get("by_hand", ()))
    assert first["status"] in ("succeeded", "failed", "refused"), first
    assert all(name in commands for name in groups_left(world)), (groups_left(world), first)
    faults.clear()
    second = await world.run("create_images")
    (row,) = second["images"]
    assert row["reason"] in ("made", "kept"), (first, row)
    await asyncio.sleep(_REST_S)
    assert groups_left(world) == [], (first, second)
    latest = [each for each in world.simulator.store.of_type(_VERSIONS) if _is_in_latest(each.properties)]
    assert [each.id.key.startswith(DEFINITION_ID.lower()) for each in latest] == [True], (first, second)
    return Told(first, second, world.requests())


def _is_in_latest(version: Json) -> bool:
    return not version["publishingProfile"]["excludeFromLatest"]
