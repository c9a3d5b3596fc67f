"""Carries out a plan's steps one after the other, each as often as it takes.

Decides which activity does which step, what it is told, and when waiting leaves the activity for a durable timer.
Refuses to know what a finished or failed plan means (`swap_vm`).
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from durabletask.task import OrchestrationContext, Task, TaskFailedError

from refresh.domain.azure.capacity import is_capacity
from refresh.domain.azure.refusals import is_denied, reason_of
from refresh.domain.swap.plan import Step
from refresh.domain.terms import times
from refresh.domain.terms.swap_reason import Reason
from refresh.orchestrations.shared.dispatcher_calls import now, tell
from refresh.orchestrations.shared.notices import publish_meanwhile
from refresh.records.events import attention_event
from refresh.records.swap import Health, Intent, StepInput, StepResult

_ACTIVITY = {
    Step.STOP: "ensure_stopped",
    Step.NEW_DISK: "ensure_os_disk",
    Step.OLD_DISK: "ensure_os_disk",
    Step.START: "ensure_started",
    Step.HEALTH: "ensure_healthy",
}
# An activity polls for most of a minute. After this many of them a step is no longer in its usual window, and a
# storage-backed timer's delay does not matter any more.
ROUNDS_BEFORE_TIMER = 5
TIMER = timedelta(seconds=30)
# Activities end a step by ARM's own times, within an hour; these end one that ARM never answers, or never ends.
MOST_SILENT_ROUNDS = 12
MOST_ROUNDS = 100
# An activity that crashed is tried again: it is level-triggered, and nothing may be left half done.
CRASHES_ALLOWED = 3


@dataclass
class StepsRun:
    """How a plan went: `done`, `failed` (at `step`, because of `why`), `held`, `gone` or `stopped`; ARM's own times.

    `put_back`: the old disk had to be put back, so the new one was in.
    """

    ended: str = "done"
    step: str = ""
    why: str = ""
    code: str | None = None
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


def call(ctx: OrchestrationContext, activity: str, data: dict[str, Any]) -> Generator[Task[Any], Any, dict[str, Any]]:
    """Call an activity whose failure must not end the swap: it becomes `{"ok": false, "message"}`.

    One that came too late, because the worker that first had it died, is asked for again.
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
    ctx: OrchestrationContext,
    vm: str,
    n: int | None,
    intent: Intent,
    steps: Sequence[str],
    *,
    prefix: str = "",
    earlier: StepsRun | None = None,
    despite_hold: bool = False,
    leave_stopped: bool = False,
) -> Generator[Task[Any], Any, StepsRun]:
    """Do `steps` in order until one does not end `done`; `n` tells the dispatcher how far it is (None: do not)."""
    run = StepsRun()
    if earlier is not None:
        run.stopped_at, run.evidence = earlier.stopped_at, list(earlier.evidence)
        run.started_at, run.arm_s = earlier.started_at, earlier.arm_s
    for step in map(Step, steps):
        if n is not None:
            tell(ctx, "step", vm=vm, n=n, step=f"{prefix}{step}")
        data = StepInput(
            vm=vm,
            disk=_disk(step, intent, on_the_way_back=bool(prefix)),
            started_at=run.started_at,
            agent_spoke=intent.agent_spoke,
            despite_hold=despite_hold,
            unique_id=intent.unique_id,
            stop_mode=intent.stop_mode,
            health=_health(step, intent, on_the_way_back=bool(prefix)),
            leave_stopped=leave_stopped,
            insist=step is Step.OLD_DISK,
        )
        result = yield from _run_step(ctx, data, step, n, f"{prefix}{step}")
        _note(run, step, f"{prefix}{step}", result)
        if result.state != "done":
            run.ended, run.step, run.code = result.state, str(step), result.code
            run.why = f"{step}: {result.code or result.state}: {result.message or result.evidence or ''}".rstrip(": ")
            return run
    return run


def _disk(step: Step, intent: Intent, *, on_the_way_back: bool) -> str | None:
    # A VM that has the disk already is not stopped for it: on the way back it may never have lost its old one, and a
    # recovery may find the new one in place.
    stop_unless = intent.old_disk if on_the_way_back else intent.new_disk
    return {Step.NEW_DISK: intent.new_disk, Step.OLD_DISK: intent.old_disk, Step.STOP: stop_unless}.get(step)


def _health(step: Step, intent: Intent, *, on_the_way_back: bool) -> Health | None:
    if step is not Step.HEALTH or intent.health is None:
        return None
    return intent.health.of_old_disk() if on_the_way_back else intent.health


def _run_step(
    ctx: OrchestrationContext, data: StepInput, step: Step, n: int | None, name: str
) -> Generator[Task[Any], Any, StepResult]:
    crashes = rounds = silent = 0
    worried: Reason | None = None
    while rounds < MOST_ROUNDS:
        if rounds >= ROUNDS_BEFORE_TIMER:
            yield ctx.create_timer(TIMER)
        rounds += 1
        try:
            asked = {**data.to_json(), "asked_at": now(ctx)}
            result = StepResult.from_json((yield ctx.call_activity(_ACTIVITY[step], input=asked)))
        except TaskFailedError as error:
            crashes += 1
            if crashes > CRASHES_ALLOWED:
                return StepResult("failed", code="AppFailed", message=str(error)[:300])
            continue
        if result.state != "waiting":
            return result
        worry = _worry(step, result, rounds)
        if n is not None and worry is not None and worry[0] is not worried:
            worried, attention = worry
            tell(ctx, "step", vm=data.vm, n=n, step=name, attention=attention, attention_reason=str(worried))
            publish_meanwhile(ctx, attention_event(data.vm, ctx.instance_id, name, worried, attention, now(ctx)))
        if is_capacity(result.code):
            rounds = 0  # asked for hours, with a limit of its own
        silent = silent + 1 if result.at is None else 0
        if silent >= MOST_SILENT_ROUNDS:
            break
        if result.wait_s is not None:
            yield ctx.create_timer(timedelta(seconds=result.wait_s))
        data = StepInput.from_json({**replace(data, token=None).to_json(), **_times(result)})
    return StepResult("failed", code="NoAnswer", message="Azure gave no answer for too long")


def _worry(step: Step, result: StepResult, rounds: int) -> tuple[Reason, str] | None:
    """Why a person should know of a step that goes on (reason and sentence); None while it goes as usual."""
    if is_capacity(result.code):
        return Reason.NO_CAPACITY, f"{result.code}: Azure has no room to start this VM; it is asked again until it has"
    if step is Step.START and is_denied(result.code):
        reason = reason_of(result.code, Reason.RIGHTS_MISSING)
        return reason, f"this VM is down and Azure refuses to start it; it is asked again: {result.message}"
    if step is not Step.HEALTH and result.begun_at is not None and rounds >= ROUNDS_BEFORE_TIMER:
        return Reason.OPERATION_SLOW, f"step {step} takes unusually long; it was begun at {result.begun_at}"
    return None


def _times(result: StepResult) -> dict[str, Any]:
    found = {
        "since": result.since,
        "begun_at": result.begun_at,
        "last_code": result.code,
        "begins": result.begins or None,
        "token": result.token,
        "rungs": list(result.rungs) or None,
    }
    return {key: value for key, value in found.items() if value is not None}


def _note(run: StepsRun, step: Step, name: str, result: StepResult) -> None:
    if step is Step.STOP and result.begun_at is not None:
        run.stopped_at = run.stopped_at or result.begun_at
        run.running_at = None
    if step is Step.START and result.state == "done":
        # A start whose word was lost was no later than the first look after it: only a report since then is news.
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
