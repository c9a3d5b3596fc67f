"""Step *start*: the VM runs."""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.activities.swap.convergence import Convergence, Rhythm
from refresh.domain.swap.steps import judge_started
from refresh.domain.vm.stop_mode import StopMode
from refresh.records.swap import StepInput

# Recorded: from deallocated at least 8 s, half within 13 s, at most 30 s; from powered off 2.8 s, 5.5 s, 12.5 s. A
# refused start is tried again until the budget ends: a VM must not stay down.
FIRST_LOOK_S = {StopMode.DEALLOCATE: 8.0, StopMode.POWER_OFF: 3.0}


async def ensure_started(data: dict[str, Any]) -> dict[str, Any]:
    """Start the VM unless it runs; a `StepResult`."""
    step, gateways = StepInput.from_json(data), wiring.gateways()
    rhythm = Rhythm(
        first_s=FIRST_LOOK_S[StopMode(step.stop_mode)],
        then_s=2.0,
        budget_s=900.0,
        operation_s=900.0,
        retry_refused=True,
        no_room_budget_s=float(wiring.settings().capacity_timeout_s),
        asks_operation=False,
    )
    convergence = Convergence(gateways, step, rhythm, judge_started, lambda: gateways.compute.begin_start(step.vm))
    return (await convergence.run()).to_json()
