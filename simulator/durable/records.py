"""The records of the hub: orchestration instances, entities, and the messages between them.

Decides the fields of each record. Leaves all changes to the other modules of the hub.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from durabletask.internal import orchestrator_service_pb2 as pb

from simulator.durable.history import History

RunState = Literal["idle", "queued", "running"]

# Tag of an orchestration that an entity started: its end is not reported to a parent.
# https://github.com/Azure/durabletask/blob/main/src/DurableTask.Core/TaskEntityDispatcher.cs
FIRE_AND_FORGET = "FireAndForget"

TERMINAL = frozenset(
    {
        pb.ORCHESTRATION_STATUS_COMPLETED,
        pb.ORCHESTRATION_STATUS_FAILED,
        pb.ORCHESTRATION_STATUS_TERMINATED,
        pb.ORCHESTRATION_STATUS_CANCELED,
    }
)


@dataclass(frozen=True)
class Address:
    """One execution of an instance; `execution_id` None is the execution that runs when the message arrives."""

    instance_id: str
    execution_id: str | None = None


@dataclass(frozen=True)
class Parent:
    """The orchestration that waits for a sub-orchestration under `task_id`, or the entity that started it."""

    address: Address
    name: str
    task_id: int


@dataclass(frozen=True)
class StartOrchestration:
    """Start `name` under `instance_id`."""

    instance_id: str
    name: str
    input: str | None = None
    version: str | None = None
    parent: Parent | None = None
    tags: dict[str, str] = field(default_factory=dict)
    at: datetime | None = None


@dataclass(frozen=True)
class RunActivity:
    """Run activity `name` once and send the result to `caller` under `task_id`; `attempt` counts deliveries."""

    caller: Address
    task_id: int
    name: str
    input: str | None
    attempt: int = 1


@dataclass(frozen=True)
class Deliver:
    """Put `event` into an orchestration's inbox, not before `at`.

    `answers` is the id of the task, timer or entity request that it answers; `tries` counts how often it was too early.
    """

    to: Address
    event: pb.HistoryEvent
    at: datetime | None = None
    answers: int | str | None = None
    tries: int = 0


@dataclass(frozen=True)
class Operate:
    """Run `operation` on an entity, not before `at`; `caller` gets the result under `request_id`.

    `stamped`: it has the time stamps that the entity's message sorter uses, as signals of entities have.
    """

    entity_id: str
    request_id: str
    operation: str
    input: str | None
    caller: Address | None = None
    at: datetime | None = None
    stamped: bool = False


@dataclass(frozen=True)
class LockEntities:
    """Lock the entities `lock_set` for `caller`, one after the other from `position` on."""

    request_id: str
    lock_set: tuple[str, ...]
    caller: Address
    position: int = 0
    at: datetime | None = None

    @property
    def entity_id(self) -> str:
        """The entity to lock now."""
        return self.lock_set[self.position]


@dataclass(frozen=True)
class ReleaseEntity:
    """Release the lock that orchestration `holder` has on an entity."""

    entity_id: str
    holder: str
    at: datetime | None = None


Message = StartOrchestration | RunActivity | Deliver | Operate | LockEntities | ReleaseEntity


@dataclass
class Instance:
    """One orchestration instance.

    `requested` holds the ids of tasks, timers and entity requests in its history. `torn`: its stored row has no name,
    creation time or status.
    """

    id: str
    name: str
    execution_id: str
    created_at: datetime
    updated_at: datetime
    input: str | None = None
    version: str | None = None
    parent: Parent | None = None
    tags: dict[str, str] = field(default_factory=dict)
    scheduled_at: datetime | None = None
    status: pb.OrchestrationStatus = pb.ORCHESTRATION_STATUS_PENDING
    output: str | None = None
    custom_status: str | None = None
    failure: pb.TaskFailureDetails | None = None
    completed_at: datetime | None = None
    history: History = field(default_factory=History)
    inbox: deque[Deliver] = field(default_factory=deque)
    requested: set[int | str] = field(default_factory=set)
    torn: bool = False
    run_state: RunState = "idle"
    attempt: int = 1

    @property
    def begun(self) -> bool:
        """Whether the execution has its first event, in its history or in its inbox."""
        return bool(self.history) or any(message.event.HasField("executionStarted") for message in self.inbox)

    @property
    def ended(self) -> bool:
        """Whether the instance is completed, failed or terminated."""
        return self.status in TERMINAL

    def continue_as(self, execution: Instance) -> None:
        """Take over the fields that change when the instance continues as new."""
        self.execution_id, self.history = execution.execution_id, execution.history
        self.input, self.version, self.created_at = execution.input, execution.version, execution.created_at
        self.requested = set()

    @property
    def address(self) -> Address:
        """The execution that runs now."""
        return Address(self.id, self.execution_id)


@dataclass
class Entity:
    """One entity; without a state it does not exist for clients.

    `locked_by` is the id of the orchestration that holds its lock. `sorts_calls`: the message sorter has seen no time
    stamp yet, so it drops calls, which have none (`entity_batches.dropped_by_sorter`).
    """

    id: str
    updated_at: datetime
    state: str | None = None
    locked_by: str | None = None
    sorts_calls: bool = True
    inbox: deque[Operate | LockEntities] = field(default_factory=deque)
    run_state: RunState = "idle"
    attempt: int = 1

    @property
    def name(self) -> str:
        """The entity function's name, lower case as in the id `@name@key`."""
        return self.id.split("@", 2)[1]
