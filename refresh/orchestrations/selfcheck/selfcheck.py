"""Uses every part of the platform once, as swaps will use it: activity, timer, claim, entity to orchestration, a query
for instances, and for each subscription ARM and the app's rights.

Decides which checks run at the same time and that all end within a minute: a part that has not answered by then is a
failed check, and a subscription that was not reached has a row of its own. The custom status names the checks under
way, in case the engine stops running this orchestration. Changes nothing in Azure. The dispatcher keeps the result;
with `REFRESH_SELFCHECK=required` it admits no swap before a check has passed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from durabletask.task import OrchestrationContext, Task, TaskFailedError, when_any

from refresh.domain.selfcheck import rights_in_scope as cures
from refresh.domain.selfcheck.rights_in_scope import order_subscriptions
from refresh.orchestrations.shared.dispatcher_calls import begin_call, now, signal_dispatcher
from refresh.records import durable_names, swap
from refresh.records import selfcheck as selfchecks
from refresh.records.durable_names import Operation
from refresh.records.selfcheck import CheckRow

_TICK = timedelta(seconds=1)

type Step[T] = Generator[Task[Any], Any, T]
# From an answer: the problem or None, and the sentence when there is no problem.
type Judge = Callable[[Any], tuple[str | None, str]]


@dataclass(frozen=True)
class _Check:
    """One part under way: its task, since when, how its answer is judged, and what to do when it fails."""

    name: str
    task: Task[Any]
    began: datetime
    judge: Judge
    cure: str


def selfcheck(ctx: OrchestrationContext, data: dict[str, Any]) -> Step[dict[str, Any]]:
    """`{"package", "bundle", "first"?}` to `{"kind", "status", "package", "bundle", "ok", "run", "began", "checks"}`.

    `first` is the subscription to check first.
    """
    began = now(ctx)
    stop = [ctx.create_timer(timedelta(seconds=selfchecks.COLLECT_S)), _keep_time(ctx, selfchecks.COLLECT_S)]
    checks = _Checks(ctx, data)
    yield from checks.collect(stop)
    found = selfchecks.verdict(checks.here, checks.rows(), ctx.instance_id, began)
    problem = yield from _store(ctx, found)
    if problem is not None:
        row = CheckRow("result", False, problem, cures.CLAIM_CURE, float(selfchecks.STORE_S))
        found = selfchecks.verdict(checks.here, [*checks.rows(), row], ctx.instance_id, began)
    return {"kind": "selfcheck", "status": "succeeded" if found["ok"] else "failed", **found}


class _Checks:
    """The checks of one self-check: those under way, the subscriptions that wait, and the rows found."""

    def __init__(self, ctx: OrchestrationContext, data: dict[str, Any]) -> None:
        self._ctx = ctx
        self.here = data
        self._first: str | None = data.get("first")
        self._began = ctx.current_utc_datetime
        self._last_begin = self._began + timedelta(seconds=selfchecks.COLLECT_S - selfchecks.ANSWER_S)
        self._found: dict[str, list[CheckRow]] = {}
        self._subscriptions: list[str] = []
        self._waiting: deque[str] = deque()
        begin: Task[Any] = ctx.call_activity(durable_names.BEGIN_SELFCHECK, input={})
        listed: Task[Any] = ctx.call_activity(
            durable_names.CHECK_INSTANCES, input={"prefix": f"{durable_names.SELFCHECK}-"}
        )
        claim = begin_call(ctx, Operation.CLAIM, vm=selfchecks.NO_VM, n=0)
        answer = ctx.wait_for_external_event(selfchecks.ANSWER_EVENT)
        signal_dispatcher(ctx, Operation.PROBE, reply_to=ctx.instance_id)
        at = ctx.current_utc_datetime
        first = (
            _Check("activity", begin, at, self._begun, cures.ACTIVITY_CURE),
            _Check("timer", ctx.create_timer(_TICK), at, _passed("a timer of one second fired"), cures.TIMER_CURE),
            _Check("claim", claim, at, _claimed, cures.CLAIM_CURE),
            _Check("dispatcher", answer, at, _passed("the dispatcher started an orchestration"), cures.DISPATCHER_CURE),
            _Check("instances", listed, at, _listed, cures.INSTANCES_CURE),
        )
        self._names = [check.name for check in first]
        self._open = {check.name: check for check in first}

    def collect(self, stop: list[Task[Any]]) -> Step[None]:
        """Collect answers until all are there or one of `stop` is complete, and judge the checks without an answer."""
        while self._open and not _is_over(stop):
            self._ctx.set_custom_status({selfchecks.WAITING_FOR: list(self._open)})
            yield from _wait([check.task for check in self._open.values()], stop)
            for name in [name for name, check in self._open.items() if check.task.is_complete]:
                check = self._open.pop(name)
                self._found[name] = self._rows_of(check)
            self._begin_subscriptions()
        for check in self._open.values():
            given_s = selfchecks.COLLECT_S - (check.began - self._began).total_seconds()
            self._found[check.name] = [self._row(check, f"no answer within {given_s:.0f} s", "")]
        for subscription in self._waiting:
            self._found[selfchecks.arm_check(subscription)] = [_not_reached(subscription)]

    def rows(self) -> list[CheckRow]:
        """The rows of all checks, in a fixed order."""
        order = [*self._names, *(selfchecks.arm_check(subscription) for subscription in self._subscriptions)]
        return [row for name in order for row in self._found.get(name, ())]

    def _begin_subscriptions(self) -> None:
        if self._ctx.current_utc_datetime > self._last_begin:
            return
        under_way = sum(name not in self._names for name in self._open)
        for _ in range(min(len(self._waiting), swap.BULK_ACTIVITIES_OUTSTANDING - under_way)):
            subscription = self._waiting.popleft()
            task: Task[Any] = self._ctx.call_activity(
                durable_names.CHECK_SUBSCRIPTION, input={"subscription": subscription}
            )
            name = selfchecks.arm_check(subscription)
            self._open[name] = _Check(name, task, self._ctx.current_utc_datetime, _passed(""), cures.ACTIVITY_CURE)

    def _begun(self, here: Any) -> tuple[str | None, str]:
        self.here = here
        listed = [str(one) for one in here.get("subscriptions", ())]
        self._subscriptions = order_subscriptions(listed, self._first)
        self._waiting = deque(self._subscriptions)
        return here.get("problem"), f"package {here.get('package')} runs"

    def _rows_of(self, check: _Check) -> list[CheckRow]:
        try:
            answer = check.task.get_result()
        except TaskFailedError as error:
            return [self._row(check, str(error)[:300], "")]
        if check.name not in self._names:
            took_s = self._took_s(check)
            return [CheckRow.from_json({**row, "took_s": took_s}) for row in answer["checks"]]
        return [self._row(check, *check.judge(answer))]

    def _row(self, check: _Check, problem: str | None, message: str) -> CheckRow:
        if problem is not None:
            return CheckRow(check.name, False, problem, check.cure, self._took_s(check))
        return CheckRow(check.name, True, message, None, self._took_s(check))

    def _took_s(self, check: _Check) -> float:
        return round((self._ctx.current_utc_datetime - check.began).total_seconds(), 1)


def _store(ctx: OrchestrationContext, found: dict[str, Any]) -> Step[str | None]:
    """Have the dispatcher keep the result; the problem when it does not confirm that."""
    ctx.set_custom_status({selfchecks.WAITING_FOR: ["result"]})
    call = begin_call(ctx, Operation.SELFCHECKED, verdict=found)
    limit_s = selfchecks.STORE_S
    limits: list[Task[Any]] = [ctx.create_timer(timedelta(seconds=limit_s))]
    if not all(row["ok"] for row in found["checks"]):  # durable timers can be what does not work
        limits.append(_keep_time(ctx, limit_s))
    yield from _wait([call], limits)
    if not call.is_complete:
        return f"the dispatcher did not confirm the result within {limit_s} s"
    try:
        call.get_result()
    except TaskFailedError as error:
        return f"the dispatcher did not accept the result: {error}"[:300]
    return None


def _wait(tasks: list[Task[Any]], limits: list[Task[Any]]) -> Step[None]:
    """Wait until one of `tasks` or one of `limits` is complete."""
    while not _is_over(limits) and not any(task.is_complete for task in tasks):
        yield when_any([*tasks, *(limit for limit in limits if not limit.is_failed)])


def _is_over(limits: list[Task[Any]]) -> bool:
    # A limit that failed, as an activity can, does not count.
    return any(limit.is_complete and not limit.is_failed for limit in limits)


def _keep_time(ctx: OrchestrationContext, seconds: int) -> Task[Any]:
    return ctx.call_activity(durable_names.KEEP_TIME, input={"seconds": seconds})


def _passed(message: str) -> Judge:
    return lambda _: (None, message)


def _claimed(answer: Any) -> tuple[str | None, str]:
    problem = "the dispatcher granted a claim that does not exist" if answer.get("answer") == "yours" else None
    return problem, "the dispatcher answers a question about a claim"


def _listed(answer: Any) -> tuple[str | None, str]:
    return answer.get("problem"), f"{answer.get('listed')} self-check(s) listed"


def _not_reached(subscription: str) -> CheckRow:
    message = f"not reached within {selfchecks.COLLECT_S} s; the next self-check begins here"
    return CheckRow(selfchecks.arm_check(subscription), True, message, skipped=True)
