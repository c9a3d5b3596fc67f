"""Reads of one VM, one list or one subscription that have no answer, or an odd one, while another VM is down."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from refresh.domain.terms.intent_tag import write_intent_tag
from refresh.records.durable_names import swap_id
from simulator.arm.core.messages import Answer
from tests.support.worlds.builders import SUBSCRIPTION, VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body
from tests.support.worlds.mixed_fleet import SETTINGS as TWO_SUBSCRIPTIONS
from tests.support.worlds.mixed_fleet import fleet, machine
from tests.support.worlds.swap_world import power_is
from tests.support.worlds.three_subscriptions import SECOND

FLEET = [vm_body(), disk_body("web01-old"), disk_body("web01-new")]
GONE = {"status": 404, "body": {"error": {"code": "ResourceNotFound", "message": "planned"}}}


def unanswered(path: str, **outcome: Any) -> dict[str, Any]:
    return {"match": {"method": "GET", "path": path}, **(outcome or {"delay_s": 100_000})}


@pytest.mark.parametrize("path", [f"{machine('web02').id}$", f"{machine('web02').disk('new')}$"])
def test_a_vm_that_is_down_is_started_beside_one_without_an_answer(path: str) -> None:
    """The look that reads both is over within seconds, and its answer has the reason for the unread VM."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([unanswered(path)])
        await azure.fire("sweep")
        down = [machine(name).id for name in ("down01", "down02")]
        await azure.until(lambda: all(azure.simulator.operations.of(vm) for vm in down), within_s=20)
        await azure.settled()
        assert azure.journal(machine("web02").id)["stops"] == 0

    play(story, fleet(), settings=TWO_SUBSCRIPTIONS, events=False)


def test_a_vm_that_is_down_is_started_beside_one_whose_tag_cannot_be_removed() -> None:
    """A leftover tag whose removal has no answer delays the next look by seconds."""
    mark = write_intent_tag(swap_id(VM_ID, 1), was_running=True, old_disk="web01-old", new_disk="web01-new")

    async def story(azure: LocalAzure) -> None:
        hang = {"match": {"method": "PATCH", "path": f"{VM_ID}/.*/tags/default$"}, "delay_s": 100_000}
        azure.simulator.services.faults.add([hang])
        await azure.tag(f"{VM_ID.replace('web01', 'other')}", OsDiskName="no-such-disk")
        azure.simulator.put_resources([{"id": VM_ID, "tags": {"AutoRefresh": "true", "RefreshState": mark}}])
        await azure.fire("sweep")
        await azure.until(lambda: bool(azure.dispatcher_state().get("look")))
        azure.simulator.put_resources(fleet())
        await azure.fire("sweep")
        await azure.until(lambda: bool(azure.simulator.operations.of(machine("down01").id)), within_s=30)

    play(story, [*FLEET, vm_body("other")], settings=TWO_SUBSCRIPTIONS, events=False)


def test_a_leftover_tag_that_comes_back_is_not_removed_again_at_once() -> None:
    """A policy that writes the tag again after each removal does not keep the app busy with its own events."""

    async def story(azure: LocalAzure) -> None:
        def change(method: str, path: str, answer: Answer) -> None:
            if method == "GET" and path.lower() == VM_ID.lower():
                answer.body = {**answer.body, "tags": {"AutoRefresh": "true", "RefreshState": "left"}}

        azure.simulator.services.on_answer.append(change)
        await azure.tag(VM_ID, owner="again")
        await azure.settled(within_s=60)
        writes = [row for row in azure.simulator.journal.requests if row["path"].endswith("/tags/default")]
        assert len([row for row in writes if row["method"] != "GET"]) <= 3

    play(story, FLEET)


def test_vms_behind_those_without_an_answer_are_decided_in_the_next_batch() -> None:
    """With 30 of 40 VMs unreadable, the others are swapped all the same."""
    names = [f"bad{number:02}" for number in range(30)] + [f"web{number:02}" for number in range(10)]

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([unanswered("/virtualMachines/bad..$")])
        await azure.fire("sweep")
        await azure.until(lambda: len(azure.outcomes()) == 10, within_s=600)

    bodies = [[vm_body(name, OsDiskName=f"{name}-new"), disk_body(f"{name}-new")] for name in names]
    play(story, [one for both in bodies for one in both], events=False)


