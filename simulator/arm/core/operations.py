"""Long-running operations: begin, duration, effect, status.

Decides when an operation ends (by the clock, not by polls), how a fault makes it fail, and what its status and result
URLs answer. Leaves the effect to the providers.
https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from random import Random
from typing import Literal

from simulator.arm.core import durations
from simulator.arm.core.errors import ArmError, error_object, preempted
from simulator.arm.core.faults import Faults
from simulator.arm.core.history import History
from simulator.arm.core.ids import ResourceId
from simulator.arm.core.messages import Answer, Request, stamp
from simulator.arm.core.operation_headers import OPERATION_HEADERS, OperationHeaders
from simulator.arm.core.store import Json
from simulator.arm.core.write_events import Listener, WriteEvent, WriteKind
from simulator.clock import Clock


@dataclass
class Operation:
    """One operation. `output` is the resource it made, where Azure returns it on the result URL."""

    name: str
    kind: str
    resource_id: ResourceId
    location: str
    api_version: str
    headers: OperationHeaders
    started: datetime
    duration_s: float
    status: Literal["InProgress", "Succeeded", "Failed"] = "InProgress"
    ended: datetime | None = None
    error: Json | None = None
    output: Json | None = None
    polls: int = 0
    was_midway: bool = False


@dataclass(frozen=True)
class Work:
    """What an operation does.

    `kind` is its name in faults and header patterns, `takes` names the distribution of its duration. `effect` runs when
    it succeeds and may return its output; an ArmError from `effect` makes the operation fail. `failed` runs instead if
    it fails, with the error (None: a fault lets it succeed without an effect). `action` is Azure's name of the write,
    such as `Microsoft.Compute/virtualMachines/start/action`. `held_s`: seconds that the operation lasts after its
    natural duration, which is drawn or `lasts_s`; `midway` runs once, at the end of the natural duration.
    """

    kind: str
    takes: str
    effect: Callable[[], Json | None]
    failed: Callable[[Json | None], None]
    action: str
    write: WriteKind = "write"
    midway: Callable[[], None] = lambda: None
    held_s: float = 0.0
    lasts_s: float | None = None


class Operations:
    """The operations since the last reset."""

    def __init__(self, clock: Clock, faults: Faults, history: History, seed: int, listeners: list[Listener]) -> None:
        self._clock, self._faults, self._seed, self._listeners = clock, faults, seed, listeners
        self._history = history
        self._operations: dict[str, Operation] = {}
        self._under_way: dict[str, Callable[[Json | None, bool], None]] = {}
        self._timers: set[asyncio.TimerHandle] = set()
        self._counts: dict[str, int] = {}
        self._hanging: list[Callable[[], None]] = []
        faults.on_clear.append(self._release)

    def begin(self, request: Request, resource_id: ResourceId, location: str, work: Work) -> Operation:
        """Begin `work` on a resource and return the operation, in progress. It ends by the clock."""
        random = self.random(work.kind, resource_id)
        fault = self._faults.operation_fault(work.kind, resource_id.key)
        drawn_s = durations.draw(work.takes, random)
        natural_s = (drawn_s if work.lasts_s is None else work.lasts_s) * fault.slower
        duration_s = natural_s if fault.duration_s is None else fault.duration_s
        operation = Operation(
            name=guid(random),
            kind=work.kind,
            resource_id=resource_id,
            location=location,
            api_version=request.api_version,
            headers=OPERATION_HEADERS[work.kind],
            started=self._clock.now(),
            duration_s=duration_s,
        )
        self._operations[operation.name] = operation
        self._under_way[operation.name] = partial(self._end, operation, work, request)
        nothing = fault.nothing or request.nothing
        end = partial(self._end, operation, work, request, fault.error, nothing)
        held_s = work.held_s + fault.held_s
        if fault.hangs:
            self._hanging.append(end)
            if fault.duration_s is not None:
                self._after(fault.duration_s, end)
        elif held_s and fault.error is None:
            if not nothing:
                self._after(duration_s, partial(self._midway, operation, work))
            self._after(duration_s + held_s, end)
        else:
            self._after(duration_s, end)
        return operation

    def later(self, delay_s: float, effect: Callable[[], None]) -> None:
        """Run `effect` after `delay_s` simulated seconds, unless a reset comes first."""
        self._after(delay_s, effect)

    def random(self, kind: str, resource_id: ResourceId) -> Random:
        """A random source that depends only on the seed, `kind`, the resource and the number of earlier calls."""
        key = f"{kind}|{resource_id.key}"
        self._counts[key] = self._counts.get(key, 0) + 1
        return Random(f"{self._seed}|{key}|{self._counts[key]}")  # noqa: S311 # reproducible, not secret

    def get(self, name: str) -> Operation | None:
        """The operation of that name."""
        return self._operations.get(name.lower())

    def of(self, resource_id: str) -> list[Operation]:
        """The operations on one resource, oldest first."""
        key = resource_id.lower()
        return [operation for operation in self._operations.values() if operation.resource_id.key == key]

    def under_way(self, resource_id: ResourceId) -> list[Operation]:
        """The operations in progress on a resource and on what is nested in it."""
        key = resource_id.key
        running = [self._operations[name] for name in self._under_way]
        return [each for each in running if each.resource_id.key == key or each.resource_id.key.startswith(f"{key}/")]

    def preempt(self, resource_id: ResourceId) -> None:
        """End the operations in progress on a resource, and on what is nested in it, because a newer one begins."""
        for operation in self.under_way(resource_id):
            self._under_way[operation.name](preempted(), False)

    def notify(self, write: WriteEvent) -> None:
        """Call every listener with a write."""
        for listener in self._listeners:
            listener(write)

    def reset(self, seed: int) -> None:
        """Remove every operation; those in progress have no effect."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._operations.clear()
        self._under_way.clear()
        self._counts.clear()
        self._hanging.clear()
        self._seed = seed

    def _release(self) -> None:
        """End the operations that hang because of a fault."""
        hanging, self._hanging = self._hanging, []
        for end in hanging:
            self._after(0, end)

    def _after(self, delay_s: float, effect: Callable[[], None]) -> None:
        def run() -> None:
            self._timers.discard(timer)
            effect()

        timer = asyncio.get_running_loop().call_later(delay_s, run)
        self._timers.add(timer)

    def _midway(self, operation: Operation, work: Work) -> None:
        if operation.ended is None and not operation.was_midway:
            operation.was_midway = True
            self._history.remember(operation.resource_id)
            work.midway()

    def _end(self, operation: Operation, work: Work, request: Request, error: Json | None, nothing: bool) -> None:
        if operation.ended is not None:
            return
        self._history.remember(operation.resource_id)
        if error is None and not nothing:
            self._midway(operation, work)
        self._under_way.pop(operation.name, None)
        operation.ended = self._clock.now()
        if error is None and nothing:
            work.failed(None)
            operation.status = "Succeeded"
        elif error is None:
            try:
                operation.output = work.effect()
                operation.status = "Succeeded"
            except ArmError as refusal:
                error = error_object(refusal.code, refusal.message, refusal.target)
        if error is not None:
            operation.error = error
            operation.status = "Failed"
            work.failed(error)
        self.notify(
            WriteEvent(
                resource_id=operation.resource_id.text,
                scope=operation.resource_id.text,
                operation_name=work.action,
                kind=work.write,
                method=request.method,
                url=request.url,
                at=operation.ended,
                correlation_id=request.correlation_id,
                client_request_id=request.client_request_id,
                status="Succeeded" if error is None else "Failed",
            )
        )


