"""A refusal that every sweep finds again is announced once, until something about the VM has changed."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import Any

import pytest

from refresh.domain.terms.resource_id import id_hash
from tests.e2e.test_preflight import pair, vm_id
from tests.support.worlds.builders import VM_ID
from tests.support.worlds.local_azure import LocalAzure, play, vm_body

type Json = dict[str, Any]


def refuse_tags(azure: LocalAzure, code: str, name: str = "web01") -> None:
    failure = {"code": code, "message": f"refused by {code}"}
    azure.simulator.services.faults.add([{"match": {"operation": "tags", "resource": f"*{name}"}, "fail": failure}])


async def sweep(azure: LocalAzure, times: int = 1) -> None:
    for _ in range(times):
        await asyncio.sleep(300)
        await azure.fire("sweep")
        await azure.settled()


def events(azure: LocalAzure) -> list[str]:
    return [row["event"]["type"].removeprefix("refresh.swap.") for row in azure.simulator.published()]


def lines(caplog: pytest.LogCaptureFixture, start: str) -> list[str]:
    return [text for record in caplog.records if (text := record.getMessage()).startswith(start)]


def outcome_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [line for line in lines(caplog, "outcome {") if '"status": "refused"' in line]


@pytest.mark.parametrize("code", ["RequestDisallowedByPolicy", "TooManyTags", "InvalidTagValueLength"])
@pytest.mark.parametrize("notice_s", ["0", "600"])
def test_tags_that_azure_refuses_are_announced_once(code: str, notice_s: str, caplog: pytest.LogCaptureFixture) -> None:
    """Every sweep tries again without a word; when the cause is cured the swap has its notice and is made."""
    caplog.set_level(logging.INFO)

    async def story(azure: LocalAzure) -> None:
        refuse_tags(azure, code)
        await sweep(azure, 4)
        assert events(azure) == ["starting", "refused"]
        assert len(outcome_lines(caplog)) == 1
        assert [row["status"] for row in azure.dispatcher_state()["finished"]] == ["refused"]
        assert azure.journal(VM_ID)["stops"] == 0
        azure.simulator.services.faults.clear()
        await sweep(azure)
        assert events(azure) == ["starting", "refused", "starting", "succeeded"]
        found = (await azure.vm(VM_ID))["tags"]
        assert found == {"AutoRefresh": "true", "OsDiskName": "web01-new", "OsDiskPrevious": "web01-old"}

    play(story, pair("web01"), settings={"REFRESH_NOTICE_S": notice_s}, events=False)


@pytest.mark.parametrize("change", ["tag", "wish", "other reason"])
def test_a_refusal_is_announced_again_when_something_has_changed(change: str) -> None:
    """Another tag of the VM, another wish, another reason; then once more only once."""

    async def story(azure: LocalAzure) -> None:
        refuse_tags(azure, "RequestDisallowedByPolicy")
        await sweep(azure, 2)
        assert events(azure) == ["starting", "refused"]
        azure.simulator.services.faults.clear()
        if change == "tag":
            await azure.tag(VM_ID, CostCenter="4711")
        if change == "wish":
            await azure.tag(VM_ID, OsDiskName="other")
        refuse_tags(azure, "ScopeLocked" if change == "other reason" else "RequestDisallowedByPolicy")
        await sweep(azure, 3)
        started = [] if change == "other reason" else ["starting"]
        assert events(azure) == ["starting", "refused", *started, "refused"]

    fleet = pair("web01")
    other = {**fleet[1], "id": fleet[1]["id"].replace("web01-new", "other")}
    play(story, [*fleet, other], events=False)


def test_a_wish_that_was_withdrawn_and_comes_back_is_announced_again() -> None:
    """The tags are the same as at the first refusal, and have changed twice since."""

    async def story(azure: LocalAzure) -> None:
        refuse_tags(azure, "RequestDisallowedByPolicy")
        await sweep(azure, 2)
        for wish in ("web01-old", "web01-new"):
            azure.simulator.services.faults.clear()
            await azure.tag(VM_ID, OsDiskName=wish)
            refuse_tags(azure, "RequestDisallowedByPolicy")
            await azure.settled()
            await sweep(azure)
        assert events(azure) == ["starting", "refused", "starting", "refused"]

    play(story, pair("web01"))


def test_refusals_of_many_vms_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """More VMs than the dispatcher's state remembers decisions of: each refusal is logged once all the same."""
    caplog.set_level(logging.INFO)
    names = [f"vm{number:03}" for number in range(230)]

    async def story(azure: LocalAzure) -> None:
        await sweep(azure, 3)
        logged = Counter(line.split(":")[0] for line in lines(caplog, "refuse "))
        assert logged == {f"refuse {vm_id(name)}": 1 for name in names}
        await azure.tag(vm_id(names[0]), OsDiskName="other-missing")
        await sweep(azure)
        logged = Counter(line.split(":")[0] for line in lines(caplog, "refuse "))
        assert logged[f"refuse {vm_id(names[0])}"] == 2
        assert sum(logged.values()) == len(names) + 1

    play(story, [vm_body(name, OsDiskName="missing") for name in names], events=False)


