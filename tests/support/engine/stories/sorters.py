"""The entity's message sorter, which is on unless host.json switches it off."""

from typing import Any

from tests.support.engine.story_client import StoryClient


async def calls_of_orchestrations(hub: StoryClient) -> Any:
    """Dropped: without a time stamp they count as duplicates. Signals of orchestrations and clients arrive."""
    await hub.start("a", [["signal", hub.id("k"), "add", 1], ["call", hub.id("k"), "get"]])
    await hub.signal("k", "add", 2)
    kept = await hub.until_box("k", lambda state: state.count(",") == 1)
    return ["".join(sorted(kept)), await hub.until("a", lambda state: "output" in state, 5)]


async def locks_of_orchestrations(hub: StoryClient) -> Any:
    await hub.start("a", [["lock", hub.id("k")]])
    return await hub.until("a", lambda state: "output" in state, 5)


async def calls_after_a_signal_of_an_entity(hub: StoryClient) -> Any:
    """A signal with a time stamp opens the sorter's window, and older messages are delivered."""
    await hub.signal("k", "signal", {"key": hub.id("l"), "operation": "add", "input": 7})
    await hub.until_box("l", bool)
    return await hub.ran("a", [["call", hub.id("l"), "get"]])
