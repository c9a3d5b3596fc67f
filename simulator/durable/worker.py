"""What the hub asks of a worker, and the ways in which a worker fails.

Decides the difference between a function that failed (its failure is the result) and a worker that died (there is no
result, the work is handed out again). Does not know how a worker runs a function.
"""

from __future__ import annotations

from typing import Literal, Protocol

FunctionKind = Literal["orchestrator", "entity", "activity"]


class FunctionFailed(Exception):
    """A function ended with an exception: its failure is its result."""

    def __init__(self, error_type: str, message: str, stack_trace: str = "") -> None:
        """Keep the exception's type name, its message and, where known, the worker's stack trace."""
        super().__init__(f"{error_type}: {message}")
        self.error_type = error_type
        self.message = message
        self.stack_trace = stack_trace


class FunctionMissing(FunctionFailed):
    """There is no such function; the message says which there are."""


class WorkerDied(Exception):
    """The worker vanished while it held the work: the hub throws the result away and hands the work out again.

    `sent`: what an orchestrator turn or an entity batch sends had left before the state was saved, so it is sent once
    more by the second run. The Azure Storage provider sends first and saves then.
    `torn`: an orchestrator turn's history had been saved as well, and its instance's row had not. The instance goes on;
    one that no client started is left with a row that cannot be read if that was its first turn.
    `after_s`: simulated seconds until the work is visible again; None is the hub's own.
    """

    def __init__(self, *, sent: bool = False, torn: bool = False, after_s: float | None = None) -> None:
        super().__init__("the worker died")
        self.sent = sent
        self.torn = torn
        self.after_s = after_s


class Interruptions:
    """Moments at which a test may raise `WorkerDied`. `attempt` is 1 for the first delivery of the work, then 2, 3 …

    What comes before a piece of work means that it never began; what comes after it, that whatever it did outside the
    hub has happened and the hub knows nothing of it.
    """

    def second_delivery_s(self, name: str, instance_id: str, task_id: int) -> float | None:
        """Simulated seconds after which an activity is handed out once more though nobody died; None: it is not.

        Both run and both answer, at the same time if the first is not over by then: a message whose lock was lost.
        """
        return None

    def before_activity(self, name: str, instance_id: str, task_id: int, attempt: int) -> None:
        """Called before an activity runs: raising here means it never began."""

    def after_activity(self, name: str, instance_id: str, task_id: int, attempt: int) -> None:
        """Called after an activity ran: raising here means its effect happened and its result is lost."""

    def before_orchestrator_turn(self, name: str, instance_id: str, attempt: int) -> None:
        """Called before an orchestrator is given its events."""

    def after_orchestrator_turn(self, name: str, instance_id: str, attempt: int) -> None:
        """Called after an orchestrator's turn, before anything of it is kept."""

    def before_entity_batch(self, entity_id: str, operations: list[str], attempt: int) -> None:
        """Called before an entity is given a batch of operations."""

    def after_entity_batch(self, entity_id: str, operations: list[str], attempt: int) -> None:
        """Called after an entity ran a batch of operations, before anything of it is kept."""


class Worker(Protocol):
    """A worker that runs registered functions, one call per delivery. All three raise FunctionFailed or WorkerDied."""

    async def orchestrate(self, name: str, request: bytes) -> bytes:
        """Run one turn: serialised OrchestratorRequest in, serialised OrchestratorResponse out."""

    async def operate(self, name: str, request: bytes) -> bytes:
        """Run one entity batch: serialised EntityBatchRequest in, serialised EntityBatchResult out."""

    async def act(self, name: str, payload: str | None) -> str | None:
        """Run one activity: JSON text in, JSON text out."""
