"""A guest that reboots itself during a swap, for example at its first boot from the new disk."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.worlds.builders import VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body
from tests.support.worlds.swap_world import assert_well, has_evidence, runs_on, swapped

BOOTS = {"disk": "web01-new", "boots": True, "takes_s": 40}


def fleet(*, agent: bool, probe: bool, **disk: Any) -> list[dict[str, Any]]:
    """`web01` with an agent, a probe or both, and a new disk with scenario keys."""
    vm = vm_body(agent=agent, **({"RefreshProbe": "tcp:22"} if probe else {}))
    return [{**vm, "_listens": [22]}, {**disk_body("web01-new"), **disk}]


@pytest.mark.parametrize("after_s", [15, 60])
@pytest.mark.parametrize(("agent", "probe"), [(True, False), (True, True), (False, True)])
def test_a_guest_that_reboots_at_its_first_boot_is_proved(agent: bool, probe: bool, after_s: float) -> None:
    """Before or after its first sign of life, the reboot costs time and no second stop; the guest proves the disk."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([BOOTS])
        outcome = await swapped(azure)
        assert (outcome["status"], outcome["message"]) == ("succeeded", "runs disk web01-new, proved by its guest")
        assert has_evidence(outcome, "probe" if probe else "agent")
        await asyncio.sleep(120)
        await assert_well(azure, "web01-new", stops=1)

    play(story, fleet(agent=agent, probe=probe, _reboots_after_s=after_s))


def test_a_guest_that_reboots_again_and_again_is_put_back() -> None:
    """A guest that never gets to its first report is unhealthy after the health time, and the old disk runs."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([{**BOOTS, "reboots_after_s": 30}])
        outcome = await swapped(azure)
        assert (outcome["status"], outcome["reason"]) == ("rolled-back", "unhealthy"), outcome
        assert "agent: not ready" in outcome["message"]
        await assert_well(azure, "web01-old", stops=2)

    play(story, fleet(agent=True, probe=False))


def test_a_reboot_of_the_old_guest_does_not_matter() -> None:
    """A guest that reboots itself just before the stop is stopped, swapped and proved as usual."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.put_resources([{"id": VM_ID, "_reboots_after_s": 5}])
        await asyncio.sleep(10)
        outcome = await swapped(azure)
        assert outcome["status"] == "succeeded", outcome
        await assert_well(azure, "web01-new", stops=1)

    play(story, fleet(agent=True, probe=True))


def test_a_reboot_after_the_proof_changes_nothing() -> None:
    """A guest that reboots itself after its swap has ended is neither stopped nor swapped again."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await runs_on(azure, "web01-new")
        await azure.settled()
        azure.simulator.put_resources([{"id": VM_ID, "_reboots_after_s": 5}])
        await asyncio.sleep(20)
        await azure.fire("sweep")
        await azure.settled()
        assert [each["status"] for each in azure.outcomes()] == ["succeeded"]
        await assert_well(azure, "web01-new", stops=1)

    play(story, fleet(agent=True, probe=True))
