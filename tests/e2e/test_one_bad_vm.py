"""One VM, or one event, that no code expects: it has a row with the fault, and the swaps of the others end."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from refresh.domain.azure.vms import Vm
from refresh.reading.swap import facts, preflight_facts
from refresh.views import vms as views
from tests.support.worlds.builders import GROUP, VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body
from tests.support.worlds.month_world import gallery_bodies

TYPE = "Microsoft.Resources.ResourceWriteSuccess"
HALF = "\ud800"
BAD = VM_ID.replace("web01", "bad01")
LOST_GROUP = VM_ID.replace("/rg-app/", f"/rg{HALF}/")
SCENARIO = [
    vm_body(),
    disk_body("web01-new"),
    vm_body("bad01"),
    disk_body("bad01-old"),
    disk_body("bad01-new"),
    *gallery_bodies(),
]


async def send(azure: LocalAzure, *vms: str) -> None:
    """Event Grid's message about writes to `vms`."""
    url = f"{azure.functions}/runtime/webhooks/eventgrid?functionName=on_resource_write"
    events = [
        {"id": f"e{HALF}{index}", "topic": "/", "subject": vm, "eventType": TYPE, "dataVersion": "2",
         "eventTime": "2026-11-21T10:00:00Z", "metadataVersion": "1",
         "data": {"operationName": "Microsoft.Resources/tags/write", "resourceUri": vm}}
        for index, vm in enumerate(vms)
    ]  # fmt: skip
    async with azure.http.post(url, data=json.dumps(events), headers={"aeg-event-type": "Notification"}) as answer:
        assert answer.status == 202, await answer.text()


async def sweep(azure: LocalAzure) -> None:
    """One sweep and all that follows from it."""
    await azure.fire("sweep")
    await azure.settled()


async def rows(azure: LocalAzure) -> dict[str, Any]:
    """The rows of `GET vms`, by the VM's name."""
    status, answer = await azure.api("GET", "/api/vms")
    assert status == 200, answer
    return {str(row["vm"]).rsplit("/", 1)[-1]: row for row in answer["value"]}


