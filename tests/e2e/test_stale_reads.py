"""Swaps while ARM's reads lag behind its writes: old content with a current Date.

https://github.com/hashicorp/terraform-provider-azurerm/pull/25758
"""

from __future__ import annotations

import pytest

from tests.support.worlds.builders import VM_ID
from tests.support.worlds.local_azure import LocalAzure, play
from tests.support.worlds.swap_world import FLEET, assert_well, never_boots, outcome_of, sweep_for

_READS_OF_THE_VM = {"method": "GET", "path": "/virtualMachines/web01$"}


async def lags(azure: LocalAzure, stale_s: float, **more: object) -> None:
    """Request a disk; from the begin of its swap on, reads of the VM have the content of `stale_s` seconds ago."""
    await azure.tag(VM_ID, OsDiskName="web01-new")
    await azure.until(lambda: bool(azure.running_swaps()))
    azure.simulator.services.faults.add([{"match": _READS_OF_THE_VM, "stale_s": stale_s, **more}])


def test_a_swap_does_not_notice_a_short_lag() -> None:
    """With reads that are two seconds old all the time, the swap succeeds with one stop."""

    async def story(azure: LocalAzure) -> None:
        await lags(azure, 2)
        outcome = await outcome_of(azure)
        assert (outcome["status"], outcome["message"]) == ("succeeded", "runs disk web01-new, proved by its guest")
        await assert_well(azure, "web01-new", stops=1)

    play(story, FLEET)


@pytest.mark.parametrize("boots", [True, False], ids=["boots", "does-not-boot"])
@pytest.mark.parametrize("stale_s", [8, 45])
def test_a_lag_leaves_no_vm_down(stale_s: float, boots: bool) -> None:
    """However old the reads are, the VM runs at the end on one of its disks, and the outcome states what was read."""

    async def story(azure: LocalAzure) -> None:
        if not boots:
            azure.simulator.services.faults.add([never_boots("web01-new")])
        await lags(azure, stale_s)
        outcome = await outcome_of(azure)
        assert outcome["message"]
        assert outcome["evidence"]
        azure.simulator.services.faults.clear()
        azure.simulator.services.faults.add([] if boots else [never_boots("web01-new")])
        await sweep_for(azure, 2)
        assert await azure.power(VM_ID) == "running"
        assert await azure.os_disk(VM_ID) in (("web01-old", "web01-new") if boots else ("web01-old",))
        assert "RefreshState" not in (await azure.vm(VM_ID))["tags"]
        assert azure.idle()

    play(story, FLEET)


@pytest.mark.parametrize("times", [1, 4])
def test_a_few_stale_reads_in_a_row_do_not_stop_a_vm_twice(times: int) -> None:
    """After the first write of the swap some reads are half a minute old: one stop, one success."""

    async def story(azure: LocalAzure) -> None:
        await lags(azure, 30, times=times)
        outcome = await outcome_of(azure)
        assert outcome["status"] == "succeeded", outcome
        await assert_well(azure, "web01-new", stops=1)

    play(story, FLEET)


def test_an_edit_that_a_stale_read_hides_is_found_by_the_sweep() -> None:
    """The look after the event reads the old tag; the sweep finds the new one."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([{"match": {"method": "GET", "path": "."}, "stale_s": 20}])
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.settled()
        azure.simulator.services.faults.clear()
        await sweep_for(azure, 1)
        assert [each["status"] for each in azure.outcomes()] == ["succeeded"]
        await assert_well(azure, "web01-new", stops=1)

    play(story, FLEET)
