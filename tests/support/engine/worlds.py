"""Which stories share a hub, and the host.json that they want.

Decides the settings of each world. A story is a coroutine function of a module, its promise is its name.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from tests.support.engine.play import Play
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

type Story = Callable[[Play], Awaitable[Any]]

# Every world asks its queues often, so that its stories are short, and switches the entities' message sorter off.
_DURABLE = {
    "entityMessageReorderWindowInMinutes": 0,
    "maxEntityOperationBatchSize": 3,
    "storageProvider": {"maxQueuePollingInterval": "00:00:00.2"},
}


@dataclass(frozen=True)
class World:
    """Stories that share a hub, with `durable` of host.json beside what every world has."""

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
# One of each kind, played on the real engine wherever it is at hand.
LIVE = (
    "starts.steps_of_every_kind",
    "starts.with_an_id_that_runs",
    "endings.with_an_exception",
    "endings.by_a_failed_activity",
    "endings.terminated",
    "events.for_nothing_that_runs",
    "children.that_fail",
    "children.with_its_parents_id",
    "entities.called",
    "entities.that_start_an_id_that_runs",
    "histories.of_a_continued_orchestration",
)
