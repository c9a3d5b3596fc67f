"""Plans and months name the subscription that cannot be read, and do the rest."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.worlds.builders import GALLERY, SUBSCRIPTION, VERSION_ID
from tests.support.worlds.local_azure import LocalAzure, play
from tests.support.worlds.month_world import gallery_bodies, version_body, vm_bodies
from tests.support.worlds.three_subscriptions import DENIED, SECOND, SETTINGS, THIRD, break_lists, fleet, months, vm_in


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


def test_a_row_of_resource_graph_that_is_no_vm_stops_no_month() -> None:
    """The row is one failed VM; the VMs of every subscription are listed through ARM and get their disks."""

    async def story(azure: LocalAzure) -> None:
        row = {"id": "odd", "tags": {"AutoRefresh": "true"}}
        body = {"totalRecords": 1, "count": 1, "data": [row], "facets": [], "resultTruncated": "false"}
        answer = {"status": 200, "body": body}
        azure.simulator.services.faults.add([{"match": {"path": ".*ResourceGraph.*"}, "respond": answer}])
        run = await run_month(azure, "/api/disks", {"all": True, "period": "202611"})
        reasons = {row["vm"]: row["reason"] for row in run["vms"]}
        odd = reasons.pop("odd")
        assert odd not in ("made", "kept")
        assert set(reasons) == {vm_in(SUBSCRIPTION), vm_in(SECOND), vm_in(THIRD)}
        assert reasons[vm_in(SUBSCRIPTION)] == "made"

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
