"""One subscription of three that cannot be read delays no VM of the others, and every answer names it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import pytest

from simulator.arm.core.store import Json
from tests.support.worlds.builders import GALLERY, SUBSCRIPTION, VERSION_ID, VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body
from tests.support.worlds.month_world import gallery_bodies, version_body, vm_bodies

SECOND = "22222222-2222-2222-2222-222222222222"
THIRD = "33333333-3333-3333-3333-333333333333"
ALL = (SUBSCRIPTION, SECOND, THIRD)
SETTINGS = {"REFRESH_SUBSCRIPTIONS": ",".join(ALL)}
DENIED = {
    "status": 403,
    "body": {"error": {"code": "AuthorizationFailed", "message": "The client does not have authorization to read."}},
}
FAULTS: dict[str, Json] = {
    "refused": {"respond": DENIED},
    "hanging": {"delay_s": 100_000},
    "broken": {"respond": {"status": 500}},
    "throttled": {"respond": {"status": 429, "headers": {"Retry-After": "3600"}}},
}


def lists(what: str, subscription: str = SECOND) -> dict[str, str]:
    return {"method": "GET", "path": f"/subscriptions/{subscription}/providers/Microsoft.Compute/{what}$"}


def moved(body: Json, subscription: str) -> Json:
    """The same resource in another subscription."""
    text: Json = {**body, "id": body["id"].replace(SUBSCRIPTION, subscription)}
    if "storageProfile" in text["properties"]:
        disk = text["properties"]["storageProfile"]["osDisk"]
        disk["managedDisk"]["id"] = disk["managedDisk"]["id"].replace(SUBSCRIPTION, subscription)
    return text


def vm_in(subscription: str) -> str:
    return VM_ID.replace(SUBSCRIPTION, subscription)


def fleet(tags: dict[str, str] | None = None) -> list[Json]:
    """One VM, its own disk and a free disk `web01-new` in each subscription."""
    return [
        moved(body, subscription)
        for subscription in ALL
        for body in (
            disk_body("web01-old"),
            disk_body("web01-new"),
            {**vm_body(), "tags": {"AutoRefresh": "true", **(tags or {})}},
        )
    ]


def months() -> list[Json]:
    """The same fleet with a gallery in the first subscription that has this month's version."""
    return [*gallery_bodies(), version_body(VERSION_ID), *fleet()]


