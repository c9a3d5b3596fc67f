"""The gateways send the exact request, once, and no other."""

from __future__ import annotations

from typing import Any

import pytest

from refresh.gateways.errors import Refused
from refresh.gateways.operations import Begun
from refresh.wiring import ArmGateways
from tests.support.worlds.scripted_arm import (
    DATE_ISO,
    DEFINITION,
    DISK,
    GALLERY,
    SUBSCRIPTION,
    VERSION,
    VM,
    Answer,
    ScriptedArm,
    against,
    gather,
)

_OPERATION = {"Azure-AsyncOperation": "{base}/subscriptions/s/operations/1?c=signed", "Retry-After": "10"}


def test_reading_a_vm_is_one_get_with_its_instance_view() -> None:
    """A VM is read with one GET, and the time is ARM's own."""
    arm = ScriptedArm(Answer(200, {"id": VM, "name": "web-1"}))
    vm = against(arm, lambda gateways: gateways.compute.read_vm(VM))
    assert [(a.method, a.path, a.query["$expand"]) for a in arm.requests] == [("GET", VM, "instanceView")]
    assert (vm.id, vm.read_at) == (VM, DATE_ISO)


def test_the_os_disk_patch_is_the_smallest() -> None:
    """The swap's body has the disk's name and id and nothing else, in particular no createOption."""
    arm = ScriptedArm(Answer(200, {"id": VM, "properties": {"provisioningState": "Updating"}}, _OPERATION))
    begun = against(arm, lambda gateways: gateways.compute.begin_os_disk(VM, DISK, "web-1-202611"))
    assert [(a.method, a.path) for a in arm.requests] == [("PATCH", VM)]
    assert arm.requests[0].body == {
        "properties": {"storageProfile": {"osDisk": {"name": "web-1-202611", "managedDisk": {"id": DISK}}}}
    }
    assert begun.at == DATE_ISO


@pytest.mark.parametrize("operation", ["deallocate", "start"])
def test_a_power_operation_is_one_post_and_no_poll(operation: str) -> None:
    """Beginning a power operation sends one POST and returns when ARM has accepted it."""
    arm = ScriptedArm(Answer(202, None, _OPERATION))

    async def call(gateways: ArmGateways) -> Begun:
        begin = {"deallocate": gateways.compute.begin_deallocate, "start": gateways.compute.begin_start}[operation]
        return await begin(VM)

    begun = against(arm, call)
    assert [(a.method, a.path, a.body) for a in arm.requests] == [("POST", f"{VM}/{operation}", None)]
    assert begun.at == DATE_ISO


def test_a_disk_is_created_with_exactly_the_given_body() -> None:
    """The PUT of a disk has the caller's body unchanged."""
    body = {"location": "westus", "properties": {"creationData": {"createOption": "FromImage"}, "tier": None}}
    arm = ScriptedArm(Answer(202, {"id": DISK}, _OPERATION))
    against(arm, lambda gateways: gateways.disks.begin_create_disk(DISK, body))
    assert [(a.method, a.path, a.body) for a in arm.requests] == [("PUT", DISK, body)]


def test_reads_of_disks_and_galleries_are_one_get_each() -> None:
    """A disk, a definition and a version are one GET each; the version's with replication status."""
    arm = ScriptedArm(Answer(200, {"id": DISK}), Answer(200, {"id": DEFINITION}), Answer(200, {"id": VERSION}))

    async def call(gateways: ArmGateways) -> tuple[str, str, str]:
        disk, definition = await gateways.disks.read_disk(DISK), await gateways.gallery.read_definition(DEFINITION)
        return disk.id, definition.id, (await gateways.gallery.read_version(VERSION)).id

    assert against(arm, call) == (DISK, DEFINITION, VERSION)
    assert [(a.method, a.path, a.query.get("$expand")) for a in arm.requests] == [
        ("GET", DISK, None),
        ("GET", DEFINITION, None),
        ("GET", VERSION, "ReplicationStatus"),
    ]


def test_lists_follow_every_page() -> None:
    """VMs, disks, definitions and versions are listed to the last page, one request per page."""
    pages: list[Answer] = []
    for resource in (VM, DISK, DEFINITION, VERSION):
        pages.append(Answer(200, {"value": [{"id": resource + "a"}], "nextLink": "{base}/next?x=1"}))
        pages.append(Answer(200, {"value": [{"id": resource + "b"}]}))
    arm = ScriptedArm(*pages)

    async def call(gateways: ArmGateways) -> list[str]:
        lists: list[list[Any]] = [
            await gather(gateways.compute.list_vms(SUBSCRIPTION)),
            await gather(gateways.disks.list_disks(SUBSCRIPTION)),
            await gather(gateways.gallery.list_definitions(GALLERY)),
            await gather(gateways.gallery.list_versions(DEFINITION)),
        ]
        return [item.id for found in lists for item in found]

    assert against(arm, call) == [r + x for r in (VM, DISK, DEFINITION, VERSION) for x in "ab"]
    assert len(arm.requests) == 8


