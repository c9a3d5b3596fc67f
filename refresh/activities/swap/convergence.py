"""Carries a step to its end: read the VM, judge the reading, begin the operation when needed, wait, read again.

Decides how long and how often to wait. Leaves the judgement of a reading to `domain/swap/steps.py`, and what follows to
the orchestration. Every call is one attempt; after throttling, server errors and lost connections it waits for the
server's Retry-After, within the step's budget. Times are ARM's own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from refresh.activities.swap.operation_watch import OperationWatch
from refresh.domain.azure import polls
from refresh.domain.azure.capacity import is_capacity, pause_s
from refresh.domain.azure.refusals import read_denial
from refresh.domain.azure.rhythm import READS_UNKNOWN, choose_pause_s
from refresh.domain.azure.vms import Vm
from refresh.domain.swap.blame import UNHEALTHY
from refresh.domain.swap.steps import LOST_AFTER_S, SETTLES_AFTER_S, Ended, is_stopped_by_others
from refresh.domain.terms import resource_id, tags, times
from refresh.domain.terms.verdict import Move, StepVerdict
from refresh.gateways.errors import GatewayError, NotFound, Refused, Unavailable
from refresh.gateways.gateways import Gateways
from refresh.gateways.operations import Begun
from refresh.reading.calls import late_activity
from refresh.reading.calls.retrying import is_in_progress
from refresh.records.swap import StepInput, StepResult, StepState

_UNDER_WAY = StepVerdict(Move.WAIT, "the operation is under way")


@dataclass(frozen=True)
class Rhythm:
    """When to read again, in seconds: `first_s` after a begin (the shortest recorded time), then at least `then_s`.

    The pauses grow from there (`choose_pause_s`).
    """

    first_s: float
    then_s: float
    # For an operation to be accepted, and for any wait without an operation of the app.
    budget_s: float
    # How long an accepted operation may take by ARM's clock; meanwhile it is never begun a second time.
    operation_s: float = 0.0
    # How often an operation that had no effect is begun in all.
    most_begins: int = 1000
    # A refused begin is tried again: for a start, because a VM must not stay down.
    retry_refused: bool = False
    # How long a start is tried again while Azure has no capacity for the VM, which is no disk's fault.
    capacity_budget_s: float | None = None
    # Whether the operation itself is polled; not for a start, which may end long after the VM runs.
    polls_operation: bool = True
    # A VM that another operation has stopped after the app's start is not started again.
    leaves_stopped: bool = False


@dataclass
class Convergence:
    """One step of one VM, as far as one activity carries it."""

    gateways: Gateways
    step: StepInput
    rhythm: Rhythm
    judge: Callable[[Vm, float | None], StepVerdict]
    begin: Callable[[], Awaitable[Begun]] | None = None
    # Reads what else the judgement of a reading needs; it never raises.
    observe: Callable[[Vm], Awaitable[None]] | None = None

    def __post_init__(self) -> None:
        """Continue from the result of the step's last activity."""
        self._since = self.step.since
        self._begun_at = self.step.begun_at
        self._begins = self.step.begins
        self._refused_from_s: float | None = None
        self._missing_from_s: float | None = None
        self._token = self.step.token
        self._at: str | None = None
        self._changed_since = self.step.changed_since
        self._settled_at: str | None = None
        self._slept_s = self._slept_when_read_s = 0.0
        self._pause_s = polls.RETRY.every_s
        self._last_error: GatewayError | None = None
        self._wait_s: float | None = None
        self._reads_left = READS_UNKNOWN
        watched = self._token if self.rhythm.polls_operation else None
        self._operation = OperationWatch(self.gateways.compute, self.step.vm, watched)

    async def run(self) -> StepResult:
        """Carry the step on for up to a minute. Errors of Azure are the result, never raised."""
        while True:
            result = await self._once()
            if result is not None:
                return result
            if self._slept_s >= polls.ACTIVITY_S or self._wait_s is not None:
                return self._result(StepState.WAITING, self._last_error)

    async def _once(self) -> StepResult | None:
        # The first poll of an activity reads the VM: an earlier run of the activity may have got further.
        if self._at is not None and await self._operation.goes_on(self._slept_s):
            self._reads_left = self._operation.reads_left
            return await self._follow(_UNDER_WAY)
        try:
            vm = await self.gateways.compute.read_vm(self.step.vm)
        except NotFound as error:
            return await self._missing(error)
        except GatewayError as error:
            return await self._unread(error)
        self._refused_from_s = self._missing_from_s = None
        self._at, self._slept_when_read_s = vm.read_at, self._slept_s
        self._settled_at, self._reads_left = vm.settled_at, vm.reads_left
        # An activity that begins nothing does no harm when it is late.
        if self.begin is not None and late_activity.is_late(self.step.asked_at, vm.read_at, self._slept_s):
            return self._result(StepState.WAITING, evidence=late_activity.TOO_LATE)
        self._since = self._since or vm.read_at
        if self.step.unique_id and vm.unique_id and self.step.unique_id != vm.unique_id:
            return self._result(StepState.GONE, evidence="another VM has its name now")
        if vm.own_tags.on_hold and not self.step.despite_hold:
            return self._result(StepState.HELD, evidence=f"{tags.AUTO_REFRESH}=hold")
        if self._has_another_disk(vm):
            if (times.seconds_between(self._changed_since, vm.read_at) or 0.0) < SETTLES_AFTER_S:
                return await self._follow(StepVerdict(Move.WAIT, f"OS disk {vm.os_disk_name}, which is neither disk"))
            result = self._result(StepState.CHANGED, evidence=f"somebody else made {vm.os_disk_name} the OS disk")
            return replace(result, os_disk=vm.os_disk_id)
        if self.observe is not None:
            await self.observe(vm)
        verdict = self.judge(vm, times.seconds_between(self._begun_at, vm.read_at))
        return await self._follow(verdict)

    def operation_ended(self) -> Ended | None:
        """How the operation of the step has ended; None while that is not known."""
        ended = self._operation.ended
        if ended is None or ended.state not in ("Succeeded", "Failed"):
            return None
        return Ended(ended.state == "Succeeded", ended.code)

    def _has_another_disk(self, vm: Vm) -> bool:
        """Whether the VM has an OS disk that the swap did not give it, and had not before."""
        known = not self.step.disks or vm.os_disk_id is None
        if known or any(resource_id.same(vm.os_disk_id, disk) for disk in self.step.disks):
            self._changed_since = None
            return False
        self._changed_since = self._changed_since or vm.read_at
        return True

    async def _follow(self, verdict: StepVerdict) -> StepResult | None:
        if verdict.move is Move.DONE:
            return self._result(StepState.DONE, evidence=verdict.seen, proved=verdict.proved)
        if verdict.move is Move.FAILED or self._is_over(waiting=verdict.move is Move.WAIT):
            return await self._failed(verdict.seen, blames=verdict.blames)
        if verdict.move is Move.BEGIN and self.begin is not None and not self._is_too_soon():
            return await self._failed(verdict.seen) if self._is_used_up() else await self._begin()
        over_for_s = self._operation.over_for_s(self._slept_s)
        under_way_s = self._elapsed_s(self._begun_at) if over_for_s is None else over_for_s
        await self._sleep(choose_pause_s(under_way_s, self.rhythm.then_s, self._reads_left))
        return None

    async def _begin(self) -> StepResult | None:
        assert self.begin is not None  # noqa: S101 - checked by `_follow`
        ended = await self._read_why()
        if self.rhythm.leaves_stopped and is_stopped_by_others(ended, self._settled_at):
            return self._result(StepState.STOPPED, evidence="another operation has stopped the VM after its start")
        if self._last_error is not None and self._lacks_capacity(self._last_error.code):
            return await self._unanswered(self._last_error)
        try:
            begun = await self.begin()
        except NotFound as error:
            return await self._missing(error)
        except GatewayError as error:
            hopeless = isinstance(error, Refused) and not is_in_progress(error) and not self.rhythm.retry_refused
            return self._result(StepState.FAILED, error) if hopeless else await self._unanswered(error)
        self._begun_at, self._token, self._pause_s = begun.at, begun.token, polls.RETRY.every_s
        self._begins += 1
        if self.rhythm.polls_operation:
            self._operation.follow(begun.token, self._slept_s, begun.retry_after_s)
        self._since = self._since or begun.at
        await self._sleep(self.rhythm.first_s)
        return None

    async def _missing(self, error: NotFound) -> StepResult | None:
        """A VM that the app may have stopped is gone only when it is not found for a while."""
        self._missing_from_s = self._slept_s if self._missing_from_s is None else self._missing_from_s
        if self._slept_s - self._missing_from_s >= polls.MISSING_S:
            return self._result(StepState.GONE, error)
        self._last_error = error
        await self._sleep(self._pause_s)
        self._pause_s = polls.RETRY.next_pause_s(self._pause_s)
        return None

    async def _unread(self, error: GatewayError) -> StepResult | None:
        if isinstance(error, Refused) and not self.rhythm.retry_refused:
            self._refused_from_s = self._slept_s if self._refused_from_s is None else self._refused_from_s
            if self._slept_s - self._refused_from_s >= polls.REFUSED_READS_S:
                return self._result(StepState.FAILED, error)
        return await self._unanswered(error, waiting=True)

    async def _unanswered(self, error: GatewayError, *, waiting: bool = False) -> StepResult | None:
        self._last_error = error
        if self._is_over(waiting=waiting):
            return self._result(StepState.FAILED, error)
        if self._lacks_capacity(error.code):
            self._wait_s = pause_s(self._elapsed_s())
            return None
        wait_s = self._pause_s if error.retry_after_s is None else max(error.retry_after_s, 0.1)
        self._pause_s = polls.RETRY.next_pause_s(self._pause_s)
        if wait_s > polls.ACTIVITY_S:  # 20 minutes have been seen; a durable timer waits that long
            self._wait_s = min(wait_s, self.rhythm.budget_s)
            return None
        await self._sleep(wait_s)
        return None

    async def _read_why(self) -> Ended | None:
        """Read how the operation ended, and why: only its status URL has the reason."""
        if self._token is None:
            return None
        try:
            progress = await self.gateways.compute.operation_progress(self.step.vm, self._token)
        except GatewayError:
            return None
        finally:
            self._token = None
        if progress.code:
            self._last_error = Refused(progress.code, progress.message or "")
        return Ended(progress.state == "Succeeded", progress.code, progress.ended_at)

    async def _failed(self, seen: str, *, blames: bool = False) -> StepResult:
        await self._read_why()
        error = self._last_error
        if error is None:
            code = UNHEALTHY if self.begin is None else self.step.last_code or "Unknown"
            error = Unavailable(code, f"after {self._elapsed_s():.0f} s {seen}")
        return replace(self._result(StepState.FAILED, error, evidence=seen), blames=blames)

    def _lacks_capacity(self, code: str | None) -> bool:
        return self.rhythm.capacity_budget_s is not None and is_capacity(code)

    def _budget_s(self) -> float:
        code = self._last_error.code if self._last_error else self.step.last_code
        return self.rhythm.capacity_budget_s or 0.0 if self._lacks_capacity(code) else self.rhythm.budget_s

    def _is_too_soon(self) -> bool:
        """Whether the pause after an operation without effect is not over; it grows with every begin."""
        if self._begins < 2 or self._begun_at is None or self._lacks_capacity(self.step.last_code):
            return False
        return self._elapsed_s(self._begun_at) < min(LOST_AFTER_S * self._begins, polls.LONGEST_REST_S)

    def _is_used_up(self) -> bool:
        return self._begins >= self.rhythm.most_begins

    def _is_over(self, *, waiting: bool) -> bool:
        """Whether the step's time is up; an operation under way has a limit of its own, from its begin."""
        elapsed_s, budget_s = self._elapsed_s(), self._budget_s()
        if not waiting:
            return elapsed_s >= budget_s
        operation_s = self.rhythm.operation_s
        under_way_s = elapsed_s if self._begun_at is None else self._elapsed_s(self._begun_at)
        return elapsed_s >= max(budget_s, operation_s) and under_way_s >= operation_s

    def _elapsed_s(self, since: str | None = None) -> float:
        # ARM's clock up to its last answer, and the seconds slept since.
        answered_s = times.seconds_between(since or self._since, self._at) or 0.0
        return answered_s + self._slept_s - self._slept_when_read_s

    async def _sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._slept_s += seconds

    def _result(
        self, state: StepState, error: GatewayError | None = None, *, evidence: str | None = None, proved: bool = False
    ) -> StepResult:
        return StepResult(
            state=state,
            since=self._since,
            begun_at=self._begun_at,
            at=self._at,
            code=error.code if error else None,
            message=_message(error) if error else None,
            evidence=evidence[:200] if evidence else None,
            proved=proved,
            wait_s=self._wait_s,
            settled_at=self._settled_at,
            begins=self._begins,
            token=self._token if state is StepState.WAITING else None,
            blames=False if state is StepState.FAILED else None,
            changed_since=self._changed_since if state is StepState.WAITING else None,
        )


def _message(error: GatewayError) -> str:
    denial = read_denial(error.code, error.message)
    return denial.message[:600] if denial else error.message[:300]
