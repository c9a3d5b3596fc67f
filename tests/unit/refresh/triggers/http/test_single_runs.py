"""Which run begins when several clients start one at the same moment, on an engine that tells each that it did."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import grpc
import pytest
from durabletask.client import OrchestrationStatus

from refresh.triggers.http.problem import Problem, ProblemKind
from refresh.triggers.http.single_runs import SingleRun, next_id, start_single

RUNNING, COMPLETED = OrchestrationStatus.RUNNING, OrchestrationStatus.COMPLETED


@dataclass
class State:
    """An instance as a client sees it."""

    instance_id: str
    runtime_status: OrchestrationStatus
    input: Any = None
    created_at: datetime = datetime(2026, 11, 21, tzinfo=UTC)

    def get_input(self) -> Any:
        return self.input


@dataclass
class Engine:
    """The instances, and what happens between a client's list and its start."""

    instances: dict[str, State] = field(default_factory=dict)
    meanwhile: list[State] = field(default_factory=list)
    swallows: bool = True

    async def get_all_orchestration_states(self, query: Any) -> list[State]:
        return [state for run, state in self.instances.items() if run.startswith(query.instance_id_prefix)]

    async def schedule_new_orchestration(self, name: str, *, input: Any, instance_id: str, reuse_id_policy: Any) -> str:
        if self.meanwhile:
            other = self.meanwhile.pop(0)
            self.instances[other.instance_id] = other
            if self.swallows:
                return instance_id
        if instance_id in self.instances:
            assert list(reuse_id_policy.replaceableStatus) == []
            metadata = grpc.aio.Metadata()
            raise grpc.aio.AioRpcError(grpc.StatusCode.ALREADY_EXISTS, metadata, metadata, "exists")
        self.instances[instance_id] = State(instance_id, RUNNING, input)
        return instance_id

    async def get_orchestration_state(self, run: str, *, fetch_payloads: bool = True) -> State | None:
        return self.instances.get(run)


def start(engine: Engine) -> str:
    """Start a month; its id."""
    answer = asyncio.run(
        start_single(cast(Any, engine), SingleRun("month", "202611", "refresh_month", {"period": "202611"}))
    )
    assert answer.status_code == 202
    return str(json.loads(answer.get_body())["id"])


FIRST = next_id("month", "202611", [])
SECOND = next_id("month", "202611", [FIRST])


def test_the_request_that_lost_gets_the_id_of_the_other_run() -> None:
    """The engine accepted both starts, and kept the other one: its mark is in the input."""
    engine = Engine(meanwhile=[State(FIRST, RUNNING, {"request": "another"})])
    with pytest.raises(Problem) as refusal:
        start(engine)
    assert refusal.value.kind is ProblemKind.RUN_EXISTS
    assert FIRST in refusal.value.detail


def test_a_run_that_ended_meanwhile_keeps_its_record() -> None:
    """Its id is refused, and the request starts the run after it."""
    engine = Engine(meanwhile=[State(FIRST, COMPLETED, {"request": "another"})], swallows=False)
    assert start(engine) == SECOND
    assert engine.instances[FIRST].input == {"request": "another"}


def test_ids_follow_from_what_was_used_before() -> None:
    """The order of a list does not count, each id is new, and a purged run's id may come again."""
    known: list[str] = []
    for _ in range(20):
        run = next_id("month", "202611", known)
        assert run == next_id("month", "202611", known[::-1])
        assert run not in known
        known.append(run)
    assert next_id("month", "202611", []) == known[0]
