"""Retention for random disks, tags, dispatcher states, locks and faults: needed disks stay, the rest is listed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from refresh.activities.retention.delete_disks import delete_batch
from refresh.domain.terms.resource_id import id_hash
from refresh.gateways.errors import GatewayError
from refresh.reading.retention.holders import held_among
from refresh.reading.retention.survey import rows_of, survey_all
from refresh.records.retention import DELETE, DISK, DeletionInput
from tests.support.worlds.builders import GALLERY, GROUP, SUBSCRIPTION, VERSION_ID, disk_id
from tests.support.worlds.month_world import START, World, gallery_bodies, on_arm, version_body, vm_bodies, vm_id

KEEP, DAYS = 2, 35
OTHER_GALLERY_VERSION = VERSION_ID.replace("/galleries/gal/", "/galleries/foreign/")
MONTHS = ("202601", "202602", "202603", "202604", "202605", "202605-2")
VMS = ("web01", "web02")
TAGS = ("OsDiskName", "OsDiskPrevious", "OsDiskRejected", "RefreshState", "note")
LOCKS = {"disk": None, "group": GROUP, "subscription": f"/subscriptions/{SUBSCRIPTION}"}


@dataclass(frozen=True)
class Spare:
    """A disk with the reasons to keep it. `young`: made within the limit of days; `recent`: detached within it."""

    vm: str
    month: str
    origin: str = "ours"
    attached: bool = False
    shared: bool = False
    young: bool = False
    recent: str = "never"
    lock: str = ""
    tag: str = ""
    tagged_by: str = "web01"
    full_id: bool = False
    state: str = ""
    later: str = ""

    @property
    def name(self) -> str:
        return f"{self.vm}-{self.month}" if self.origin != "odd-name" else f"{self.vm}-{self.month}-mine"

    @property
    def id(self) -> str:
        return disk_id(self.name)

    @property
    def protected(self) -> bool:
        """Whether rule 4 protects the disk, by its drawn fields alone."""
        return (
            self.origin in ("other-gallery", "no-image")
            or any((self.attached, self.shared, self.young, self.lock, self.tag, self.state))
            or self.recent == "recent"
        )


def spares() -> st.SearchStrategy[tuple[Spare, ...]]:
    rarely = st.sampled_from((False,) * 9 + (True,))

    def now_and_then(*words: str) -> st.SearchStrategy[str]:
        return st.sampled_from(("",) * 6 * len(words) + words)

    pairs = [(vm, month) for vm in VMS for month in MONTHS]
    one = st.builds(
        lambda **fields: fields,
        origin=st.sampled_from(("ours",) * 9 + ("other-gallery", "no-image", "odd-name")),
        attached=rarely,
        shared=rarely,
        young=st.sampled_from((False, False, True)),
        recent=st.sampled_from(("never", "never", "long-ago", "long-ago", "recent")),
        lock=now_and_then("disk"),
        tag=now_and_then(*TAGS),
        tagged_by=st.sampled_from((*VMS, "stranger", "elsewhere")),
        full_id=st.booleans(),
        state=now_and_then("ran", "proved", "running", "queue", "unproven"),
        later=now_and_then("attach", "lock", "tag", "state"),
    )
    return st.lists(one, min_size=len(pairs), max_size=len(pairs)).map(
        lambda drawn: tuple(Spare(vm, month, **fields) for (vm, month), fields in zip(pairs, drawn, strict=True))
    )


def at(days_ago: float) -> str:
    return (START - timedelta(days=days_ago)).isoformat()


def body_of(spare: Spare) -> dict[str, Any]:
    months_old = len(MONTHS) - MONTHS.index(spare.month)
    version = OTHER_GALLERY_VERSION if spare.origin == "other-gallery" else VERSION_ID
    creation: dict[str, Any] = {"createOption": "FromImage", "galleryImageReference": {"id": version}}
    properties: dict[str, Any] = {
        "creationData": {"createOption": "Empty"} if spare.origin == "no-image" else creation,
        "timeCreated": at(DAYS - 1 - months_old / 100) if spare.young else at(DAYS + months_old),
        "osType": "Linux",
        "diskSizeGB": 30,
    }
    if spare.recent != "never":
        properties["LastOwnershipUpdateTime"] = at(DAYS - 0.1 if spare.recent == "recent" else DAYS + 0.1)
    # The tags of the disk itself must have no effect.
    body = {"id": spare.id, "location": "westeurope", "tags": {"RefreshVm": "other"}, "properties": properties}
    return {**body, "managedByExtended": [vm_id("stranger")]} if spare.shared else body


def scenario(fleet: Iterable[Spare], lock_all: str) -> list[dict[str, Any]]:
    tags: dict[str, dict[str, str]] = {name: {} for name in (*VMS, "stranger", "elsewhere")}
    for number, spare in enumerate(fleet):
        if spare.tag:
            value = spare.id.upper() if spare.full_id else spare.name
            name = spare.tag if spare.tag not in tags[spare.tagged_by] else f"{spare.tag}{number}"
            tags[spare.tagged_by][name] = f"run=x;from={value};to=y" if spare.tag == "RefreshState" else value
    bodies = [*gallery_bodies(), version_body()]
    for vm, own_tags in tags.items():
        own = vm_bodies(vm, own_tags)
        taken = [spare for spare in fleet if spare.attached and spare.vm == vm]
        own[1]["properties"]["storageProfile"]["dataDisks"] = [
            {"lun": lun, "createOption": "Attach", "managedDisk": {"id": spare.id}} for lun, spare in enumerate(taken)
        ]
        if vm == "elsewhere":
            own[1]["id"] = own[1]["id"].replace("/resourceGroups/rg-app/", "/resourceGroups/rg-else/")
        bodies += own
    locked = [spare.id for spare in fleet if spare.lock] + ([LOCKS[lock_all] or ""] if lock_all else [])
    locks = [
        {"id": f"{scope}/providers/Microsoft.Authorization/locks/keep", "properties": {"level": "CanNotDelete"}}
        for scope in locked
    ]
    return [*bodies[:0], *(body_of(spare) for spare in fleet), *bodies, *locks]


def state_of(fleet: Iterable[Spare]) -> dict[str, Any]:
    """A dispatcher state that names the disks as drawn."""
    state: dict[str, Any] = {"seq": 7, "ran": {}, "proved": {}, "running": {}, "queue": {}, "unproven": {}}
    for number, spare in enumerate(fleet):
        vm = f"{vm_id(spare.vm)}-{number}".lower()
        intent = {"run": "swap-1", "was_running": True, "old_disk": spare.id, "new_disk": disk_id("other")}
        if spare.state == "ran":
            state["ran"][id_hash(vm)] = [id_hash(disk_id("x")), id_hash(spare.id), id_hash(disk_id("y"))]
        elif spare.state == "proved":
            state["proved"][id_hash(vm)] = id_hash(spare.id)
        elif spare.state == "queue":
            state["queue"][vm] = {"id": vm, "wanted": spare.id}
        elif spare.state:
            state[spare.state][vm] = {"id": vm, "n": 3, "intent": intent}
    return state


def fault(path: str, status: int, times: int, retry_after_s: int | None) -> dict[str, Any]:
    headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    body = {"error": {"code": "Planned", "message": "planned"}}
    respond = {"status": status, "headers": headers, "body": body}
    return {"match": {"path": path}, "times": times, "respond": respond}


def faults() -> st.SearchStrategy[list[dict[str, Any]]]:
    paths = ("/virtualMachines$", "/disks$", "/disks/.*", "/locks", "/images$", ".*")
    one = st.builds(
        fault,
        st.sampled_from(paths),
        st.sampled_from((429, 500, 503, 403)),
        st.sampled_from((1, 3, 12)),
        st.sampled_from((None, 2, 200)),
    )
    return st.lists(one, max_size=2)


async def arm(world: World, method: str, path: str, body: dict[str, Any]) -> None:
    headers, params = {"Authorization": "Bearer test"}, {"api-version": "2024-07-01"}
    url = f"{world.settings.arm_endpoint}{path}"
    async with (
        aiohttp.ClientSession() as http,
        http.request(method, url, json=body, headers=headers, params=params) as answer,
    ):
        await answer.read()


async def happen(world: World, spare: Spare) -> None:
    """Attach, lock or tag the disk after it was listed for deletion."""
    if spare.later == "attach":
        taken = {"lun": 60, "createOption": "Attach", "managedDisk": {"id": spare.id}}
        await arm(world, "PATCH", vm_id(spare.vm), {"properties": {"storageProfile": {"dataDisks": [taken]}}})
    elif spare.later == "lock":
        lock = f"{spare.id}/providers/Microsoft.Authorization/locks/late"
        await arm(world, "PUT", lock, {"properties": {"level": "ReadOnly"}})
    elif spare.later == "tag":
        merge = {"operation": "Merge", "properties": {"tags": {f"late-{spare.month}": spare.name}}}
        await arm(world, "PATCH", f"{vm_id(spare.vm)}/providers/Microsoft.Resources/tags/default", merge)


def needed(world: World, fleet: Iterable[Spare]) -> set[str]:
    """Every disk that rule 4 protects now, by its drawn fields and by later changes that ARM shows."""
    found = {spare.id for spare in fleet if spare.protected or spare.later in ("tag", "state")}
    bodies = {spare.id: world.resource(spare.id) for spare in fleet}
    found |= {disk for disk, body in bodies.items() if body and body.get("managedBy")}
    locks = (record.id.text for record in world.simulator.store.of_type("Microsoft.Authorization/locks"))
    return found | {lock.split("/providers/Microsoft.Authorization/")[0] for lock in locks}


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(spares(), faults(), st.sampled_from((*("",) * 12, "group", "subscription")), st.booleans())
def test_a_needed_disk_is_never_deleted(
    fleet: tuple[Spare, ...], planned: list[dict[str, Any]], lock_all: str, during: bool
) -> None:
    """Every protected disk still exists after a deletion, whatever changes between the list and the deletion."""

    async def story(world: World) -> None:
        # The worst plan: every disk is to be deleted.
        state = state_of(fleet)
        late = state_of(replace(spare, state="ran") for spare in fleet if spare.later == "state")
        held = held_among([spare.id for spare in fleet], state) | held_among([spare.id for spare in fleet], late)
        for spare in fleet:
            await happen(world, spare)
        protected = needed(world, fleet) if not lock_all else {spare.id for spare in fleet}
        world.simulator.services.faults.add(planned)
        asked = DeletionInput(tuple(spare.id for spare in fleet), held)
        task = asyncio.create_task(delete_batch(world.gateways, rules(world), asked))
        if during:
            await asyncio.sleep(4)
            for spare in fleet:
                await happen(world, replace(spare, later="attach"))
                await happen(world, replace(spare, later="lock"))
        rows = await task
        assert [row["id"] for row in rows] == [spare.id for spare in fleet]
        there = {spare.id for spare in fleet if world.resource(spare.id) is not None}
        assert protected <= there, protected - there
        assert all(row["id"] not in there for row in rows if row["decision"] == "deleted")

    on_arm(scenario(fleet, lock_all), story)


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(spares(), faults(), st.sampled_from((*("",) * 12, "group", "subscription")))
def test_everything_that_may_be_deleted_is_listed(
    fleet: tuple[Spare, ...], planned: list[dict[str, Any]], lock_all: str
) -> None:
    """The list has every free disk of the app with a reason, and exactly the unprotected ones as deletable."""

    async def story(world: World) -> None:
        world.simulator.services.faults.add(planned)
        try:
            surveys = await survey_all(world.gateways, rules(world), state_of(fleet), ())
        except GatewayError:
            assert planned, "without faults every list can be read"
            return
        rows = {row.id: row for row in rows_of(*surveys) if row.kind == DISK}
        assert set(rows) == {
            spare.id
            for spare in fleet
            if spare.origin in ("ours", "odd-name") and not spare.attached and not spare.shared
        }
        assert {one for one, row in rows.items() if row.decision == DELETE} == expected(fleet, lock_all)
        assert all(row.message and row.size_gb == 30 and row.monthly_usd == 3.96 for row in rows.values())

    on_arm(scenario(fleet, lock_all), story)


def expected(fleet: tuple[Spare, ...], lock_all: str) -> set[str]:
    """The deletable disks: unprotected, named as the app names disks, and not among the newest free ones of a VM."""
    found: set[str] = set()
    for vm in VMS:
        free = [one for one in fleet if one.vm == vm and one.origin == "ours" and not one.attached and not one.shared]
        free.sort(key=lambda one: body_of(one)["properties"]["timeCreated"], reverse=True)
        found |= {one.id for one in free[KEEP:] if not one.protected}
    return found if not lock_all else set()


def rules(world: World) -> Any:
    assert datetime.fromisoformat(at(0)) == START
    assert world.settings.galleries == (GALLERY,)
    assert (world.settings.keep_disks, world.settings.keep_disks_days) == (KEEP, DAYS)
    return world.settings
