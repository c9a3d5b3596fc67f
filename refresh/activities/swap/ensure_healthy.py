"""Step *health*: the VM runs, and the signals of its guest are healthy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from refresh import wiring
from refresh.activities.health.watch import HealthWatch
from refresh.activities.swap.convergence import Convergence, Rhythm
from refresh.domain.azure import polls
from refresh.domain.azure.vms import Power, Vm
from refresh.domain.health.undisturbed import MOST_HEALTH_TIMES
from refresh.domain.swap.steps import SETTLES_AFTER_S
from refresh.domain.terms import times
from refresh.domain.terms.verdict import Move, StepVerdict
from refresh.records.swap import StepInput, StepState

_STOPPED = (Power.STOPPED, Power.DEALLOCATED)


@dataclass
class _Verdicts:
    """The watch's verdicts; with `leave_stopped` a VM that stays stopped ends the step instead.

    A replica of ARM that lags behind shows the time before the start: the VM is stopped when every read has shown that
    for a while (`since`, ISO). A VM that its guest has shut down itself has not been stopped by anybody else.
    """

    watch: HealthWatch
    leave_stopped: bool
    since: str | None
    stopped: bool = False

    def judge(self, vm: Vm, begun_age_s: float | None) -> StepVerdict:
        if not self.leave_stopped or vm.power not in _STOPPED:
            self.since = None
            return self.watch.judge(vm, begun_age_s)
        self.since = self.since or vm.read_at
        if (times.seconds_between(self.since, vm.read_at) or 0.0) < SETTLES_AFTER_S:
            return StepVerdict(Move.WAIT, f"{vm.power}")
        if self.by_guest(vm):
            return StepVerdict(Move.FAILED, f"power: {vm.power}: the guest has shut itself down")
        self.stopped = True
        return StepVerdict(Move.DONE, f"{vm.power}, and not by the app")

    def by_guest(self, vm: Vm) -> bool:
        return self.watch.course.is_stopped_by_its_guest(vm)


async def ensure_healthy(data: dict[str, Any]) -> dict[str, Any]:
    """Watch the VM until its guest is proved healthy or unhealthy, or the time is up; a `StepResult`.

    With `leave_stopped` a VM that somebody else stops ends the step as `stopped`, which proves nothing about its disk.
    """
    step, gateways = StepInput.from_json(data), wiring.gateways()
    watch = HealthWatch.of(step, gateways.guests, wiring.settings())
    every_s = polls.HEALTH.every_s
    # The ladder keeps the timeout; the rest of the budget ends a step whose VM cannot be read.
    health_times = MOST_HEALTH_TIMES if step.disturbed_at else 1
    budget_s = health_times * watch.timeout_s + polls.HEALTH.budget_s
    rhythm = Rhythm(every_s, every_s, budget_s, polls_operation=False)
    verdicts = _Verdicts(watch, step.leave_stopped, step.stopped_since)
    result = await Convergence(gateways, step, rhythm, verdicts.judge, observe=watch.observe).run()
    if verdicts.stopped:
        result = replace(result, state=StepState.STOPPED)
    course = watch.course
    return replace(
        result,
        rungs=watch.lines(),
        settled=course.settled,
        disturbed_at=course.disturbed_at,
        stopped_since=verdicts.since,
    ).to_json()
