"""Reads of what is known about VMs that are no longer in the dispatcher's state."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from durabletask.entities import EntityInstanceId

from refresh.activities.retention.find_holders import find_holders
from refresh.activities.swap.find_outcomes import find_outcomes
from refresh.domain.terms.resource_id import id_hash
from refresh.reading.past_outcomes import read_past_outcome, read_past_outcomes
from refresh.reading.retention.remembered_disks import read_remembered
from refresh.reading.vm_memory import read_all_memory, read_vm_memory
from refresh.records.dispatcher_state import DispatcherState
from tests.support.chaos.memory_simulation import MemorySimulation, vm_id
from tests.support.worlds.builders import disk_id

MOVED = {"moved": True}


@dataclass
class Stored:
    """An entity as the durable client returns it."""

    state: Any

    def get_typed_state(self, _: type) -> Any:
        """The state."""
        return self.state


@dataclass
class Hub:
    """A durable client on entities by id; `reads` are the ids that were read, in order."""

    states: dict[str, Any]
    reads: list[str] = field(default_factory=list)

    async def get_entity(self, entity: EntityInstanceId) -> Stored | None:
        """The entity, None when there is none."""
        self.reads.append(str(entity))
        state = self.states.get(str(entity))
        return None if state is None else Stored(state)


def memory_of(vm: str, **row: Any) -> dict[str, Any]:
    """The state of the entity with one VM, by the entity's id."""
    return {f"@vm_memory@{id_hash(vm)[:2]}": {"vms": {id_hash(vm): {"n": 1, **row}}}}


def hub(state: dict[str, Any], *memories: dict[str, Any]) -> Any:
    return Hub({"@dispatcher@app": state} | {key: stored for one in memories for key, stored in one.items()})


def test_only_the_keys_of_the_vms_are_read() -> None:
    """One read for each key; VMs that nothing is known about have none."""
    vms = [vm_id(number) for number in range(4)]
    client = hub({}, memory_of(vms[0], ran=["a"]), memory_of(vms[1], ran=["b"]))
    known = asyncio.run(read_vm_memory(client, vms))
    assert [known.ran_of(vm) for vm in vms] == [("a",), ("b",), (), ()]
    assert sorted(client.reads) == sorted({f"@vm_memory@{id_hash(vm)[:2]}" for vm in vms})


def test_all_keys_are_read_only_when_a_vm_was_ever_moved() -> None:
    """A small fleet costs no reads."""
    client = hub({}, memory_of(vm_id(1), ran=["a"]))
    assert asyncio.run(read_all_memory(client, DispatcherState({}))).rows == {}
    assert client.reads == []
    assert len(asyncio.run(read_all_memory(client, DispatcherState(MOVED))).rows) == 1
    assert len(client.reads) == 256


@pytest.mark.parametrize(
    "row",
    [
        {"ran": [id_hash(disk_id("x")), id_hash(disk_id("spare"))]},
        {"proved": id_hash(disk_id("spare"))},
        {"unproven": {"id": vm_id(1), "intent": {"new_disk": disk_id("spare"), "old_disk": disk_id("y")}}},
        {"unproven": {"id": vm_id(1), "intent": {"new_disk": disk_id("y"), "old_disk": disk_id("spare")}}},
    ],
    ids=["ran", "proved", "new disk not proved", "old disk of it"],
)
def test_a_disk_that_only_the_memory_names_is_held(row: dict[str, Any]) -> None:
    """Right before a deletion; the dispatcher's own row about the same VM hides nothing."""
    vm = vm_id(1)
    own = {**MOVED, "ran": {id_hash(vm): [id_hash(disk_id("z"))]}}
    client = hub(own, memory_of(vm, **row))
    found = asyncio.run(find_holders({"disks": [disk_id("spare"), disk_id("other")]}, client))
    assert list(found["held"]) == [disk_id("spare")]


def test_retention_reads_the_dispatcher_first() -> None:
    """A VM leaves the dispatcher's state after its memory has it, so the other order could miss it in both."""
    client = hub(MOVED)
    asyncio.run(read_remembered(client))
    assert client.reads[0] == "@dispatcher@app"


def test_every_disk_of_a_fleet_is_remembered() -> None:
    """Of 300 VMs, most of which have left the dispatcher's state."""
    play = MemorySimulation()
    for number in range(300):
        play.swap(number, ("proved", "stopped")[number % 2])
        play.drain()
    for _ in range(6):
        play.sweep()
        play.drain()
    assert len(play.state["ran"]) <= 100
    states = {f"@vm_memory@{key}": stored for key, stored in play.memories.items()}
    whole = asyncio.run(read_remembered(hub(play.state, states))).json
    assert {vm: tuple(disks) for vm, disks in whole["ran"].items()} == play.ran
    assert whole["proved"] == play.proved
    assert {vm: row["intent"]["new_disk"] for vm, row in whole["unproven"].items()} == play.unproven


def outcomes_of(vm: str, *ended: str) -> dict[str, Any]:
    runs = [{"vm": vm, "run": f"swap-{id_hash(vm)}-{at[-1]}", "status": "succeeded", "ended": at} for at in ended]
    return {f"@past_outcomes@{id_hash(vm)[:2]}": {"outcomes": runs}}


def test_outcomes_are_found_by_run_and_by_vm() -> None:
    """An id that is no swap's costs no read."""
    vm, other = vm_id(1), vm_id(2)
    client = hub({}, outcomes_of(vm, "t1", "t2"))
    found = asyncio.run(read_past_outcome(client, f"swap-{id_hash(vm)}-2"))
    assert found is not None
    assert found.ended == "t2"
    assert asyncio.run(read_past_outcome(client, f"swap-{id_hash(vm)}-3")) is None
    assert [row.ended for row in asyncio.run(read_past_outcomes(client, [vm.upper(), other]))] == ["t1", "t2"]
    client.reads.clear()
    assert asyncio.run(read_past_outcome(client, "swap-x-2")) is None
    assert client.reads == []


def test_outcomes_that_left_the_dispatcher_are_found_for_a_run_that_waits() -> None:
    """Only those since the run began; a VM without one is lost, and is hinted at again."""
    vm, other = vm_id(1), vm_id(2)
    times = [f"2026-11-21T10:00:0{second}+00:00" for second in (1, 5)]
    client = hub(
        {},
        {
            f"@past_outcomes@{id_hash(vm)[:2]}": {
                "outcomes": [
                    {"vm": vm, "run": f"swap-{id_hash(vm)}-{n}", "status": "succeeded", "ended": at}
                    for n, at in enumerate(times)
                ]
            }
        },
    )
    found = asyncio.run(find_outcomes({"vms": [vm, other], "since": "2026-11-21T10:00:03+00:00"}, client))
    assert ([row["ended"] for row in found["outcomes"]], found["lost"]) == ([times[1]], [other])
    late = asyncio.run(find_outcomes({"vms": [vm, other], "since": "2026-11-21T10:00:09+00:00"}, client))
    assert (late["outcomes"], late["lost"]) == ([], [vm, other])
