"""Step *health*: the VM runs and whatever speaks for its guest says it is well."""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.activities.convergence import Convergence, Rhythm
from refresh.domain.steps import judge_healthy
from refresh.messages import StepInput


async def ensure_healthy(data: dict[str, Any]) -> dict[str, Any]:
    """Watch the VM until its guest is proved well or the health timeout is over; a `StepResult`."""
    step = StepInput.from_json(data)
    rhythm = Rhythm(first_s=5.0, then_s=5.0, budget_s=float(wiring.settings().health_timeout_s))
    convergence = Convergence(
        wiring.gateways(), step, rhythm, lambda vm, _: judge_healthy(vm, step.started_at, step.agent_spoke)
    )
    return (await convergence.run()).to_json()
