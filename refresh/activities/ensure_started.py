"""Step *start*: the VM runs."""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.activities.convergence import Convergence, Rhythm
from refresh.domain.steps import judge_started
from refresh.messages import StepInput

# Recorded: 8 s at least from deallocated, half within 13 s, 30 s at most. A refused start is tried again all the time.
RHYTHM = Rhythm(first_s=8.0, then_s=3.0, budget_s=900.0, retry_refused=True)


async def ensure_started(data: dict[str, Any]) -> dict[str, Any]:
    """Start the VM if it does not run; a `StepResult`."""
    step, gateways = StepInput.from_json(data), wiring.gateways()
    convergence = Convergence(gateways, step, RHYTHM, judge_started, lambda: gateways.compute.begin_start(step.vm))
    return (await convergence.run()).to_json()
