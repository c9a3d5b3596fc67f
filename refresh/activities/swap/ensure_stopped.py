"""Step *stop*: the VM is deallocated, or powered off where that is its stop mode."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from refresh import wiring
from refresh.activities.swap.convergence import Convergence, Rhythm
from refresh.domain.azure import polls
from refresh.domain.azure.vms import Vm
from refresh.domain.swap.steps import is_held, judge_stopped
from refresh.domain.terms.stop_mode import StopMode
from refresh.domain.terms.verdict import StepVerdict
from refresh.gateways.operations import Begun
from refresh.records.swap import StepInput

# A stop that fails, or succeeds without effect, may still have shut the guest down each time.
MOST_STOPS = 2
RHYTHMS = {
    mode: Rhythm(poll.first_s, poll.every_s, poll.budget_s, operation_s=poll.operation_s, most_begins=MOST_STOPS)
    for mode, poll in polls.STOP.items()
}


async def ensure_stopped(data: dict[str, Any]) -> dict[str, Any]:
    """Stop the VM in its stop mode, unless it is stopped or has OS disk `disk` already; a `StepResult`.

    Where another operation holds the VM, a stop that `preempts` it is a deallocate: Azure refuses a power off then.
    """
    step, compute = StepInput.from_json(data), wiring.gateways().compute
    mode, held = StopMode(step.stop_mode), False

    def judge(vm: Vm, age_s: float | None) -> StepVerdict:
        nonlocal held
        held = is_held(vm)
        return judge_stopped(vm, age_s, step.disk, mode, preempts=step.preempts)

    def begin() -> Awaitable[Begun]:
        powers_off = mode is StopMode.POWER_OFF and not held
        return compute.begin_power_off(step.vm) if powers_off else compute.begin_deallocate(step.vm)

    return (await Convergence(wiring.gateways(), step, RHYTHMS[mode], judge, begin).run()).to_json()
