"""The entity's message sorter, which is on unless host.json turns it off."""

from typing import Any

from tests.support.engine.story_client import Play


async def calls_of_orchestrations(play: Play) -> Any:
    """Dropped: without a time stamp they count as duplicates. Signals of orchestrations and clients arrive."""
    await play.start("a", [["signal", play.id("k"), "add", 1], ["call", play.id("k"), "get"]])
    await play.signal("k", "add", 2)
    kept = await play.until_box("k", lambda state: state.count(",") == 1)
    return ["".join(sorted(kept)), await play.until("a", lambda state: "output" in state, 5)]


async def locks_of_orchestrations(play: Play) -> Any:
    await play.start("a", [["lock", play.id("k")]])
    return await play.until("a", lambda state: "output" in state, 5)


async def calls_after_a_signal_of_an_entity(play: Play) -> Any:
    """A signal with a time stamp opens the sorter's window, and older messages are delivered."""
    await play.signal("k", "signal", {"key": play.id("l"), "operation": "add", "input": 7})
    await play.until_box("l", bool)
    return await play.ran("a", [["call", play.id("l"), "get"]])
