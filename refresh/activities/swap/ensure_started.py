"""Step *start*: the VM runs."""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.activities.swap.convergence import Convergence, Rhythm
from refresh.domain.azure import polls
from refresh.domain.swap.steps import judge_started
from refresh.domain.terms.stop_mode import StopMode
from refresh.records.swap import StepInput


async def ensure_started(data: dict[str, Any]) -> dict[str, Any]:
    """Start the VM unless it runs; a `StepResult`.

    With `leave_stopped` a VM that somebody else has stopped after the start ends the step as `stopped`.
    """
    step, gateways = StepInput.from_json(data), wiring.gateways()
    poll = polls.START[StopMode(step.stop_mode)]
    # A refused start is tried again until the budget ends: a VM must not stay down.
    rhythm = Rhythm(
        poll.first_s,
        poll.every_s,
        poll.budget_s,
        operation_s=poll.operation_s,
        retry_refused=True,
        capacity_budget_s=float(wiring.settings().capacity_timeout_s),
        polls_operation=False,
        leaves_stopped=step.leave_stopped,
    )
    convergence = Convergence(gateways, step, rhythm, judge_started, lambda: gateways.compute.begin_start(step.vm))
    return (await convergence.run()).to_json()
