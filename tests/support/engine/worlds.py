"""Groups the stories by the hub that they share and its host.json settings.

Decides the settings of each group (world). A story is a public coroutine function of a module; its name states its
subject.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from tests.support.engine.stories import (
    children,
    endings,
    entities,
    events,
    histories,
    payloads,
    queries,
    sorters,
    starts,
)
from tests.support.engine.story_client import StoryClient

type Story = Callable[[StoryClient], Awaitable[Any]]

# Every world polls its queues often, so that its stories are short, and switches off the entities' message sorter.
_DURABLE = {
    "entityMessageReorderWindowInMinutes": 0,
    "maxEntityOperationBatchSize": 3,
    "storageProvider": {"maxQueuePollingInterval": "00:00:00.2"},
}


@dataclass(frozen=True)
class World:
    """Stories that share a hub; `durable` are its host.json settings in addition to those of every world."""

    modules: tuple[ModuleType, ...]
    durable: Mapping[str, Any] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, Any]:
        """`extensions.durableTask` of host.json."""
        return {**_DURABLE, **self.durable}

    @property
    def stories(self) -> dict[str, Story]:
        """The stories by `module.name`."""
        return {
            f"{module.__name__.rpartition('.')[2]}.{name}": story
            for module in self.modules
            for name, story in vars(module).items()
            if inspect.iscoroutinefunction(story) and not name.startswith("_")
        }


WORLDS = {
    "ordinary": World((starts, endings, events, children, payloads, entities, histories)),
    "listed": World((queries,)),
    "sorted": World((sorters,), {"entityMessageReorderWindowInMinutes": 30}),
}
# One of each kind; a test runs them on the real engine where it is installed. Not among them are stories whose answer
# depends on which of two instances writes its row last, such as a child with the id of its parent.
LIVE = (
    "starts.steps_of_every_kind",
    "starts.with_an_id_that_runs",
    "endings.with_an_exception",
    "endings.by_a_failed_activity",
    "endings.terminated",
    "events.for_nothing_that_runs",
    "children.that_fail",
    "children.with_one_id_after_the_other",
    "entities.called",
    "entities.that_start_an_id_that_runs",
    "histories.of_a_continued_orchestration",
)
