"""Step *health*: the VM runs, and the signals of its guest are healthy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from refresh import wiring
from refresh.activities.health.watch import HealthWatch
from refresh.activities.swap.convergence import Convergence, Rhythm
from refresh.domain.azure import polls
from refresh.domain.azure.vms import Power, Vm
from refresh.domain.terms.verdict import Move, StepVerdict
from refresh.records.swap import StepInput, StepState

_STOPPED = (Power.STOPPING, Power.STOPPED, Power.DEALLOCATING, Power.DEALLOCATED)


@dataclass
class _Verdicts:
    """The watch's verdicts; with `leave_stopped` a VM that is found stopped ends the step instead."""

    watch: HealthWatch
    leave_stopped: bool
    stopped: bool = False

    def judge(self, vm: Vm, begun_age_s: float | None) -> StepVerdict:
        if self.leave_stopped and vm.power in _STOPPED:
            self.stopped = True
            return StepVerdict(Move.DONE, f"{vm.power}, and not by the app")
        return self.watch.judge(vm, begun_age_s)


async def ensure_healthy(data: dict[str, Any]) -> dict[str, Any]:
    """Watch the VM until its guest is proved healthy or unhealthy, or the time is up; a `StepResult`.

    With `leave_stopped` a VM that is found stopped ends the step as `stopped`, which proves nothing about its disk.
    """
    step, gateways = StepInput.from_json(data), wiring.gateways()
    watch = HealthWatch.of(step, gateways.guests, wiring.settings())
    every_s = polls.HEALTH.every_s
    # The ladder keeps the timeout; the rest of the budget ends a step whose VM cannot be read.
    rhythm = Rhythm(every_s, every_s, watch.timeout_s + polls.HEALTH.budget_s, polls_operation=False)
    verdicts = _Verdicts(watch, step.leave_stopped)
    result = await Convergence(gateways, step, rhythm, verdicts.judge, observe=watch.observe).run()
    if verdicts.stopped:
        result = replace(result, state=StepState.STOPPED)
    return replace(result, rungs=watch.lines()).to_json()
