"""Numbers every moment at which a worker can crash, and crashes it there.

Decides what a boundary is: before or after each orchestrator turn, activity and entity batch; for turns and batches
also after their messages were sent. Leaves the checks at the end of a scenario to the tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import override

from simulator.durable.worker import Interruptions, WorkerDied

# How long the messages of a crashed worker stay hidden: the minute of host.json, plus the next poll of the queue.
HIDDEN_S = 75.0


@dataclass(frozen=True)
class Boundary:
    """One moment of a scenario: `before` or `after` the `nth` run of this work, or when its messages are `sent`."""

    kind: str
    name: str
    nth: int
    when: str

    def __str__(self) -> str:
        return f"{self.when} {self.kind} {self.name} #{self.nth}"


class HubFailures(Interruptions):
    """Failures of the hub in a scenario; `side_by_side` is True once two workers ran the same work at the same time."""

    side_by_side = False


class BoundaryRecorder(HubFailures):
    """Records every boundary of a scenario, in order, without a failure."""

    def __init__(self) -> None:
        self.seen: list[Boundary] = []
        self._nth: dict[tuple[str, str, str], int] = {}

    def reached(self, boundary: Boundary) -> None:
        """Handle one boundary: the base class records it."""
        self.seen.append(boundary)

    def _moments(self, kind: str, name: str, *whens: str) -> None:
        nth = self._nth[kind, name, whens[0]] = self._nth.get((kind, name, whens[0]), 0) + 1
        for when in whens:
            self.reached(Boundary(kind, name, nth, when))

    @override
    def before_activity(self, name: str, instance_id: str, task_id: int, attempt: int) -> None:
        self._moments("activity", name, "before")

    @override
    def after_activity(self, name: str, instance_id: str, task_id: int, attempt: int) -> None:
        self._moments("activity", name, "after")

    @override
    def before_orchestrator_turn(self, name: str, instance_id: str, attempt: int) -> None:
        self._moments("turn", name, "before")

    @override
    def after_orchestrator_turn(self, name: str, instance_id: str, attempt: int) -> None:
        self._moments("turn", name, "after", "sent")

    @override
    def before_entity_batch(self, entity_id: str, operations: list[str], attempt: int) -> None:
        self._moments("batch", "+".join(sorted(set(operations))), "before")

    @override
    def after_entity_batch(self, entity_id: str, operations: list[str], attempt: int) -> None:
        self._moments("batch", "+".join(sorted(set(operations))), "after", "sent")


class CrashAt(BoundaryRecorder):
    """Crashes the worker once, at the boundary with this number; the lost work is visible again after `after_s`."""

    def __init__(self, number: int, after_s: float | None = None) -> None:
        super().__init__()
        self._number = number
        self._after_s = after_s
        self.crashed: Boundary | None = None

    @override
    def reached(self, boundary: Boundary) -> None:
        super().reached(boundary)
        if len(self.seen) - 1 == self._number:
            self.crashed = boundary
            self.side_by_side = boundary.when == "sent"
            raise WorkerDied(sent=boundary.when == "sent", after_s=self._after_s)


class EverythingTwice(HubFailures):
    """Delivers each activity again after `after_s`; runs each entity batch, loses its state once sent, and reruns it.

    Without `after_s` an activity is delivered again after its first run, whose answer is lost.
    """

    def __init__(self, after_s: float | None, *, answers_lost_for_s: float = 1.0) -> None:
        self._after_s = after_s
        self._answers_lost_for_s = answers_lost_for_s
        self.side_by_side = after_s == 0
        self.activities = self.batches = 0

    @override
    def second_delivery_s(self, name: str, instance_id: str, task_id: int) -> float | None:
        return self._after_s

    @override
    def after_activity(self, name: str, instance_id: str, task_id: int, attempt: int) -> None:
        self.activities += attempt > 1
        if self._after_s is None and attempt == 1:
            raise WorkerDied(after_s=self._answers_lost_for_s)

    @override
    def after_entity_batch(self, entity_id: str, operations: list[str], attempt: int) -> None:
        if attempt == 1:
            self.batches += 1
            raise WorkerDied(sent=True, after_s=1)


class CrashAtEachStep(Interruptions):
    """Crashes the worker at the first delivery of every activity (`before` or `after`), or after each of `turns`."""

    def __init__(self, moment: str, *, turns: frozenset[str]) -> None:
        self._moment = moment
        self._turns = turns
        self.crashed: set[str] = set()

    def _crash_at(self, moment: str, name: str, attempt: int) -> None:
        if moment == self._moment and attempt == 1 and name not in self.crashed:
            self.crashed.add(name)
            raise WorkerDied()

    @override
    def before_activity(self, name: str, instance_id: str, task_id: int, attempt: int) -> None:
        self._crash_at("before", name, attempt)

    @override
    def after_activity(self, name: str, instance_id: str, task_id: int, attempt: int) -> None:
        self._crash_at("after", name, attempt)

    @override
    def after_orchestrator_turn(self, name: str, instance_id: str, attempt: int) -> None:
        if self._moment == "turn" and attempt == 1 and name in self._turns:
            self.crashed.add(name)
            raise WorkerDied(after_s=5.0)
