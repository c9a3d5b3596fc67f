"""Runs the orchestrations of one version of the app in this process, without a hub: their calls are answered at once.

Decides the order: an orchestration runs until it ends or calls an activity that is held back. Leaves the answers of
activities to the caller, and the entities to `bench.entities`.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from durabletask.entities import EntityInstanceId
from durabletask.task import CompletableTask, Task

from bench.entities import Entities

DELIVERED_LATER = "signals with a time"
_STEP = timedelta(milliseconds=1)


@dataclass
class Orchestrations:
    """The orchestrations that entities start, by the registered `functions`; `act` answers an activity.

    An activity in `held` is answered only by `release`. `calls_ms` has the measured CPU time of each call of an entity
    (by an orchestration or a client) with everything the call made entities do, in milliseconds by operation.
    """

    functions: Mapping[str, Callable[..., Any]]
    entities: Entities
    act: Callable[[str, Any], Any]
    held: frozenset[str] = frozenset()
    now: datetime = datetime(2026, 11, 2, 8)
    calls_ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    _waiting: dict[str, deque[Run]] = field(default_factory=lambda: defaultdict(deque))

    def run_started(self) -> None:
        """Run everything that entities have started."""
        while self.entities.starts:
            start = self.entities.starts.popleft()
            Run(self, start.name, start.instance_id, start.data).advance()

    def settle(self) -> None:
        """Deliver the signals whose time was still to come and run what is started, until nothing more is started."""
        while True:
            self._note(DELIVERED_LATER, self.entities.deliver_later())
            if not self.entities.starts:
                return
            self.run_started()

    def waiting(self, activity: str) -> int:
        """How many orchestrations wait for the answer of a held activity."""
        return len(self._waiting[activity])

    def release(self, activity: str) -> None:
        """Answer the oldest call of a held activity; its orchestration continues."""
        self._waiting[activity].popleft().answer()

    def wait(self, activity: str, run: Run) -> None:
        """Note that `run` waits for a held activity."""
        self._waiting[activity].append(run)

    def call(self, entity_id: EntityInstanceId, operation: str, data: Any) -> Any:
        """Call or signal an entity, and note what that cost if anything of it was measured."""
        self.now += _STEP
        answer, spent_s = self.entities.call(entity_id, operation, data)
        self._note(str(operation), spent_s)
        return answer

    def _note(self, operation: str, spent_s: float) -> None:
        if spent_s:
            self.calls_ms[operation].append(spent_s * 1000)


class Run:
    """One orchestration, and the part of durabletask's OrchestrationContext that the app's orchestrations use."""

    is_replaying = False

    def __init__(self, runner: Orchestrations, name: str, instance_id: str, data: Any) -> None:
        self._runner, self._name, self.instance_id = runner, name, instance_id
        self._held: tuple[CompletableTask[Any], str, Any] | None = None
        self._next: Any = None
        self._generator = self._begin(data)

    @property
    def current_utc_datetime(self) -> datetime:
        """The runner's time."""
        return self._runner.now

    def advance(self, value: Any = None) -> None:
        """Run until the end, or until a held activity."""
        while True:
            try:
                task = self._generator.send(value)
            except StopIteration:
                if self._next is None:
                    return
                self._generator, self._next, value = self._begin(self._next), None, None
                continue
            self._yielded = task
            if not task.is_complete:
                return
            value = task.get_result()

    def answer(self) -> None:
        """Answer the held activity and continue."""
        assert self._held is not None
        (task, name, data), self._held = self._held, None
        task.complete(self._runner.act(name, data))
        if self._yielded.is_complete:
            self.advance(self._yielded.get_result())

    def call_entity(self, entity_id: EntityInstanceId, operation: str, input: Any = None) -> Task[Any]:
        """Call an entity; the answer is there at once."""
        return _complete(self._runner.call(entity_id, operation, input))

    def signal_entity(self, entity_id: EntityInstanceId, operation_name: str, input: Any = None) -> None:
        """Signal an entity."""
        self._runner.call(entity_id, operation_name, input)

    def call_activity(self, activity: str, *, input: Any = None) -> Task[Any]:
        """Call an activity; the answer is there at once, unless the activity is held."""
        if activity not in self._runner.held:
            return _complete(self._runner.act(activity, input))
        task: CompletableTask[Any] = CompletableTask()
        self._held = (task, activity, input)
        self._runner.wait(activity, self)
        return task

    def create_timer(self, fire_at: datetime | timedelta) -> Task[Any]:
        """A timer, which never fires."""
        return CompletableTask()

    def send_event(self, instance_id: str, event_name: str, *, data: Any = None) -> None:
        """Send an event, which nothing waits for."""

    def continue_as_new(self, new_input: Any, *, save_events: bool = False) -> None:
        """Run again with another input when this run has ended."""
        self._next = new_input

    def _begin(self, data: Any) -> Generator[Task[Any], Any, Any]:
        begun: Generator[Task[Any], Any, Any] = self._runner.functions[self._name](self, data)
        return begun


def _complete(value: Any) -> Task[Any]:
    task: CompletableTask[Any] = CompletableTask()
    task.complete(value)
    return task
