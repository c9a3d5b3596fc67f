"""Step *start*: the VM runs."""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.activities.convergence import Convergence, Rhythm
from refresh.domain.steps import judge_started
from refresh.domain.stop_mode import StopMode
from refresh.messages import StepInput

# Recorded: from deallocated 8 s at least, half within 13 s, 30 s at most; from powered off 2.8 s, 5.5 s, 12.5 s. A
# refused start is tried again all the time: nothing is worse than a VM that stays down.
RHYTHMS = {
    StopMode.DEALLOCATE: Rhythm(first_s=8.0, then_s=3.0, budget_s=900.0, retry_refused=True),
    StopMode.POWER_OFF: Rhythm(first_s=3.0, then_s=2.0, budget_s=900.0, retry_refused=True),
}


async def ensure_started(data: dict[str, Any]) -> dict[str, Any]:
    """Start the VM if it does not run; a `StepResult`."""
    step, gateways = StepInput.from_json(data), wiring.gateways()
    rhythm = RHYTHMS[StopMode(step.stop_mode)]
    convergence = Convergence(gateways, step, rhythm, judge_started, lambda: gateways.compute.begin_start(step.vm))
    return (await convergence.run()).to_json()