def test_a_sweep_does_not_wait_for_a_clock_without_an_answer() -> None:
    """With one of two subscriptions silent, the VM of the other that is down is started within seconds."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([unanswered(f"^/subscriptions/{SUBSCRIPTION}(/|$)")])
        await azure.fire("sweep")
        await azure.until(lambda: any(azure.simulator.operations.of(machine("down02").id)), within_s=20)

    play(story, fleet(), settings=TWO_SUBSCRIPTIONS, events=False)


def test_an_impossible_date_does_not_become_the_time() -> None:
    """A sweep whose clock is read as the year 9999 uses another answer's Date, and later sweeps still recover."""

    async def story(azure: LocalAzure) -> None:
        def change(method: str, path: str, answer: Answer) -> None:
            if path == f"/subscriptions/{SUBSCRIPTION}":
                answer.headers["Date"] = "Fri, 31 Dec 9999 23:59:59 GMT"

        azure.simulator.services.on_answer.append(change)
        await azure.fire("sweep")
        await azure.settled()
        assert azure.dispatcher_state()["swept"].startswith("2026-")

    play(story, FLEET, events=False)


def test_the_list_of_vms_is_complete_in_time_with_a_silent_subscription() -> None:
    """`GET /api/vms` answers before the Functions front end gives up, galleries and clock unread as well."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([unanswered(f"^/subscriptions/{SUBSCRIPTION}(/|$)")])
        began_s = azure.clock.time()
        status, page = await azure.api("GET", "/api/vms")
        assert azure.clock.time() - began_s < 200
        assert (status, [row["subscription"] for row in page["unread"]]) == (200, [SUBSCRIPTION])
        assert {row["vm"].split("/")[2] for row in page["value"]} == {SECOND}

    play(story, fleet(), settings=TWO_SUBSCRIPTIONS, events=False)


@pytest.mark.parametrize("moment", ["deallocating", "deallocated", "starting"])
def test_a_stopped_vm_that_is_not_found_for_some_seconds_is_not_given_up(moment: str) -> None:
    """A front end of ARM that lags behind answers 404 for a VM that exists: its swap goes on."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await power_is(azure, moment)
        azure.simulator.services.faults.add([unanswered(f"{VM_ID}$", respond=GONE, times=3)])
        await azure.settled()
        assert [row["status"] for row in azure.outcomes()] == ["succeeded"]

    play(story, FLEET)


@pytest.mark.parametrize("answer", [GONE, {"status": 404}, {"status": 404, "body": "<html>no such page</html>"}])
def test_a_stopped_vm_that_is_found_again_runs_again(answer: dict[str, Any]) -> None:
    """A VM that the app has stopped and then did not find for ten minutes is started when it is there again."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await power_is(azure, "deallocated")
        faults = azure.simulator.services.faults
        faults.add([unanswered(f"{VM_ID}$", respond=answer, times=1000)])
        began_s = azure.clock.time()
        await azure.until(lambda: azure.clock.time() > began_s + 600)
        faults.clear()
        for _ in range(3):
            await azure.fire("sweep")
            await azure.settled()
        assert await azure.power(VM_ID) == "running"
        assert "RefreshState" not in (await azure.vm(VM_ID))["tags"]

    play(story, FLEET)


def test_rows_without_an_id_hide_no_vm_and_keep_every_disk(caplog: pytest.LogCaptureFixture) -> None:
    """Beside a row without an id, the sweep, the list of VMs and the swaps have all others; retention does nothing."""

    async def story(azure: LocalAzure) -> None:
        def change(method: str, path: str, answer: Answer) -> None:
            if path.lower().endswith(("/virtualmachines", "/disks")) and isinstance(answer.body, dict):
                answer.body["value"] = [{"tags": {"AutoRefresh": "true"}}, *answer.body["value"], {"id": ""}]

        azure.simulator.services.on_answer.append(change)
        await azure.fire("sweep")
        await azure.settled()
        assert await azure.os_disk(VM_ID) == "web01-new"
        status, page = await azure.api("GET", "/api/vms")
        assert (status, [row["vm"] for row in page["value"]], page["unread"]) == (200, [VM_ID], [])
        status, page = await azure.api("GET", "/api/vms?vm=web01")
        assert (status, page["reason"]) == (200, "already-there")
        status, page = await azure.api("POST", "/api/retention", {"dryRun": True})
        assert status >= 400 or "no id" in str(page), page

    play(story, [vm_body(OsDiskName="web01-new"), *FLEET[1:]], events=False)
    errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert any("no id" in line and SUBSCRIPTION in line for line in errors)
