"""A recipe build with random faults, and its invariants.

Decides which faults a build may have and what must hold: it ends with a row, that row's commands name every temporary
group that is left, and the next build, without faults, is proved and leaves no group.
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
# At least as long as a hanging deletion (`_HANGS_S`) takes.
_REST_S = _HANGS_S = 7200.0


@dataclass(frozen=True)
class BuildFaults:
    """The seed, the share of requests and operations with a fault, and how cloud-init on the first build VM ends."""

    seed: int
    rate: float
    ending: str


def build_faults() -> st.SearchStrategy[BuildFaults]:
    """Random faults for the first build."""
    endings = st.sampled_from(("ok", "failed", "silent", "never"))
    return st.builds(BuildFaults, st.integers(0, 10_000), st.sampled_from((0.05, 0.1, 0.2)), endings)


@dataclass
class BuildRecord:
    """The record of a scenario: the results of both builds and every request to Azure."""

    first: dict[str, Any]
    second: dict[str, Any]
    requests: list[Json]


def play(faults: BuildFaults) -> BuildRecord:
    """Run a scenario; AssertionError shows the violated invariant."""

    async def story(world: HostedWorld) -> BuildRecord:
        return await _two_builds(world, faults)

    return on_recipes(recipe_bodies(), story)


async def _two_builds(world: HostedWorld, faults: BuildFaults) -> BuildRecord:
    rules = world.simulator.services.faults
    rules.add([{"cloudInit": "machine", "ends": faults.ending, "times": 1}])
    rules.plan(faults.seed, faults.rate, hang_limit_s=_HANGS_S)
    first = await world.run("create_images")
    commands = "\n".join(line for row in first.get("images", ()) for line in row.get("by_hand", ()))
    assert first["status"] in ("succeeded", "failed", "refused"), first
    assert all(name in commands for name in groups_left(world)), (groups_left(world), first)
    rules.clear()
    second = await world.run("create_images")
    (row,) = second["images"]
    assert row["reason"] in ("made", "kept"), (first, row)
    await asyncio.sleep(_REST_S)
    assert groups_left(world) == [], (first, second)
    latest = [each for each in world.simulator.store.of_type(_VERSIONS) if _is_in_latest(each.properties)]
    assert [each.id.key.startswith(DEFINITION_ID.lower()) for each in latest] == [True], (first, second)
    return BuildRecord(first, second, world.requests())


def _is_in_latest(version: Json) -> bool:
    return not version["publishingProfile"]["excludeFromLatest"]