def accepted(request: Request, operation: Operation, status: int, body: Json | None = None) -> Answer:
    """The first answer of an operation: `status`, `body` and the recorded headers."""
    answer = Answer(status, body)
    answer.headers["Azure-AsyncOperation"] = _url(request.base_url, operation, result=False)
    if operation.headers.location:
        answer.headers["Location"] = _url(request.base_url, operation, result=True)
    _retry_after(answer, operation.headers.first_s)
    return answer


def status_answer(request: Request, operation: Operation) -> Answer:
    """The answer of the status URL, or of the result URL when the query has `monitor=true`."""
    polls, operation.polls = operation.polls, operation.polls + 1
    running = operation.status == "InProgress"
    wait_s = operation.headers.poll_s(polls) if running else None
    if request.query.get("monitor") == "true":
        return _result_answer(request, operation, wait_s)
    body: Json = {"startTime": stamp(operation.started)}
    if operation.ended:
        body["endTime"] = stamp(operation.ended)
    body["status"] = operation.status
    if operation.error:
        body["error"] = operation.error
    if operation.output is not None:
        body["properties"] = {"output": operation.output}
    answer = Answer(200, {**body, "name": operation.name})
    _retry_after(answer, wait_s)
    return answer


def _result_answer(request: Request, operation: Operation, wait_s: int | None) -> Answer:
    if operation.status == "InProgress":
        answer = Answer(202)
        answer.headers["Location"] = _url(request.base_url, operation, result=True)
        _retry_after(answer, wait_s)
        return answer
    if operation.error:
        raise ArmError(409, operation.error["code"], operation.error["message"], operation.error.get("target"))
    return Answer(200, operation.output)


def _retry_after(answer: Answer, seconds: int | None) -> None:
    if seconds is not None:
        answer.headers["Retry-After"] = str(seconds)


def _url(base_url: str, operation: Operation, *, result: bool) -> str:
    """The operation's URL. Like Azure's it has a signature (here a dummy): such a URL must not be logged."""
    digest = hashlib.sha512(f"{operation.name}{result}".encode()).digest()
    signature = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    partition = guid(Random(operation.resource_id.subscription))  # noqa: S311 # a stable dummy partition
    monitor = "&monitor=true" if result else ""
    return (
        f"{base_url}/subscriptions/{operation.resource_id.subscription}/providers/Microsoft.Compute"
        f"/locations/{operation.location}/{operation.headers.family}/{operation.name}"
        f"?p={partition}{monitor}&api-version={operation.api_version}"
        f"&t={int(operation.started.timestamp() * 1e7)}&c=MIIH{signature}&s={signature[:43]}&h={signature[43:]}"
    )


def guid(random: Random) -> str:
    """A lower-case guid from `random`."""
    text = f"{random.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:]}"
