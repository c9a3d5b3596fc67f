"""Crashes, repeated and late deliveries: one swap at a time, the last edit wins, a VM that ran runs at the end."""

from __future__ import annotations

from typing import override

import pytest

from simulator.durable.worker import Interruptions, WorkerDied
from simulator.eventgrid import Chaos
from tests.support.worlds.builders import VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body

FLEET = [vm_body(), disk_body("web01-new"), disk_body("web01-newer"), disk_body("web01-bad")]
SWAP = (
    "prepare_swap",
    "write_intent",
    "ensure_stopped",
    "ensure_os_disk",
    "ensure_started",
    "ensure_healthy",
    "clear_intent",
)
UNDO = (*SWAP, "write_rejection")


class DieAfterActivity(Interruptions):
    """The worker dies after the first run of an activity: the effect happened, the result is lost.

    It dies three times in all: an activity that is delivered so late does nothing and is requested again.
    """

    def __init__(self, activity: str) -> None:
        self._activity = activity
        self.died = 0

    @override
    def after_activity(self, name: str, instance_id: str, task_id: int, attempt: int) -> None:
        if name == self._activity and attempt == 1 and self.died < 3:
            self.died += 1
            raise WorkerDied


class RunEveryBatchTwice(Interruptions):
    """Every entity batch is executed, its actions are sent, its state is lost, and it is executed again."""

    def __init__(self) -> None:
        self.batches = 0

    @override
    def after_entity_batch(self, entity_id: str, operations: list[str], attempt: int) -> None:
        if attempt == 1:
            self.batches += 1
            raise WorkerDied(sent=True, after_s=1)


class DieInEveryTurn(Interruptions):
    """Every orchestrator turn is lost once before it is stored."""

    @override
    def after_orchestrator_turn(self, name: str, instance_id: str, attempt: int) -> None:
        if attempt == 1:
            raise WorkerDied


async def assert_well(azure: LocalAzure, disk: str, stops: int) -> None:
    assert await azure.os_disk(VM_ID) == disk
    assert await azure.power(VM_ID) == "running"
    assert azure.journal(VM_ID)["stops"] == stops
    assert "RefreshState" not in (await azure.vm(VM_ID))["tags"]
    assert azure.dispatcher_state().get("bad") is None, azure.dispatcher_state()["bad"]


@pytest.mark.parametrize("activity", SWAP)
def test_a_worker_killed_after_a_step_harms_nothing(activity: str) -> None:
    """With any activity of a swap run twice the VM is stopped once and verified on the new disk."""

    async def story(azure: LocalAzure) -> None:
        azure.hub.interruptions = crashes = DieAfterActivity(activity)
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.settled()
        assert crashes.died
        assert [outcome["status"] for outcome in azure.outcomes()] == ["succeeded"]
        await assert_well(azure, "web01-new", stops=1)

    play(story, FLEET)


@pytest.mark.parametrize("activity", UNDO)
def test_a_worker_killed_during_the_rollback_harms_nothing(activity: str) -> None:
    """With any activity of a rolled-back swap run twice the VM runs on its old disk."""

    async def story(azure: LocalAzure) -> None:
        azure.hub.interruptions = crashes = DieAfterActivity(activity)
        azure.simulator.services.faults.add([{"disk": "web01-bad", "boots": False}])
        await azure.tag(VM_ID, OsDiskName="web01-bad")
        await azure.settled()
        assert crashes.died
        assert [outcome["status"] for outcome in azure.outcomes()] == ["rolled-back"]
        await assert_well(azure, "web01-old", stops=2)

    play(story, FLEET)


def test_entity_batches_run_twice_lead_to_one_swap() -> None:
    """With every batch of the dispatcher executed and its actions sent twice there is one swap, stop and outcome."""

    async def story(azure: LocalAzure) -> None:
        azure.hub.interruptions = twice = RunEveryBatchTwice()
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: bool(azure.outcomes()))
        await azure.settled()
        assert twice.batches > 5
        assert [outcome["status"] for outcome in azure.outcomes()] == ["succeeded"]
        await assert_well(azure, "web01-new", stops=1)

    play(story, FLEET)


def test_lost_orchestrator_turns_lead_to_one_swap() -> None:
    """With every turn of every orchestrator lost once there is one swap and one stop."""

    async def story(azure: LocalAzure) -> None:
        azure.hub.interruptions = DieInEveryTurn()
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: bool(azure.outcomes()), within_s=36000)
        await azure.settled()
        await assert_well(azure, "web01-new", stops=1)

    play(story, FLEET)


@pytest.mark.parametrize(
    "chaos",
    [
        pytest.param(Chaos(duplicates=1.0, seed=1), id="every event twice"),
        pytest.param(Chaos(delay_s=30, reorder=1.0, seed=2), id="late and in reverse"),
        pytest.param(Chaos(delay_s=5, duplicates=0.5, reorder=0.5, seed=3), id="all of it"),
    ],
)
def test_the_last_edit_wins_however_events_arrive(chaos: Chaos) -> None:
    """After three edits with events that arrive twice, late and out of order, the VM runs the disk of the last one."""

    async def story(azure: LocalAzure) -> None:
        for disk in ("web01-new", "web01-old", "web01-newer"):
            await azure.tag(VM_ID, OsDiskName=disk)
        await azure.settled()
        assert await azure.os_disk(VM_ID) == "web01-newer"
        assert await azure.power(VM_ID) == "running"

    play(story, FLEET, chaos=chaos)


def test_the_same_event_five_times_is_one_swap() -> None:
    """Repeated hints for the same edit lead to one stop."""

    async def story(azure: LocalAzure) -> None:
        for _ in range(5):
            azure.hub.signal("@dispatcher@app", "hint", {"vms": [VM_ID], "at": None})
        await azure.tag(VM_ID, OsDiskName="web01-new")
        for _ in range(5):
            azure.hub.signal("@dispatcher@app", "hint", {"vms": [VM_ID], "at": None})
        await azure.settled()
        await assert_well(azure, "web01-new", stops=1)

    play(story, FLEET)


@pytest.mark.parametrize("moment", ["stopping", "deallocated", "starting", "running"])
def test_an_edit_during_a_swap_is_done_after_it(moment: str) -> None:
    """After an edit at any moment of a swap, that swap ends first, and then the edited disk is swapped in."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: bool(azure.journal(VM_ID)["stops"]))

        async def reached() -> bool:
            return await azure.power(VM_ID) == moment or moment == "stopping"

        await azure.until(reached)
        await azure.tag(VM_ID, OsDiskName="web01-newer")
        await azure.settled()
        assert [outcome["status"] for outcome in azure.outcomes()] == ["succeeded", "succeeded"]
        await assert_well(azure, "web01-newer", stops=2)

    play(story, FLEET)