def test_a_lost_swap_is_logged_once_although_its_mark_cannot_be_removed(caplog: pytest.LogCaptureFixture) -> None:
    """A policy that refuses every tag write keeps `RefreshState` on the VM."""
    caplog.set_level(logging.INFO)

    async def story(azure: LocalAzure) -> None:
        refuse_tags(azure, "RequestDisallowedByPolicy")
        await sweep(azure, 4)
        assert len(lines(caplog, "lost ")) == 1

    mark = f"run=swap-{id_hash(VM_ID)}-3;ran=yes;from=web01-older;to=web01-old;step=swap"
    play(story, [vm_body(RefreshState=mark)], events=False)


@pytest.mark.parametrize("count", [46, 47])
def test_plans_and_lists_foresee_the_limit_of_tags(count: int) -> None:
    """With two tags of its own among 50 the VM has room for two more; a rollback needs no more than that."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([{"disk": "web01-new", "boots": False}])
        expected = ("swap", "wanted") if count == 46 else ("refuse", "tag-limit")
        _, answer = await azure.api("POST", "/api/swap", {"vms": ["web01"], "dryRun": True})
        _, listed = await azure.api("GET", "/api/vms")
        _, one = await azure.api("GET", "/api/vms?vm=web01")
        for row in (answer["plan"][0], listed["value"][0], one):
            assert (row["decision"], row["reason"]) == expected, row
        await sweep(azure, 3)
        tags = (await azure.vm(VM_ID))["tags"]
        if count == 46:
            assert events(azure) == ["starting", "rolled-back"]
            assert (tags["OsDiskName"], tags["OsDiskRejected"]) == ("web01-old", "web01-new")
        else:
            assert "51 tags" in one["message"]
            assert (events(azure), len(tags)) == ([], 49)

    play(story, pair("web01", vm={"tags": {f"team{number}": "x" for number in range(count)}}), events=False)


def test_a_plan_that_writes_the_wish_counts_it() -> None:
    """A dry run for a disk adds `OsDiskName` to the VM's tags."""

    async def story(azure: LocalAzure) -> None:
        _, answer = await azure.api("POST", "/api/swap", {"vms": ["web01"], "disk": "web01-new", "dryRun": True})
        assert answer["plan"][0]["reason"] == "tag-limit", answer

    vm, disk = pair("web01", vm={"tags": {f"team{number}": "x" for number in range(47)}})
    del vm["tags"]["OsDiskName"]
    play(story, [vm, disk], events=False)


def test_what_was_announced_as_starting_is_announced_as_over() -> None:
    """Azure accepts the tags before the notice and refuses them after it, as it did before."""

    async def story(azure: LocalAzure) -> None:
        refuse_tags(azure, "RequestDisallowedByPolicy")
        await sweep(azure)
        azure.simulator.services.faults.clear()
        await asyncio.sleep(300)
        await azure.fire("sweep")
        await azure.until(lambda: events(azure).count("starting") == 2)
        refuse_tags(azure, "RequestDisallowedByPolicy")
        await azure.settled()
        assert events(azure) == ["starting", "refused", "starting", "refused"]

    play(story, pair("web01"), settings={"REFRESH_NOTICE_S": "600"}, events=False)
