"""Months and swaps of VMs with an edge zone, a marketplace plan, hibernation, local disks, an image of another size."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.worlds.builders import DEFINITION_ID, GALLERY, GROUP, VERSION_ID, VM_ID, disk_id
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body

type Json = dict[str, Any]

EDGE: Json = {"name": "attatlanta1", "type": "EdgeZone"}
PLAN: Json = {"publisher": "resf", "product": "rockylinux-x86_64", "name": "9-base"}
GOLDEN = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/golden"
MADE = "web01-202612"


def image(*edges: Json, size_gb: int = 30, **definition: Any) -> list[Json]:
    """The gallery with one definition and one version of it, captured from a VM with an OS disk of that size."""
    golden = vm_body("golden") | {"tags": {}}
    blocks = [{"name": "westeurope", "extendedLocation": edge} for edge in edges]
    profile = {"targetRegions": [{"name": "westeurope"}], "targetExtendedLocations": blocks}
    made = {"osType": "Linux", "osState": "Specialized", "hyperVGeneration": "V2", "architecture": "x64", **definition}
    tags = {"AutoRefresh": "true", "RefreshPersonalizes": "true"}
    disk = {"sizeInGB": size_gb, "hostCaching": "ReadWrite", "source": {}}
    storage = {"source": {"virtualMachineId": GOLDEN}, "osDiskImage": disk}
    version = {"publishingProfile": profile, "storageProfile": storage}
    return [
        golden,
        {"id": GALLERY, "location": "westeurope"},
        {"id": DEFINITION_ID, "location": "westeurope", "tags": tags, "properties": made},
        {"id": VERSION_ID, "location": "westeurope", "properties": version},
    ]


def subject(vm: Json | None = None, old: Json | None = None, **properties: Any) -> list[Json]:
    """web01 and its OS disk; `vm` and `old` are fields of their bodies, `properties` those of the disk."""
    machine, disk = vm_body() | (vm or {}), disk_body("web01-old", **properties) | (old or {})
    for body in (machine, disk):
        if "extendedLocation" in body:
            body.pop("zones")  # an edge zone has no availability zones
    return [machine, disk]


def hibernating() -> list[Json]:
    bodies = subject(supportsHibernation=True)
    bodies[0]["properties"]["additionalCapabilities"] = {"hibernationEnabled": True}
    return bodies


async def month(azure: LocalAzure) -> Json:
    """Make the month's disk of web01; its row."""
    _, begun = await azure.api("POST", "/api/disks", {"vms": [VM_ID], "period": "202612"})

    async def ended() -> bool:
        return (await azure.api("GET", begun["href"]))[1]["status"] not in ("running", "pending")

    await azure.until(ended)
    _, run = await azure.api("GET", begun["href"])
    (row,) = run["vms"]
    return dict(row)


async def plan(azure: LocalAzure, disk: str) -> Json:
    _, answer = await azure.api("POST", "/api/swap", {"vms": [VM_ID], "disk": disk, "dryRun": True})
    (found,) = answer["plan"]
    return dict(found)


