"""The simulator's hub answers as Microsoft's engine answered: the same stories, compared with what is kept of them."""

from typing import Any

import pytest

from tests.support.engine.answers import kept
from tests.support.engine.stage import on_the_hub
from tests.support.engine.worlds import LIVE, WORLDS

_TOLD = [(world, story) for world, stories in WORLDS.items() for story in stories.stories]
_KEPT = {world: kept(world) for world in WORLDS}


@pytest.mark.parametrize(("world", "story"), _TOLD, ids=[story for _, story in _TOLD])
def test_the_hub_answers_as_the_engine_did(world: str, story: str) -> None:
    """Whatever a client and the app's functions see of a story is what they saw on the engine."""
    assert on_the_hub(WORLDS[world], story) == _KEPT[world][story]


def test_every_story_has_been_told_on_the_engine() -> None:
    """Nothing is kept of stories that are no more, and no kept answer says that its story failed."""
    assert {world: sorted(answers) for world, answers in _KEPT.items()} == {
        world: sorted(stories.stories) for world, stories in WORLDS.items()
    }
    failed: list[Any] = [
        answer for answers in _KEPT.values() for answer in answers.values() if "itself failed" in str(answer)
    ]
    assert not failed
    assert set(LIVE) <= set(WORLDS["ordinary"].stories)
