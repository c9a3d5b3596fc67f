"""Step *stop*: the VM is deallocated."""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.activities.convergence import Convergence, Rhythm
from refresh.domain.steps import judge_stopped
from refresh.messages import StepInput

# Recorded: 10 s at least, half within 26 s, 288 s at most.
RHYTHM = Rhythm(first_s=10.0, then_s=5.0, budget_s=600.0)


async def ensure_deallocated(data: dict[str, Any]) -> dict[str, Any]:
    """Deallocate the VM if it is not, unless it has OS disk `disk`; a `StepResult`."""
    step, gateways = StepInput.from_json(data), wiring.gateways()
    convergence = Convergence(
        gateways,
        step,
        RHYTHM,
        lambda vm, age_s: judge_stopped(vm, age_s, step.disk),
        lambda: gateways.compute.begin_deallocate(step.vm),
    )
    return (await convergence.run()).to_json()
