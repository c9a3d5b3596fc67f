"""Thousands of events about VMs that need nothing: a person's edit among them, and a VM that is down, do not wait."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.worlds.builders import VM_ID
from tests.support.worlds.events import events_about, post_events
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body
from tests.support.worlds.month_world import vm_bodies, vm_id

STORM = 3000
NAMES = [f"vm{number:04}" for number in range(STORM)]
BEGUN_WITHIN_S = 5.0
QUIET_WITHIN_S = 60.0


def scenario() -> list[dict[str, Any]]:
    dull = [body for name in NAMES for body in vm_bodies(name, {"AutoRefresh": "true", "OsDiskName": f"{name}-old"})]
    return [vm_body(OsDiskName="web01-new"), disk_body("web01-new"), *dull]


@pytest.mark.parametrize("place", [0, STORM // 2, STORM])
def test_an_edit_in_a_storm_of_events_begins_at_once(place: int) -> None:
    """Wherever the edit is among 3,000 events about other VMs, its swap begins within 5 s; looks end within 60 s."""

    async def story(azure: LocalAzure) -> None:
        vms = [vm_id(name) for name in NAMES]
        vms.insert(place, VM_ID)
        began = azure.clock.time()
        await post_events(azure, events_about(vms))
        await azure.until(lambda: bool(azure.running_swaps()))
        assert azure.clock.time() - began <= BEGUN_WITHIN_S
        await azure.until(lambda: not azure.dispatcher_state().get("look") and not azure.dispatcher_state()["hints"])
        assert azure.clock.time() - began <= QUIET_WITHIN_S
        await azure.settled()
        assert [outcome["status"] for outcome in azure.outcomes()] == ["succeeded"]

    play(story, scenario(), events=False)
