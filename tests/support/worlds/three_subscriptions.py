"""A fleet in three subscriptions, and faults of the lists of one of them."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.arm.core.store import Json
from tests.support.worlds.builders import SUBSCRIPTION, VERSION_ID, VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, vm_body
from tests.support.worlds.month_world import gallery_bodies, version_body

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
