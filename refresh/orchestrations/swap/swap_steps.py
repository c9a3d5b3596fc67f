"""Carries out a plan's steps one after the other, and calls each step's activity until the step has ended.

Decides which activity does which step, with which input, and when waiting moves from the activity to a durable timer.
Leaves what a finished or failed plan means to `swap_vm`.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from durabletask.task import OrchestrationContext, Task, TaskFailedError

from refresh.domain.azure.capacity import is_capacity
from refresh.domain.azure.refusals import is_denied, reason_of
from refresh.domain.swap.plan import UNDO, Step
from refresh.domain.terms import times
from refresh.domain.terms.swap_reason import Reason
from refresh.orchestrations.shared.dispatcher_calls import now
from refresh.orchestrations.shared.notices import publish_meanwhile
from refresh.orchestrations.swap.swap_run import PlannedSwap
from refresh.records import durable_names
from refresh.records.events import attention_event
from refresh.records.swap import Health, Intent, StepInput, StepResult, StepState

_ACTIVITY = {
    Step.STOP: durable_names.ENSURE_STOPPED,
    Step.NEW_DISK: durable_names.ENSURE_OS_DISK,
    Step.OLD_DISK: durable_names.ENSURE_OS_DISK,
    Step.START: durable_names.ENSURE_STARTED,
    Step.HEALTH: durable_names.ENSURE_HEALTHY,
}
# An activity polls for most of a minute. After this many of them a step takes longer than usual, and the delay of a
# storage-backed timer does not matter any more.
ROUNDS_BEFORE_TIMER = 5
TIMER = timedelta(seconds=30)
# Activities end a step by ARM's own times, within an hour; these limits end a step whose VM ARM never returns, or whose
# operation never ends.
MOST_UNANSWERED_ROUNDS = 12
MOST_ROUNDS = 100
# An activity that crashed is called again: it is level-triggered, and no step may stay half done.
CRASHES_ALLOWED = 3


@dataclass
class StepsRun:
    """How a plan went. `ended` is how its last step ended; when that is not `done`, `step`, `why` and `code` name it.

    Times are ARM's own. `put_back`: the old disk had to be put back, so the new disk was in. `blames` is as in
    `StepResult`, and so is `os_disk`.
    """

    ended: StepState = StepState.DONE
    step: str = ""
    why: str = ""
    code: str | None = None
    blames: bool | None = None
    os_disk: str | None = None
    proved: bool = False
    stopped_at: str | None = None
    started_at: str | None = None
    running_at: str | None = None
    arm_s: float | None = None
    put_back: bool = False
    evidence: list[str] = field(default_factory=list)

    def down_s(self) -> float | None:
        """Seconds from the first stop until the VM was last seen running again; None when it was not stopped."""
        return times.seconds_between(self.stopped_at, self.running_at)


@dataclass(frozen=True)
class StepOptions:
    """How steps are carried out, beside which steps they are.

    `undo`: they belong to the undo. `reported`: the dispatcher is sent each step. `despite_hold` and `preempts` as in
    `StepInput`.
    """

    undo: bool = False
    reported: bool = True
    despite_hold: bool = False
    preempts: bool = False


_FORWARD = StepOptions()


def call(ctx: OrchestrationContext, activity: str, data: dict[str, Any]) -> Generator[Task[Any], Any, dict[str, Any]]:
    """Call an activity whose failure must not end the swap: it becomes `{"ok": false, "message"}`.

    An activity that ran too late, because the worker that first had it died, is called again.
    """
    answer: dict[str, Any] = {}
    for _ in range(CRASHES_ALLOWED + 1):
        try:
            answer = yield ctx.call_activity(activity, input={**data, "asked_at": now(ctx)})
        except TaskFailedError as error:
            return {"ok": False, "message": str(error)[:300]}
        if not answer.get("late"):
            break
    return answer


def run_steps(
    swap: PlannedSwap, steps: Sequence[str], earlier: StepsRun | None = None, options: StepOptions = _FORWARD
) -> Generator[Task[Any], Any, StepsRun]:
    """Do `steps` in order until one does not end `done`; `earlier` is what the same run did before them."""
    run, intent = StepsRun(), swap.intent
    if earlier is not None:
        run.stopped_at, run.evidence = earlier.stopped_at, list(earlier.evidence)
        run.started_at, run.arm_s = earlier.started_at, earlier.arm_s
    for step in map(Step, steps):
        name = f"{UNDO}-{step}" if options.undo else str(step)
        if options.reported:
            swap.report_step(name)
        data = StepInput(
            vm=swap.vm,
            disk=_disk(step, intent, undo=options.undo),
            started_at=run.started_at,
            agent_spoke=intent.agent_spoke,
            despite_hold=options.despite_hold,
            unique_id=intent.unique_id,
            stop_mode=intent.stop_mode,
            health=_health(step, intent, undo=options.undo),
            leave_stopped=True,
            insist=step is Step.OLD_DISK,
            preempts=options.preempts and step is Step.STOP,
            disks=() if step is Step.START else (intent.old_disk, intent.new_disk),
        )
        result = yield from _run_step(swap, data, step, name, reported=options.reported)
        _note(run, step, name, result)
        if result.state is not StepState.DONE:
            run.ended, run.step, run.code = result.state, str(step), result.code
            run.blames, run.os_disk = result.blames, result.os_disk
            run.why = f"{step}: {result.code or result.state}: {result.message or result.evidence or ''}".rstrip(": ")
            return run
    return run


def _disk(step: Step, intent: Intent, *, undo: bool) -> str | None:
    # A VM that already has the disk is not stopped for it: in an undo the old disk may never have been taken out,
    # and a recovery may find the new disk in place.
    stop_unless = intent.old_disk if undo else intent.new_disk
    return {Step.NEW_DISK: intent.new_disk, Step.OLD_DISK: intent.old_disk, Step.STOP: stop_unless}.get(step)


def _health(step: Step, intent: Intent, *, undo: bool) -> Health | None:
    if step is not Step.HEALTH or intent.health is None:
        return None
    return intent.health.of_old_disk() if undo else intent.health


def _run_step(
    swap: PlannedSwap, data: StepInput, step: Step, name: str, *, reported: bool
) -> Generator[Task[Any], Any, StepResult]:
    ctx = swap.ctx
    crashes = rounds = unanswered = 0
    attention_reason: Reason | None = None
    while rounds < MOST_ROUNDS:
        if rounds >= ROUNDS_BEFORE_TIMER:
            yield ctx.create_timer(TIMER)
        rounds += 1
        try:
            inputs = {**data.to_json(), "asked_at": now(ctx)}
            result = StepResult.from_json((yield ctx.call_activity(_ACTIVITY[step], input=inputs)))
        except TaskFailedError as error:
            crashes += 1
            if crashes > CRASHES_ALLOWED:
                return StepResult(StepState.FAILED, code="AppFailed", message=str(error)[:300], blames=False)
            continue
        if result.state is not StepState.WAITING:
            return result
        attention = _attention(step, result, rounds, result.code or data.last_code)
        if reported and attention is not None and attention[0] is not attention_reason:
            attention_reason, message = attention
            swap.report_step(name, attention=message, attention_reason=str(attention_reason))
            event = attention_event(swap.vm, ctx.instance_id, name, attention_reason, message, now(ctx))
            publish_meanwhile(ctx, event)
        if is_capacity(result.code):
            rounds = 0  # tried again for hours, within a limit of its own
        unanswered = unanswered + 1 if result.at is None else 0
        if unanswered >= MOST_UNANSWERED_ROUNDS:
            break
        if result.wait_s is not None:
            yield ctx.create_timer(timedelta(seconds=result.wait_s))
        data = replace(data, token=None, stopped_since=None, changed_since=None)
        data = StepInput.from_json({**data.to_json(), **_carried_over(result)})
    message = "Azure gave no answer for too long"
    return StepResult(StepState.FAILED, code="NoAnswer", message=message, blames=False)


def _attention(step: Step, result: StepResult, rounds: int, last_code: str | None) -> tuple[Reason, str] | None:
    """The reason and message for a person while a step goes on; None while it goes as usual.

    `last_code` is Azure's last error code in this step.
    """
    if is_capacity(result.code):
        return Reason.NO_CAPACITY, f"{result.code}: Azure has no capacity to start this VM; the app keeps trying"
    if step is Step.START and is_denied(result.code):
        reason = reason_of(result.code, Reason.RIGHTS_MISSING)
        return reason, f"this VM is down and Azure refuses to start it; the app keeps trying: {result.message}"
    if step is not Step.HEALTH and result.begun_at is not None and rounds >= ROUNDS_BEFORE_TIMER:
        begun = f"{result.begins} times, the last time at" if result.begins > 1 else "at"
        error = f"; Azure's last error was {last_code}" if last_code else ""
        return Reason.OPERATION_SLOW, f"step {step} takes unusually long; it was begun {begun} {result.begun_at}{error}"
    return None


def _carried_over(result: StepResult) -> dict[str, Any]:
    """What the next call of the step's activity gets from this one."""
    found = {
        "since": result.since,
        "begun_at": result.begun_at,
        "last_code": result.code,
        "begins": result.begins or None,
        "token": result.token,
        "rungs": list(result.rungs) or None,
        "settled": result.settled,
        "disturbed_at": result.disturbed_at,
        "stopped_since": result.stopped_since,
        "changed_since": result.changed_since,
    }
    return {key: value for key, value in found.items() if value is not None}


def _note(run: StepsRun, step: Step, name: str, result: StepResult) -> None:
    if step is Step.STOP and result.begun_at is not None:
        run.stopped_at = run.stopped_at or result.begun_at
        run.running_at = None
    if step is Step.START and result.state is StepState.DONE:
        # A start whose acceptance got lost was no later than the first reading after it: only what the guest reports
        # since then counts.
        run.started_at, run.running_at = result.begun_at or result.since, result.at
    if step is Step.OLD_DISK:
        run.put_back = result.begun_at is not None
    if step is Step.HEALTH:
        run.proved = result.proved
    if step is not Step.HEALTH and result.begun_at is not None:
        ended_at = result.settled_at if times.not_before(result.settled_at, result.begun_at) else result.at
        run.arm_s = round((run.arm_s or 0.0) + (times.seconds_between(result.begun_at, ended_at) or 0.0), 1)
    took_s = times.seconds_between(result.since, result.at)
    seen = result.message or result.evidence or ""
    run.evidence.append(f"{name} {result.state} after {took_s or 0:.0f} s: {seen}"[:160])
    run.evidence.extend(f"{name} {rung}"[:160] for rung in result.rungs)
