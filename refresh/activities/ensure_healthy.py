"""Step *health*: the VM runs and whatever speaks for its guest says it is well."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from refresh import wiring
from refresh.activities.convergence import Convergence, Rhythm
from refresh.activities.health_watch import HealthWatch
from refresh.messages import StepInput

EVERY_S = 5.0
# The ladder has a clock of its own; this ends a step whose VM cannot even be read.
UNREADABLE_S = 60.0


async def ensure_healthy(data: dict[str, Any]) -> dict[str, Any]:
    """Watch the VM until its guest is proved well, condemned, or out of time; a `StepResult`."""
    step, gateways = StepInput.from_json(data), wiring.gateways()
    watch = HealthWatch.of(step, gateways.guests, wiring.settings())
    rhythm = Rhythm(first_s=EVERY_S, then_s=EVERY_S, budget_s=watch.timeout_s + UNREADABLE_S)
    result = await Convergence(gateways, step, rhythm, watch.judge, observe=watch.observe).run()
    rungs = () if result.state == "waiting" else watch.lines()
    return replace(result, rungs=rungs).to_json()
