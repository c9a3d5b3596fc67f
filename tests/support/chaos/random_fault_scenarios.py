"""`python -m tests.support.chaos.random_fault_scenarios`: scenarios with random faults, printed as JSON.

Decides which scenarios run: a recipe, and a fleet whose events are late and doubled and whose workers crash. Both have
random faults of every kind. A test compares the output of two processes.
"""

from __future__ import annotations

import json
import logging
from typing import Any

from simulator.arm.core.store import Json
from simulator.eventgrid import Chaos
from tests.support.chaos.failures import KINDS
from tests.support.chaos.fleet import Machine
from tests.support.chaos.fleet_scenario import FleetStory
from tests.support.chaos.recipe_scenario import Calamity, play

_FLEET = (
    Machine("web01", "running", True, "deallocate", False),
    Machine("web02", "running", True, "power-off", False),
    Machine("web03", "running", False, "deallocate", False),
)
_SEEN = ("t", "method", "path", "query", "status", "duration_s")


def recipe() -> dict[str, Any]:
    """Two builds of a recipe, the first with random faults: every request and both results."""
    told = play(Calamity(11, 0.2, "never"))
    return {"requests": _rows(told.requests), "results": [told.first, told.second]}


def fleet() -> dict[str, Any]:
    """Three VMs with random faults: every request, the outcomes and the duration."""
    story = FleetStory()
    story.a_fleet(_FLEET, Chaos(30, 0.5, 0.5, 3), "new")
    story.chance_rules(5, 0.1, set(KINDS))
    for at, wish in enumerate(("newer", "new", "bad")):
        story.somebody_wants_a_disk_that_fits(1, at, wish)
    story.the_worker_will_die(10, [3, 17, 40])
    story.the_sweep_comes_by()
    for at, wish in enumerate(("new", "old", "newer")):
        story.somebody_wants_a_disk_that_fits(60, at, wish)
    story.every_orchestration_is_killed(20)
    story.the_worker_will_die(10, [5, 9, 22])
    story.teardown()
    journal = story.azure.simulator.journal.to_json(story.clock.now())
    return {"requests": _rows(journal["requests"]), "results": story.azure.outcomes(), "took_s": story.clock.time()}


def _rows(requests: list[Json]) -> list[list[Any]]:
    """The requests to Azure with time and status, without the ids that a client generates for each request."""
    return [[row[name] for name in _SEEN] for row in requests]


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)  # the Durable library logs a warning for every late answer; here many are late
    print(json.dumps({"recipe": recipe(), "fleet": fleet()}))
