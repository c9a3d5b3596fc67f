"""Step *stop*: the VM is deallocated, or powered off where that is its stop mode."""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.activities.swap.convergence import Convergence, Rhythm
from refresh.domain.swap.steps import judge_stopped
from refresh.domain.vm.stop_mode import StopMode
from refresh.records.swap import StepInput

# A stop that fails, or succeeds without effect, may still have shut the guest down each time.
MOST_STOPS = 2
# Recorded. Deallocate: at least 10 s, half within 26 s, at most 288 s. Power off: 3.5 s, 8.7 s, 22 s.
RHYTHMS = {
    StopMode.DEALLOCATE: Rhythm(10.0, 0.5, budget_s=600.0, operation_s=900.0, most_begins=MOST_STOPS),
    StopMode.POWER_OFF: Rhythm(3.5, 0.3, budget_s=600.0, operation_s=900.0, most_begins=MOST_STOPS),
}


async def ensure_stopped(data: dict[str, Any]) -> dict[str, Any]:
    """Stop the VM in its stop mode, unless it is stopped or has OS disk `disk` already; a `StepResult`."""
    step, compute = StepInput.from_json(data), wiring.gateways().compute
    mode = StopMode(step.stop_mode)
    begin = compute.begin_power_off if mode is StopMode.POWER_OFF else compute.begin_deallocate
    convergence = Convergence(
        wiring.gateways(),
        step,
        RHYTHMS[mode],
        lambda vm, age_s: judge_stopped(vm, age_s, step.disk, mode),
        lambda: begin(step.vm),
    )
    return (await convergence.run()).to_json()
