"""The simulator's hub answers as Microsoft's engine did: the same stories, compared with the stored answers."""

from typing import Any

import pytest

from tests.support.engine.answers import kept
from tests.support.engine.run_stories import on_the_hub
from tests.support.engine.worlds import LIVE, WORLDS

_EACH_STORY = [(world, story) for world, stories in WORLDS.items() for story in stories.stories]
_STORED = {world: kept(world) for world in WORLDS}


@pytest.mark.parametrize(("world", "story"), _EACH_STORY, ids=[story for _, story in _EACH_STORY])
def test_the_hub_answers_as_the_engine_did(world: str, story: str) -> None:
    """Clients and the app's functions see the same in a story on the hub as on the engine."""
    assert on_the_hub(WORLDS[world], story) == _STORED[world][story]


def test_every_story_has_stored_answers_of_the_engine() -> None:
    """No stored answer belongs to a removed story, and none is of a story that itself failed."""
    assert {world: sorted(answers) for world, answers in _STORED.items()} == {
        world: sorted(stories.stories) for world, stories in WORLDS.items()
    }
    failed: list[Any] = [
        answer for answers in _STORED.values() for answer in answers.values() if "itself failed" in str(answer)
    ]
    assert not failed
    assert set(LIVE) <= set(WORLDS["ordinary"].stories)
