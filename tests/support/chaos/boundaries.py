"""Every moment at which a worker can die, numbered, and the stories it dies in.

Decides what a boundary is: before or after each orchestrator turn, activity and entity batch, and for turns and batches
also after what they send has left. Refuses to judge how a story ends: the test does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import override

from simulator.durable.worker import Interruptions, WorkerDied

# How long what a dead worker held stays hidden: host.json's minute, and the next look at the queue.
HIDDEN_S = 75.0


@dataclass(frozen=True)
class Boundary:
    """One moment of a story: before or after the `nth` time that this work is done, `sent` when its messages left."""

    kind: str
    name: str
    nth: int
    when: str

    def __str__(self) -> str:
        return f"{self.when} {self.kind} {self.name} #{self.nth}"


class Troubles(Interruptions):
    """What befalls the hub in a story; `side_by_side` once two workers were made to do one thing at the same time."""

    side_by_side = False


class Watch(Troubles):
    """Notes every boundary of a story in the order they come, and lets nothing happen."""

    def __init__(self) -> None:
        self.seen: list[Boundary] = []
        self._nth: dict[tuple[str, str, str], int] = {}

    def reached(self, boundary: Boundary) -> None:
        """Called at every boundary."""
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


class DieAt(Watch):
    """The worker dies once, at the boundary with this number; the lost work is visible again after `after_s`."""

    def __init__(self, number: int, after_s: float | None = None) -> None:
        super().__init__()
        self._number = number
        self._after_s = after_s
        self.died: Boundary | None = None

    @override
    def reached(self, boundary: Boundary) -> None:
        super().reached(boundary)
        if len(self.seen) - 1 == self._number:
            self.died = boundary
            self.side_by_side = boundary.when == "sent"
            raise WorkerDied(sent=boundary.when == "sent", after_s=self._after_s)


class EverythingTwice(Troubles):
    """Each activity is handed out again after `after_s`; each entity batch is run, sent, lost and run again.

    Without `after_s` an activity's second delivery comes when the first is over and its answer was lost.
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


class DieAtEachStep(Interruptions):
    """The worker dies at the first delivery of every activity (`before` or `after` it), or at every one of `turns`."""

    def __init__(self, moment: str, *, turns: frozenset[str]) -> None:
        self._moment = moment
        self._turns = turns
        self.died: set[str] = set()

    def _maybe(self, moment: str, name: str, attempt: int) -> None:
        if moment == self._moment and attempt == 1 and name not in self.died:
            self.died.add(name)
            raise WorkerDied()

    @override
    def before_activity(self, name: str, instance_id: str, task_id: int, attempt: int) -> None:
        self._maybe("before", name, attempt)

    @override
    def after_activity(self, name: str, instance_id: str, task_id: int, attempt: int) -> None:
        self._maybe("after", name, attempt)

    @override
    def after_orchestrator_turn(self, name: str, instance_id: str, attempt: int) -> None:
        if self._moment == "turn" and attempt == 1 and name in self._turns:
            self.died.add(name)
            raise WorkerDied(after_s=5.0)