SHAPES: dict[str, tuple[list[Json], str, Any]] = {
    "edge zone": (
        [*image(EDGE), *subject({"extendedLocation": EDGE}, {"extendedLocation": EDGE})],
        "extendedLocation",
        EDGE,
    ),
    "marketplace plan": ([*image(), *subject({"plan": PLAN}, purchasePlan=PLAN)], "purchasePlan", PLAN),
    "marketplace plan of the image": (
        [*image(purchasePlan=PLAN), *subject({"plan": PLAN}, purchasePlan=PLAN)],
        "purchasePlan",
        PLAN,
    ),
    "hibernation": ([*image(), *hibernating()], "supportsHibernation", True),
    "hibernation of the image": (
        [*image(features=[{"name": "IsHibernateSupported", "value": "True"}]), *hibernating()],
        "supportsHibernation",
        True,
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_months_disk_has_what_azure_requires_of_the_vms_disk(shape: str) -> None:
    """The disk is made with it, the plan of the swap has no objection, and Azure accepts the swap."""
    world, field, expected = SHAPES[shape]

    async def story(azure: LocalAzure) -> None:
        row = await month(azure)
        assert (row["decision"], row["reason"]) == ("create", "made"), row
        body = await azure.arm("GET", disk_id(MADE))
        assert body.get(field, body["properties"].get(field)) == expected
        found = await plan(azure, MADE)
        assert (found["decision"], found["warnings"]) == ("swap", []), found
        await azure.tag(VM_ID, OsDiskName=MADE)
        await azure.settled()
        assert azure.outcomes()[-1]["status"] == "succeeded", azure.outcomes()[-1]

    play(story, world)


def test_a_vm_in_an_edge_zone_that_no_version_reaches_gets_a_reason() -> None:
    """The row names the edge zone, and no disk is requested."""

    async def story(azure: LocalAzure) -> None:
        row = await month(azure)
        assert (row["decision"], row["reason"]) == ("refuse", "no-version"), row
        assert "edge zone attatlanta1 of westeurope" in row["message"]
        assert [one["path"] for one in azure.simulator.journal.requests if one["method"] == "PUT"] == []

    play(story, [*image(), *subject({"extendedLocation": EDGE}, {"extendedLocation": EDGE})])


def test_a_disk_with_the_images_plan_is_refused_for_a_vm_without_it() -> None:
    """A disk has the plan of its image, whatever the request says: the month makes none.

    For one that a person made the swap is refused before downtime, with the same words.
    """

    async def story(azure: LocalAzure) -> None:
        row = await month(azure)
        assert (row["decision"], row["reason"]) == ("refuse", "other-plan"), row
        assert [one["path"] for one in azure.simulator.journal.requests if one["method"] == "PUT"] == []
        creation = {"createOption": "FromImage", "galleryImageReference": {"id": VERSION_ID}}
        by_hand = {"location": "westeurope", "zones": ["1"], "sku": {"name": "Premium_LRS"}}
        await azure.arm("PUT", disk_id(MADE), {**by_hand, "properties": {"creationData": creation}})
        await asyncio.sleep(60)
        await azure.tag(VM_ID, OsDiskName=MADE)
        await azure.settled()
        found = await plan(azure, MADE)
        assert (found["decision"], found["reason"]) == ("refuse", "other-plan"), found
        assert "resf/rockylinux-x86_64/9-base" in found["message"]
        assert found["message"] == row["message"]
        assert azure.journal(VM_ID)["stops"] == 0

    play(story, [*image(purchasePlan=PLAN), *subject()])


@pytest.mark.parametrize(("image_gb", "old_gb", "made_gb"), [(30, 30, 30), (30, 64, 64), (64, 30, 64)])
def test_a_month_keeps_the_size_unless_the_image_is_larger(image_gb: int, old_gb: int, made_gb: int) -> None:
    """Another size is named in the month's plan and row, in the plan of the swap and in its outcome."""
    differs = made_gb != old_gb

    async def story(azure: LocalAzure) -> None:
        request = {"vms": [VM_ID], "period": "202612", "rollout": "auto", "dryRun": True}
        _, answer = await azure.api("POST", "/api/refresh", request)
        expected = ["other-disk-size"] if differs else []
        (planned,) = answer["plan"]
        assert (planned["decision"], [one["code"] for one in planned["warnings"]]) == ("swap", expected)
        row = await month(azure)
        assert ("with 64 GiB, the size of the image; the VM's disk has 30" in row["message"]) is differs
        assert (await azure.arm("GET", disk_id(MADE)))["properties"]["diskSizeGB"] == made_gb
        found = await plan(azure, MADE)
        assert (found["decision"], [one["code"] for one in found["warnings"]]) == ("swap", expected)
        await azure.tag(VM_ID, OsDiskName=MADE)
        await azure.settled()
        outcome = azure.outcomes()[-1]
        assert (outcome["status"], [one["code"] for one in outcome["warnings"]]) == ("succeeded", expected)
        assert all("has 64 GiB, the VM's OS disk 30" in one["message"] for one in outcome["warnings"])

    play(story, [*image(size_gb=image_gb), *subject(diskSizeGB=old_gb)])


@pytest.mark.parametrize(
    ("size", "mode", "kept"),
    [
        ("Standard_L8s_v3", "deallocate", False),
        ("Standard_D2ds_v5", "deallocate", False),
        ("Standard_L8s_v3", "power-off", True),
        ("Standard_D2ds_v5", "power-off", True),
    ],
)
def test_only_a_stop_that_keeps_the_host_keeps_the_local_disks(size: str, mode: str, kept: bool) -> None:
    """The swap succeeds in both modes; a deallocated VM has lost what was on its temporary and NVMe disks."""
    machine = vm_body(RefreshStopMode=mode) | {"_local_data": "a cache of 2 TB"}
    machine["properties"]["hardwareProfile"]["vmSize"] = size

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.settled()
        assert azure.outcomes()[-1]["status"] == "succeeded"
        async with azure.http.get(f"{azure.endpoints.control}/guests") as answer:
            (guest,) = await answer.json()
        assert guest["localDisks"]["data"] == ("a cache of 2 TB" if kept else None)
        assert [loss["operation"] for loss in guest["localDisks"]["lost"]] == ([] if kept else ["deallocate"])

    play(story, [machine, disk_body("web01-new")])