def break_lists(azure: LocalAzure, kind: str, what: Sequence[str] = ("virtualMachines", "disks")) -> None:
    azure.simulator.services.faults.add([{"match": lists(one), **FAULTS[kind]} for one in what])


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("kind", FAULTS)
def test_a_sweep_finds_the_edits_of_every_other_subscription(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """With one of three subscriptions unreadable, the VMs of both others are swapped; the log names the one."""

    async def story(azure: LocalAzure) -> None:
        break_lists(azure, kind)
        await azure.fire("sweep")
        await azure.until(lambda: len(azure.outcomes()) == 2, within_s=300)
        assert {row["vm"].split("/")[2] for row in azure.outcomes()} == {SUBSCRIPTION, THIRD}
        await azure.until(lambda: any(SECOND in line for line in errors(caplog)), within_s=300)

    play(story, fleet({"OsDiskName": "web01-new"}), settings=SETTINGS, events=False)
    (line,) = [line for line in errors(caplog) if "sweep" in line]
    assert SECOND in line
    assert SUBSCRIPTION not in line
    assert THIRD not in line


@pytest.mark.parametrize("kind", ["refused", "hanging", "broken"])
def test_a_sweep_takes_the_time_from_any_answer(kind: str) -> None:
    """A sweep recovers claims and finds edits although ARM's clock cannot be read from any subscription."""

    async def story(azure: LocalAzure) -> None:
        match = {"method": "GET", "path": r"/subscriptions/[^/]+$"}
        azure.simulator.services.faults.add([{"match": match, **FAULTS[kind]}])
        await azure.fire("sweep")
        await azure.until(lambda: bool(azure.dispatcher_state().get("swept")), within_s=120)
        await azure.until(lambda: len(azure.outcomes()) == 3, within_s=600)

    play(story, fleet({"OsDiskName": "web01-new"}), settings=SETTINGS, events=False)


def test_a_sweep_recovers_before_it_waits_for_a_list() -> None:
    """A list that hangs does not delay `recover`, which starts VMs that are down."""

    async def story(azure: LocalAzure) -> None:
        for subscription in ALL:
            azure.simulator.services.faults.add([{"match": lists("virtualMachines", subscription), "delay_s": 100_000}])
        await azure.fire("sweep")
        await azure.until(lambda: bool(azure.dispatcher_state().get("swept")), within_s=10)

    play(story, fleet(), settings=SETTINGS, events=False)


def test_a_sweep_hints_at_vms_on_the_pages_before_one_that_fails() -> None:
    """Edits on the good pages of a list are found although a later page cannot be read."""
    count = 60

    async def story(azure: LocalAzure) -> None:
        first = {"method": "GET", "path": f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/virtualMachines$"}
        # The rule after the first page: a request that the first rule answers late and correctly counts as used.
        azure.simulator.services.faults.add(
            [{"match": first, "times": 1, "delay_s": 0.1}, {"match": first, "respond": DENIED}]
        )
        await azure.fire("sweep")
        await azure.until(lambda: len(azure.outcomes()) >= 1, within_s=600)

    names = [f"web{number:03}" for number in range(count)]
    bodies = [body for name in names for body in (disk_body(f"{name}-old"), vm_body(name, OsDiskName=f"{name}-new"))]
    bodies += [disk_body(f"{name}-new") for name in names]
    play(story, bodies, settings=SETTINGS, events=False)


@pytest.mark.parametrize("what", ["virtualMachines", "disks"])
@pytest.mark.parametrize("kind", FAULTS)
def test_the_list_of_vms_names_the_subscription_it_lacks(kind: str, what: str) -> None:
    """`GET /api/vms` lists VMs of readable subscriptions, and the unread one with the reason, within 200 seconds."""

    async def story(azure: LocalAzure) -> None:
        break_lists(azure, kind, (what,))
        began = azure.clock.time()
        status, page = await azure.api("GET", "/api/vms")
        assert azure.clock.time() - began < 200, "the Functions front end gives up after 230 seconds"
        assert status == 200
        assert {row["vm"].split("/")[2] for row in page["value"]} == {SUBSCRIPTION, THIRD}
        (unread,) = page["unread"]
        assert unread["subscription"] == SECOND
        assert unread["message"]

    play(story, fleet({"OsDiskName": "web01-new"}), settings=SETTINGS, events=False)


def test_a_list_that_is_complete_names_no_subscription() -> None:
    """`unread` is empty when every subscription was read."""

    async def story(azure: LocalAzure) -> None:
        status, page = await azure.api("GET", "/api/vms")
        assert (status, len(page["value"]), page["unread"]) == (200, 3, [])

    play(story, fleet(), settings=SETTINGS, events=False)


async def run_month(azure: LocalAzure, path: str, body: dict[str, Any]) -> dict[str, Any]:
    status, started = await azure.api("POST", path, body)
    assert status == 202, started

    async def ended() -> bool:
        return (await azure.api("GET", started["href"]))[1]["status"] not in ("running", "pending")

    await azure.until(ended, within_s=7200)
    return dict((await azure.api("GET", started["href"]))[1])


@pytest.mark.parametrize("path", ["/api/disks", "/api/refresh"])
@pytest.mark.parametrize("graph", ["silent", "down"])
def test_a_month_does_the_readable_subscriptions_and_names_the_other(path: str, graph: str) -> None:
    """Disks are made where VMs could be listed; the run fails with one row that names the unread subscription.

    Resource Graph leaves out subscriptions that it may not read without an error, or does not answer at all.
    """

    async def story(azure: LocalAzure) -> None:
        if graph == "down":
            match = {"path": "/providers/Microsoft.ResourceGraph/resources"}
            azure.simulator.services.faults.add([{"match": match, "respond": {"status": 503}}])
        else:
            scopes = [f"/subscriptions/{subscription}" for subscription in (SUBSCRIPTION, THIRD)]
            azure.simulator.roles.replace([{"scope": scope, "actions": ["*"]} for scope in scopes])
        break_lists(azure, "refused")
        run = await run_month(azure, path, {"all": True, "period": "202611"})
        rows = {row["vm"]: row for row in run["vms"]}
        assert run["status"] == "failed"
        assert rows[vm_in(SUBSCRIPTION)]["reason"] == "made"
        assert rows[vm_in(THIRD)]["reason"] in ("made", "no-version")
        missing = rows[f"/subscriptions/{SECOND}"]
        assert (missing["decision"], missing["reason"]) == ("failed", "not-read")
        assert "AuthorizationFailed" in missing["message"]
        assert vm_in(SECOND) not in rows

    play(story, months(), settings=SETTINGS, events=False)


def test_images_are_built_for_the_vms_that_could_be_listed() -> None:
    """The month's version is made although one subscription is unread; a row names the subscription."""

    async def story(azure: LocalAzure) -> None:
        break_lists(azure, "refused")
        run = await run_month(azure, "/api/images", {"period": "202611"})
        rows = {row["definition"]: row for row in run["images"]}
        assert rows[f"/subscriptions/{SECOND}"]["reason"] == "not-read"
        assert rows[f"{GALLERY}/images/ubuntu"]["reason"] in ("made", "kept", "not-proven")

    play(story, [*gallery_bodies(), *fleet()], settings=SETTINGS, events=False)


def test_a_gallery_that_cannot_be_read_stops_only_vms_that_may_need_it() -> None:
    """A VM whose disk is from a readable gallery gets its disk; one without a gallery's disk has the row `not-read`."""
    other = f"{GALLERY}2"

    async def story(azure: LocalAzure) -> None:
        match = {"method": "GET", "path": f"{other}/images$"}
        azure.simulator.services.faults.add([{"match": match, "respond": DENIED}])
        run = await run_month(azure, "/api/disks", {"all": True, "period": "202612"})
        rows = {row["vm"].rsplit("/", 1)[-1]: row for row in run["vms"]}
        assert rows["web01"]["reason"] == "made"
        assert rows["web02"]["reason"] == "not-read"
        assert "gallery gal2" in rows["web02"]["message"]

    vms = [*vm_bodies("web01", version=VERSION_ID), *vm_bodies("web02")]
    galleries = [*gallery_bodies(), version_body(VERSION_ID), {"id": other, "location": "westeurope"}]
    play(story, [*galleries, *vms], settings={"REFRESH_GALLERIES": f"{GALLERY},{other}"}, events=False)


@pytest.mark.parametrize("path", ["/api/disks", "/api/refresh", "/api/swap"])
def test_a_dry_run_names_the_unread_subscription(path: str) -> None:
    """A plan for all VMs has those that could be listed, and the subscription that could not."""

    async def story(azure: LocalAzure) -> None:
        break_lists(azure, "refused")
        match = {"path": "/providers/Microsoft.ResourceGraph/resources"}
        azure.simulator.services.faults.add([{"match": match, "respond": {"status": 503}}])
        status, page = await azure.api("POST", path, {"all": True, "dryRun": True})
        assert status == 200, page
        assert {row["vm"].split("/")[2] for row in page["plan"]} == {SUBSCRIPTION, THIRD}
        assert [row["subscription"] for row in page["unread"]] == [SECOND]

    play(story, months(), settings=SETTINGS, events=False)


def test_swaps_of_all_vms_name_the_unread_subscription() -> None:
    """The 202 of swaps for all VMs names the subscription whose VMs are not among them."""

    async def story(azure: LocalAzure) -> None:
        break_lists(azure, "refused")
        match = {"path": "/providers/Microsoft.ResourceGraph/resources"}
        azure.simulator.services.faults.add([{"match": match, "respond": {"status": 503}}])
        status, page = await azure.api("POST", "/api/swap", {"all": True})
        assert status == 202, page
        assert [row["subscription"] for row in page["unread"]] == [SECOND]

    play(story, fleet(), settings=SETTINGS, events=False)


def test_a_full_id_is_found_beside_an_unread_subscription() -> None:
    """Full ids of readable subscriptions are accepted; a name could also be of the unread one and is not."""

    async def story(azure: LocalAzure) -> None:
        break_lists(azure, "refused")
        ids = [VM_ID.replace("web01", f"web{number:03}") for number in range(25)]
        status, page = await azure.api("POST", "/api/swap", {"vms": ids, "dryRun": True})
        assert status == 200, page
        status, page = await azure.api("POST", "/api/swap", {"vms": ["web000"], "dryRun": True})
        assert status >= 400
        assert SECOND in page["detail"]

    names = [f"web{number:03}" for number in range(25)]
    bodies = [body for name in names for body in (disk_body(f"{name}-old"), vm_body(name))]
    play(story, bodies, settings=SETTINGS, events=False)


def test_orphans_are_listed_without_the_unread_subscription() -> None:
    """`GET /api/orphans` names the subscription whose disks it could not list."""

    async def story(azure: LocalAzure) -> None:
        break_lists(azure, "refused")
        status, page = await azure.api("GET", "/api/orphans")
        assert status == 200, page
        assert [row["subscription"] for row in page["unread"]] == [SECOND]

    play(story, months(), settings=SETTINGS, events=False)


def test_retention_deletes_nothing_and_names_the_unread_subscription() -> None:
    """An unread VM's tag could name any disk, so nothing is deleted; the message names the subscription."""

    async def story(azure: LocalAzure) -> None:
        break_lists(azure, "refused")
        status, page = await azure.api("POST", "/api/retention", {"dryRun": True})
        assert SECOND in str(page), (status, page)

    play(story, months(), settings=SETTINGS, events=False)
