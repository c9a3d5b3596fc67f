"""A recipe among drawn calamities: whatever befalls requests and operations, the next build is not blocked."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.builders import DEFINITION_ID
from tests.support.month_world import HostedWorld
from tests.support.recipe_world import groups_left, on_recipes, recipe_bodies

ENDINGS = ("ok", "failed", "silent", "never")


@settings(max_examples=2, deadline=None)
@given(seed=st.integers(0, 10_000), rate=st.sampled_from((0.05, 0.1, 0.2)), ending=st.sampled_from(ENDINGS))
def test_whatever_befalls_a_build_is_named_and_the_next_one_succeeds(seed: int, rate: float, ending: str) -> None:
    """A build ends with a row; every group it left is in its commands; without calamity the next build is proved."""

    async def story(world: HostedWorld) -> None:
        faults = world.simulator.plane.faults
        faults.add([{"cloudInit": "machine", "ends": ending, "times": 1}])
        faults.plan(seed, rate, hang_limit_s=7200.0)
        first = await world.run("create_images")
        commands = "\n".join(line for row in first.get("images", ()) for line in row.get("by_hand", ()))
        assert first["status"] in ("succeeded", "failed", "refused")
        assert all(name in commands for name in groups_left(world)), first
        faults.clear()
        (row,) = (await world.run("create_images"))["images"]
        assert row["reason"] in ("made", "kept"), (first, row)
        await asyncio.sleep(7200)
        assert groups_left(world) == []
        versions = world.simulator.store.of_type("Microsoft.Compute/galleries/images/versions")
        latest = [each for each in versions if not each.properties["publishingProfile"]["excludeFromLatest"]]
        assert len(latest) == 1
        assert latest[0].id.key.startswith(DEFINITION_ID.lower())

    on_recipes(recipe_bodies(), story)
