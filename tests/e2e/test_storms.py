"""Thousands of events about VMs that need nothing: a person's edit among them, and a VM that is down, do not wait."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from refresh.domain.terms.intent_tag import write_intent_tag
from refresh.records.durable_names import swap_id
from tests.support.worlds.builders import SUBSCRIPTION, VM_ID
from tests.support.worlds.events import events_about, post_events
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body
from tests.support.worlds.month_world import vm_bodies, vm_id

STORM = 3000
NAMES = [f"vm{number:04}" for number in range(STORM)]
BEGUN_WITHIN_S = 5.0
QUIET_WITHIN_S = 60.0
# Reads of a batch of VMs that did not answer before end after 35 s.
UNREADABLE_DELAY_S = 40.0


def scenario() -> list[dict[str, Any]]:
    dull = [body for name in NAMES for body in vm_bodies(name, {"AutoRefresh": "true", "OsDiskName": f"{name}-old"})]
    return [vm_body(OsDiskName="web01-new"), disk_body("web01-new"), *dull]


@pytest.mark.parametrize("place", [STORM // 2, STORM])
def test_an_edit_in_a_storm_of_events_begins_at_once(place: int) -> None:
    """Wherever the edit is among 3,000 events about other VMs, its swap begins within 5 s; looks end within 60 s."""

    async def story(azure: LocalAzure) -> None:
        vms = [vm_id(name) for name in NAMES]
        vms.insert(place, VM_ID)
        began = azure.clock.time()
        await post_events(azure, events_about(vms))
        await azure.until(lambda: bool(azure.running_swaps()))
        assert azure.clock.time() - began <= BEGUN_WITHIN_S
        await azure.until(lambda: not any(azure.dispatcher_state().get(part) for part in ("look", "hints", "lists")))
        assert azure.clock.time() - began <= QUIET_WITHIN_S
        await azure.settled()
        assert [outcome["status"] for outcome in azure.outcomes()] == ["succeeded"]

    play(story, scenario(), events=False)


@pytest.mark.parametrize("by_event", [True, False])
def test_many_unreadable_vms_do_not_delay_an_edit(by_event: bool) -> None:  # a parameter of the test
    """150 VMs that Azure does not answer about, hinted at by events or by a sweep: an edit begins within 40 s."""
    names = [f"mute{number:03}" for number in range(150)]
    tags = {"AutoRefresh": "true", "OsDiskName": "next"}
    mute = [body for name in names for body in vm_bodies(name, tags)]

    async def story(azure: LocalAzure) -> None:
        match = {"method": "GET", "path": "/virtualMachines/mute"}
        azure.simulator.services.faults.add([{"match": match, "respond": {"status": 503}}])
        if by_event:
            await post_events(azure, events_about([vm_id(name) for name in names]))
        else:
            await azure.fire("sweep")
        await asyncio.sleep(20)  # in the middle of the looks at them
        began = azure.clock.time()
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: bool(azure.running_swaps()))
        assert azure.clock.time() - began <= UNREADABLE_DELAY_S

    play(story, [vm_body(), disk_body("web01-new"), *mute])


def test_a_vm_that_is_down_does_not_wait_behind_a_storm() -> None:
    """A sweep has a VM started that a swap has left down, although 3,000 other VMs have hints."""

    mark = write_intent_tag(swap_id(VM_ID, 1), was_running=True, old_disk="web01-old", new_disk="web01-new")
    down = vm_body(power="deallocated", OsDiskName="web01-new", RefreshState=mark)

    async def story(azure: LocalAzure) -> None:
        began = azure.clock.time()
        storm = asyncio.ensure_future(post_events(azure, events_about(map(vm_id, NAMES))))
        await azure.fire("sweep")
        await azure.until(lambda: bool(azure.running_swaps()))
        assert azure.clock.time() - began <= BEGUN_WITHIN_S
        await storm
        await azure.settled()
        assert await azure.power(VM_ID) == "running"

    play(story, [down, *scenario()[1:]], events=False)


def test_a_storm_about_another_subscription_reads_nothing_there() -> None:
    """Events about VMs that are not configured, however many, lead to no request about them."""
    elsewhere = "22222222-2222-2222-2222-222222222222"

    async def story(azure: LocalAzure) -> None:
        await post_events(azure, events_about(vm_id(name).replace(SUBSCRIPTION, elsewhere) for name in NAMES[:300]))
        await azure.settled()
        requests = azure.simulator.journal.to_json(azure.clock.now())["requests"]
        assert not [row for row in requests if elsewhere in row["path"]]
        assert not azure.dispatcher_state().get("lists")

    play(story, scenario()[:2], events=False)
