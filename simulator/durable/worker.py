"""The interface of a worker, and the ways in which a worker fails.

Decides the difference between a function that failed (its failure is the result) and a worker that died (there is no
result and the work is handed out again). Does not know how a worker runs a function.
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
    """There is no such function; the message lists the functions that exist."""


class WorkerDied(Exception):
    """The worker died while it held the work: the hub drops the result and hands the work out again.

    `sent`: the messages of an orchestrator turn or an entity batch were sent before the state was saved, so the second
    run sends them again. The Azure Storage provider sends before it saves.
    `torn`: an orchestrator turn's history was saved as well, but its instance's row was not. The instance continues; if
    this was its first turn and no client started it, its row cannot be read.
    `after_s`: simulated seconds until the work is visible again; None is the hub's own delay.
    """

    def __init__(self, *, sent: bool = False, torn: bool = False, after_s: float | None = None) -> None:
        super().__init__("the worker died")
        self.sent = sent
        self.torn = torn
        self.after_s = after_s


class Interruptions:
    """Moments at which a test may raise `WorkerDied`. `attempt` is 1 for the first delivery of the work, then 2, 3 …

    Raised before the work: the work never began. Raised after it: its effects outside the hub have happened, and the
    hub has no record of them.
    """

    def second_delivery_s(self, name: str, instance_id: str, task_id: int) -> float | None:
        """Simulated seconds after which an activity is handed out again although no worker died; None: never.

        Both runs answer, and they overlap if the first has not ended by then, as when a message's lock is lost.
        """
        return None

    def before_activity(self, name: str, instance_id: str, task_id: int, attempt: int) -> None:
        """Called before an activity runs: raising here means it never began."""

    def after_activity(self, name: str, instance_id: str, task_id: int, attempt: int) -> None:
        """Called after an activity ran: raising here means its effect happened and its result is lost."""

    def before_orchestrator_turn(self, name: str, instance_id: str, attempt: int) -> None:
        """Called before an orchestrator is given its events."""

    def after_orchestrator_turn(self, name: str, instance_id: str, attempt: int) -> None:
        """Called after an orchestrator's turn, before any of it is stored."""

    def before_entity_batch(self, entity_id: str, operations: list[str], attempt: int) -> None:
        """Called before an entity is given a batch of operations."""

    def after_entity_batch(self, entity_id: str, operations: list[str], attempt: int) -> None:
        """Called after an entity ran a batch of operations, before any of it is stored."""


class Worker(Protocol):
    """A worker that runs registered functions, one call per delivery. All three raise FunctionFailed or WorkerDied."""

    async def orchestrate(self, name: str, request: bytes) -> bytes:
        """Run one turn: serialised OrchestratorRequest in, serialised OrchestratorResponse out."""

    async def operate(self, name: str, request: bytes) -> bytes:
        """Run one entity batch: serialised EntityBatchRequest in, serialised EntityBatchResult out."""

    async def act(self, name: str, payload: str | None) -> str | None:
        """Run one activity: JSON text in, JSON text out."""
