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
from tests.support.chaos.fleet_scenario import FleetScenario
from tests.support.chaos.recipe_scenario import BuildFaults, play

_FLEET = (
    Machine("web01", "running", True, "deallocate", False),
    Machine("web02", "running", True, "power-off", False),
    Machine("web03", "running", False, "deallocate", False),
)
_SEEN = ("t", "method", "path", "query", "status", "duration_s")


def recipe() -> dict[str, Any]:
    """Two builds of a recipe, the first with random faults: every request and both results."""
    done = play(BuildFaults(11, 0.2, "never"))
    return {"requests": _rows(done.requests), "results": [done.first, done.second]}


def fleet() -> dict[str, Any]:
    """Three VMs with random faults: every request, the outcomes and the duration."""
    scenario = FleetScenario()
    scenario.create_fleet(_FLEET, Chaos(30, 0.5, 0.5, 3), "new")
    scenario.faults_at_random(5, 0.1, set(KINDS))
    for at, wish in enumerate(("newer", "new", "bad")):
        scenario.person_edits_tag_to_fitting_disk(1, at, wish)
    scenario.worker_crashes_later(10, [3, 17, 40])
    scenario.sweep_runs()
    for at, wish in enumerate(("new", "old", "newer")):
        scenario.person_edits_tag_to_fitting_disk(60, at, wish)
    scenario.orchestrations_are_terminated(20)
    scenario.worker_crashes_later(10, [5, 9, 22])
    scenario.teardown()
    journal = scenario.azure.simulator.journal.to_json(scenario.clock.now())
    return {
        "requests": _rows(journal["requests"]),
        "results": scenario.azure.outcomes(),
        "took_s": scenario.clock.time(),
    }


def _rows(requests: list[Json]) -> list[list[Any]]:
    """The requests to Azure with time and status, without the ids that a client generates for each request."""
    return [[row[name] for name in _SEEN] for row in requests]


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)  # the Durable library logs a warning for every late answer; here many are late
    print(json.dumps({"recipe": recipe(), "fleet": fleet()}))