def test_tags_are_merged_and_removed_on_the_resource_alone() -> None:
    """Tags are changed by the tags API with Merge and Delete; an empty change sends nothing."""
    arm = ScriptedArm(Answer(200, {}), Answer(200, {}))

    async def call(gateways: ArmGateways) -> None:
        await gateways.tags.merge_tags(VM, {"OsDiskName": "web-1-202611"})
        await gateways.tags.delete_tags(VM, {"OsDiskRejected": "x"})
        await gateways.tags.merge_tags(VM, {})

    against(arm, call)
    path = f"{VM}/providers/Microsoft.Resources/tags/default"
    assert [(a.method, a.path, a.body) for a in arm.requests] == [
        ("PATCH", path, {"operation": "Merge", "properties": {"tags": {"OsDiskName": "web-1-202611"}}}),
        ("PATCH", path, {"operation": "Delete", "properties": {"tags": {"OsDiskRejected": "x"}}}),
    ]


@pytest.mark.parametrize(
    "resource", ["", "/", "/subscriptions/s/../x", "/subscriptions//x", "//elsewhere/x", "https://x"]
)
def test_a_path_that_leaves_its_place_is_refused_without_a_request(resource: str) -> None:
    """An id that is untrusted input cannot redirect a tag change to another resource."""
    arm = ScriptedArm()
    with pytest.raises(Refused):
        against(arm, lambda gateways: gateways.tags.merge_tags(resource, {"a": "b"}))
    assert arm.requests == []


def test_odd_characters_of_an_id_stay_inside_its_path() -> None:
    """A `?` or `#` in an id is escaped, never the start of a query."""
    arm = ScriptedArm(Answer(200, {}))
    against(arm, lambda gateways: gateways.tags.merge_tags(VM + "?x#y%2F", {"a": "b"}))
    assert arm.requests[0].path == f"{VM}%3Fx%23y%252F/providers/Microsoft.Resources/tags/default"
    assert arm.requests[0].query == {"api-version": "2021-04-01"}


def test_the_time_is_arms_date() -> None:
    """`now` is the Date header of one cheap read of the first subscription."""
    arm = ScriptedArm(Answer(200, {}))
    assert against(arm, lambda gateways: gateways.clock.now()) == DATE_ISO
    assert [(a.method, a.path) for a in arm.requests] == [("GET", f"/subscriptions/{SUBSCRIPTION}")]


def test_a_version_is_admitted_with_the_smallest_patch() -> None:
    """The PATCH has the exclusion, the tags and the unchanged target regions, and nothing about the contents."""
    arm = ScriptedArm(Answer(200, {"id": VERSION, "properties": {"provisioningState": "Updating"}}, _OPERATION))
    tags, targets = (
        {"RefreshChecks": "passed"},
        [{"name": "West US", "regionalReplicaCount": 3, "encryption": {"a": 1}}],
    )
    against(arm, lambda gateways: gateways.gallery.begin_admit_version(VERSION, tags, targets))
    assert [(a.method, a.path) for a in arm.requests] == [("PATCH", VERSION)]
    profile = {"targetRegions": targets, "excludeFromLatest": False}
    assert arm.requests[0].body == {"tags": tags, "properties": {"publishingProfile": profile}}


@pytest.mark.parametrize("kind", ["definition", "image"])
def test_a_definition_or_managed_image_is_one_put_of_exactly_its_body(kind: str) -> None:
    """A definition and a managed image are sent with exactly the planned body."""
    image = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Compute/images/packed"
    target = DEFINITION if kind == "definition" else image
    body = {"location": "westeurope", "tags": {"a": "b"}, "properties": {"hyperVGeneration": "V2"}}
    arm = ScriptedArm(Answer(201, {"id": target}, _OPERATION))

    async def call(gateways: ArmGateways) -> Begun:
        if kind == "definition":
            return await gateways.gallery.begin_create_definition(target, body)
        return await gateways.sources.begin_create_image(target, body)

    assert against(arm, call).at == DATE_ISO
    assert [(a.method, a.path, a.body) for a in arm.requests] == [("PUT", target, body)]
