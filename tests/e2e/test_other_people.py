"""Other people stop, restart or restore a VM during its swap: the app leaves that, and rejects no disk."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.worlds.blameless import SLOW_BOOT, STRICT, assert_may_be_requested_again, assert_no_blame, fleet
from tests.support.worlds.builders import VM_ID, disk_id
from tests.support.worlds.local_azure import LocalAzure, disk_body, play
from tests.support.worlds.swap_world import assert_well, never_boots, outcome_of, power_is, runs_on, sweep_for


@pytest.mark.parametrize("after_s", [1, 40, 200])
@pytest.mark.parametrize("stop", ["deallocate", "powerOff"])
def test_a_vm_that_is_stopped_while_it_is_proved_stays_stopped(stop: str, after_s: float) -> None:
    """A VM that others stop at any step is not started, and its disk is proved when it runs again."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([SLOW_BOOT])
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await runs_on(azure, "web01-new")
        await asyncio.sleep(after_s)
        await azure.arm("POST", f"{VM_ID}/{stop}")
        outcome = await outcome_of(azure)
        assert (outcome["status"], outcome["reason"]) == ("not-proven", "was-not-running"), outcome
        await sweep_for(azure, 3)
        assert await azure.power(VM_ID) == ("stopped" if stop == "powerOff" else "deallocated")
        await assert_no_blame(azure)
        await azure.arm("POST", f"{VM_ID}/start")
        await sweep_for(azure, 3)
        assert azure.outcomes()[-1]["status"] == "succeeded", azure.outcomes()
        await assert_well(azure, "web01-new", stops=2)

    play(story, fleet(), settings=STRICT)


def test_a_bad_disk_of_a_vm_that_was_stopped_is_rejected_when_it_runs_again() -> None:
    """The silence of its guest counts from the start by its owner on."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([never_boots("web01-new")])
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await runs_on(azure, "web01-new")
        await asyncio.sleep(30)
        await azure.arm("POST", f"{VM_ID}/deallocate")
        await outcome_of(azure)
        await assert_no_blame(azure)
        await azure.arm("POST", f"{VM_ID}/start")
        await sweep_for(azure, 3)
        assert (azure.outcomes()[-1]["status"], await azure.os_disk(VM_ID)) == ("rolled-back", "web01-old")
        assert (await azure.vm(VM_ID))["tags"]["OsDiskRejected"] == "web01-new"

    play(story, fleet())


@pytest.mark.parametrize("at_s", [100, 240])
def test_a_guest_has_its_whole_health_time_after_a_restart_by_somebody_else(at_s: float) -> None:
    """A guest that needs 250 s to boot is proved although it was restarted just before its first report."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([SLOW_BOOT])
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await runs_on(azure, "web01-new")
        await asyncio.sleep(at_s)
        await azure.arm("POST", f"{VM_ID}/restart")
        outcome = await outcome_of(azure)
        assert outcome["status"] == "succeeded", outcome
        await assert_no_blame(azure)
        await assert_well(azure, "web01-new", stops=2)  # the restart counts as one

    play(story, fleet(), settings=STRICT)


def test_endless_restarts_by_others_end_without_blame() -> None:
    """A VM that is restarted every minute is put back after two health times, and its disk may be requested again."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([SLOW_BOOT])
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await runs_on(azure, "web01-new")
        while await azure.os_disk(VM_ID) == "web01-new" and await azure.power(VM_ID) == "running":
            await azure.arm("POST", f"{VM_ID}/restart")
            await asyncio.sleep(90)
        outcome = await outcome_of(azure)
        assert (outcome["status"], outcome["reason"]) == ("rolled-back", "unhealthy"), outcome
        assert "web01-new is not at fault" in outcome["message"]
        await assert_no_blame(azure)
        await assert_may_be_requested_again(azure)

    play(story, fleet(), settings=STRICT)


def test_an_os_disk_that_somebody_else_restores_during_the_swap_stays() -> None:
    """A person stops the VM, puts a restored disk in and starts it: the app ends there, and the tag names that disk."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([SLOW_BOOT])
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await runs_on(azure, "web01-new")
        await azure.arm("POST", f"{VM_ID}/deallocate")
        await power_is(azure, "deallocated")
        body = {"name": "web01-restored", "managedDisk": {"id": disk_id("web01-restored")}}
        await azure.arm("PATCH", VM_ID, {"properties": {"storageProfile": {"osDisk": body}}})
        await asyncio.sleep(5)
        await azure.arm("POST", f"{VM_ID}/start")
        outcome = await outcome_of(azure)
        assert (outcome["status"], outcome["reason"]) == ("not-proven", "changed-by-others"), outcome
        await sweep_for(azure, 3)
        await assert_no_blame(azure)
        assert (await azure.vm(VM_ID))["tags"]["OsDiskName"] == "web01-restored"
        await assert_well(azure, "web01-restored", stops=2)

    play(story, [*fleet(), disk_body("web01-restored")], settings=STRICT)