@contextmanager
def failing(place: Any, name: str, about: Callable[..., bool]) -> Iterator[None]:
    """Have a function of the app raise what no code expects, where `about` is true of its arguments."""
    whole = getattr(place, name)

    def broken(*args: Any, **kwargs: Any) -> Any:
        if about(*args):
            raise ZeroDivisionError("the app has a fault")
        return whole(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(place, name, broken)
        yield


def is_bad(vm: Vm, *_: object) -> bool:
    return vm.name == "bad01"


def test_events_that_cannot_be_encoded_stop_no_look(caplog: pytest.LogCaptureFixture) -> None:
    """An event with half a surrogate pair, NUL or 10 MB as the VM's id is one log line; the next VM is swapped."""

    async def story(azure: LocalAzure) -> None:
        await send(azure, LOST_GROUP, f"{VM_ID}\0", VM_ID + HALF, VM_ID + "x" * 10_000_000, HALF)
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await send(azure, LOST_GROUP, VM_ID)
        await azure.settled()
        assert await azure.os_disk(VM_ID) == "web01-new"
        for record in caplog.records:
            record.getMessage().encode()

    caplog.set_level(logging.INFO)
    play(story, SCENARIO, events=False)


def test_tags_that_cannot_be_encoded_are_one_refused_row() -> None:
    """Half a surrogate pair in each tag of one VM: the other VMs of its look are swapped, lists and dry runs answer."""
    named = ("OsDiskName", "OsDiskPrevious", "RefreshState", "RefreshImage", "OsDiskRejected")
    hostile = dict.fromkeys(named, f"x{HALF}")

    async def story(azure: LocalAzure) -> None:
        await azure.tag(BAD, **hostile, **{f"own{HALF}": "x"})
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await send(azure, BAD, VM_ID)
        await azure.settled()
        assert await azure.os_disk(VM_ID) == "web01-new"
        found = await rows(azure)
        assert (found["bad01"]["decision"], found["bad01"]["reason"]) == ("refuse", "bad-wish")
        assert found["web01"]["reason"] == "already-there"
        for path in ("swap", "rollback", "refresh", "disks", "tags"):
            status, plan = await azure.api("POST", f"/api/{path}", {"vms": ["web01", "bad01"], "dryRun": True})
            assert status == 200, plan
            assert len(plan["plan"]) == 2
        status, plan = await azure.api("POST", "/api/retention", {"dryRun": True})
        assert status == 200, plan

    play(story, SCENARIO, events=False)


def test_a_vm_on_which_the_app_fails_is_refused_three_times_and_taken_out(caplog: pytest.LogCaptureFixture) -> None:
    """An exception about one VM is its refused row: others are swapped; sweeps leave it after three looks, a person's
    edit has it looked at again."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(BAD, OsDiskName="bad01-new")
        await azure.tag(VM_ID, OsDiskName="web01-new")
        with failing(facts, "choose_wish", is_bad), failing(preflight_facts, "choose_wish", is_bad):
            for _ in range(5):
                await sweep(azure)
            assert await azure.os_disk(VM_ID) == "web01-new"
            found = await rows(azure)
            assert (found["bad01"]["decision"], found["bad01"]["reason"]) == ("refuse", "app-failed")
            assert found["web01"]["reason"] == "already-there"
            status, plan = await azure.api("POST", "/api/swap", {"vms": ["bad01", "web01"], "dryRun": True})
            assert (status, [row["reason"] for row in plan["plan"]]) == (200, ["app-failed", "already-there"])
            status, row = await azure.api("GET", "/api/vms?vm=bad01")
            assert (status, row["reason"]) == (200, "app-failed")
        loud = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
        assert len([line for line in loud if line.startswith("broken ")]) == 3
        assert len([line for line in loud if line.startswith("taken out ")]) == 1
        assert len([line for line in loud if line.startswith("unexpected error about ")]) >= 3
        state = azure.dispatcher_state()
        assert [row["vm"] for row in state["bad"]] == [BAD]
        # The fault is gone, and a person writes the tag again.
        await send(azure, BAD)
        await azure.settled()
        assert await azure.os_disk(BAD) == "bad01-new"
        assert not azure.dispatcher_state().get("broken")

    caplog.set_level(logging.INFO)
    play(story, SCENARIO, events=False)


def test_a_vm_whose_row_cannot_be_made_is_one_row_of_the_list() -> None:
    """Where the record of one VM raises, lists and plans have a row with the fault for it and the others' own rows."""

    async def story(azure: LocalAzure) -> None:
        with failing(views, "previous_text", is_bad):
            found = await rows(azure)
            assert {name: row["reason"] for name, row in found.items()} == {"bad01": "app-failed", "web01": "no-wish"}
            status, plan = await azure.api("POST", "/api/swap", {"vms": ["bad01", "web01"], "dryRun": True})
            assert (status, [row["reason"] for row in plan["plan"]]) == (200, ["app-failed", "no-wish"])

    play(story, SCENARIO, events=False)


def test_a_listed_vm_of_a_strange_shape_does_not_hide_the_others() -> None:
    """A list in which one VM has fields of wrong types has a row for each VM, and a sweep still finds the others."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        listed = await azure.arm(
            "GET", f"{GROUP.split('/resourceGroups')[0]}/providers/Microsoft.Compute/virtualMachines"
        )
        for body in listed["value"]:
            if body["name"] == "bad01":
                body |= {
                    "resources": 0,
                    "zones": 7,
                    "name": None,
                    "location": [HALF],
                    "properties": {"storageProfile": 5},
                }
        rule = {
            "match": {"method": "GET", "path": "/subscriptions/[^/]+/providers/Microsoft.Compute/virtualMachines$"},
            "times": 100,
            "respond": {"status": 200, "body": listed},
        }
        azure.simulator.services.faults.add([rule])
        await sweep(azure)
        assert await azure.os_disk(VM_ID) == "web01-new"
        found = await rows(azure)
        assert set(found) == {"bad01", "web01"}

    play(story, SCENARIO, events=False)
