"""Rights and locks are read from ARM, and unreadable answers raise errors."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from refresh.arm.access import grant_from_arm
from refresh.arm.compute import vm_from_arm
from refresh.arm.disks import disk_from_arm
from refresh.domain.azure.data_disks import DataDisk
from refresh.domain.azure.vms import Vm
from refresh.domain.preflight.rights import Grant
from refresh.gateways.errors import Refused, Unavailable
from refresh.wiring import ArmGateways
from tests.support.worlds.scripted_arm import DISK, GROUP, SUBSCRIPTION, VM, Answer, ScriptedArm, against, gather

LOCKS = f"{GROUP}/providers/Microsoft.Authorization/locks"
LOCK = {"id": f"{LOCKS}/freeze", "properties": {"level": "ReadOnly"}}


async def vms_of(gateways: ArmGateways, group: str) -> list[Vm]:
    return await gather(gateways.compute.list_group_vms(group))


def test_rights_are_read_with_one_get() -> None:
    """Each role at the scope is one grant, with its excluded actions."""
    role = {"actions": ["*"], "notActions": ["*/delete"], "dataActions": []}
    arm = ScriptedArm(Answer(200, {"value": [role, {"actions": ["*/read", 7]}]}))
    grants = against(arm, lambda gateways: gateways.access.read_grants(VM))
    assert list(grants) == [Grant(("*",), ("*/delete",)), Grant(("*/read",))]
    assert [one.path for one in arm.requests] == [f"{VM}/providers/Microsoft.Authorization/permissions"]
    assert grant_from_arm({"actions": "*"}) == Grant(())


async def registration_of(gateways: ArmGateways) -> str:
    return await gateways.access.read_registration(SUBSCRIPTION, "Microsoft.ResourceHealth")


def test_a_registration_is_read_with_one_get() -> None:
    """The registration state is returned unchanged."""
    arm = ScriptedArm(Answer(200, {"namespace": "Microsoft.ResourceHealth", "registrationState": "NotRegistered"}))
    assert against(arm, registration_of) == "NotRegistered"
    path = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ResourceHealth"
    assert [(one.method, one.path) for one in arm.requests] == [("GET", path)]


@pytest.mark.parametrize("body", [{}, {"registrationState": 7}, []])
def test_a_provider_without_a_registration_state_is_unknown(body: Any) -> None:
    """A state that cannot be read never counts as registered."""
    with pytest.raises(Unavailable):
        against(ScriptedArm(Answer(200, body)), registration_of)


def test_every_page_of_locks_is_read() -> None:
    """The locks of all pages are returned, each with its scope."""
    arm = ScriptedArm(
        Answer(200, {"value": [LOCK], "nextLink": f"{{base}}{LOCKS}?page=2"}),
        Answer(200, {"value": [{"id": f"{VM}/providers/Microsoft.Authorization/locks/keep"}]}),
    )
    first, second = against(arm, lambda gateways: gateways.access.list_locks(GROUP))
    assert (first.scope, first.level) == (GROUP, "ReadOnly")
    assert (second.scope, second.level) == (VM, "unknown")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"value": None},
        {"value": ["freeze"]},
        {"value": [{"properties": {"level": "ReadOnly"}}]},
        {"value": [], "nextLink": "http://example.org/locks"},
        {"value": [], "nextLink": 7},
        [],
    ],
)
def test_an_unreadable_list_of_locks_is_an_error(body: Any) -> None:
    """An unreadable answer, or a next page on another host, is never taken for `no locks`.

    The token is not sent there.
    """
    arm = ScriptedArm(Answer(200, body))
    with pytest.raises(Unavailable):
        against(arm, lambda gateways: gateways.access.list_locks(GROUP))
    assert len(arm.requests) == 1


@pytest.mark.parametrize("whole_pages", [0, 1])
def test_a_page_that_is_not_json_is_unavailable(whole_pages: int) -> None:
    """The first page or a later one, such as the HTML of a proxy."""
    page = Answer(200, {"value": [], "nextLink": f"{{base}}{LOCKS}?page=2"})
    arm = ScriptedArm(*[page] * whole_pages, Answer(200, b"<html>", {"Content-Type": "text/html"}))
    with pytest.raises(Unavailable):
        against(arm, lambda gateways: gateways.access.list_locks(GROUP))


def test_sizes_with_the_capability_support_premium_disks() -> None:
    """The sizes of one region are read; SKUs of disks and sizes without the capability are left out."""
    able = {"capabilities": [{"name": "PremiumIO", "value": "True"}], "resourceType": "virtualMachines"}
    unable = {**able, "name": "A2", "capabilities": [{"name": "PremiumIO", "value": "False"}]}
    rows = [{**able, "name": "D2s"}, unable, {**able, "name": "Premium_LRS", "resourceType": "disks"}]
    arm = ScriptedArm(Answer(200, {"value": rows}))
    sizes = against(arm, lambda gateways: gateways.access.list_sizes(SUBSCRIPTION, "westeurope"))
    assert {size.name: size.takes_premium for size in sizes} == {"D2s": True, "A2": False}
    assert arm.requests[0].query["$filter"] == "location eq 'westeurope'"


def test_the_vms_of_a_group_are_listed_by_the_group() -> None:
    """The VMs of a group are read by one list of the group; an id that is not a group's is refused."""
    arm = ScriptedArm(Answer(200, {"value": [{"id": VM}]}))
    assert len(against(arm, lambda gateways: vms_of(gateways, GROUP))) == 1
    assert arm.requests[0].path.lower() == f"{GROUP}/providers/Microsoft.Compute/virtualMachines".lower()
    for wrong in (VM, "/subscriptions/s", f"{GROUP}/..", ""):
        with pytest.raises(Refused):
            against(ScriptedArm(), partial(vms_of, group=wrong))


def test_what_forbids_a_swap_is_read_off_the_vm() -> None:
    """Controller, scale set, hibernation, data disks and Azure Disk Encryption (in three places) are read."""
    data = [{"lun": 3, "name": "data", "caching": "ReadOnly"}, {"name": "odd"}]
    body = {
        "id": VM,
        "resources": [{"properties": {"publisher": "Microsoft.Azure.Security", "type": "AzureDiskEncryptionForLinux"}}],
        "properties": {
            "priority": "Spot",
            "virtualMachineScaleSet": {"id": f"{GROUP}/x"},
            "storageProfile": {"diskControllerType": "NVMe", "osDisk": {"deleteOption": "Delete"}, "dataDisks": data},
            "instanceView": {"statuses": [{"code": "HibernationState/Hibernated"}]},
        },
    }
    vm = vm_from_arm(body, None)
    assert (vm.disk_controller, vm.scale_set, vm.hibernated, vm.encrypted_inside) == ("NVMe", f"{GROUP}/x", True, True)
    assert vm.data_disks == (DataDisk(3, "data", "ReadOnly"), DataDisk(-1, "odd", "None"))
    assert (vm.priority, vm.os_disk_delete_option) == ("Spot", "Delete")
    assert vm.extension_publishers == ("Microsoft.Azure.Security",)
    by_disk: dict[str, Any] = {"storageProfile": {"osDisk": {"encryptionSettings": {"enabled": True}}}}
    by_view: dict[str, Any] = {"instanceView": {"disks": [{"encryptionSettings": [{"enabled": True}]}]}}
    for properties, expected in ((by_disk, True), (by_view, True), ({}, False)):
        assert vm_from_arm({"id": VM, "properties": properties}, None).encrypted_inside is expected


def test_what_forbids_a_swap_is_read_off_the_disk() -> None:
    """A disk's controllers and its Azure Disk Encryption are read."""
    properties = {
        "supportedCapabilities": {"diskControllerTypes": "SCSI, NVMe"},
        "encryptionSettingsCollection": {"enabled": True},
    }
    disk = disk_from_arm({"id": DISK, "properties": properties})
    assert (disk.disk_controllers, disk.encrypted_inside) == ("SCSI, NVMe", True)
    plain = disk_from_arm({"id": DISK})
    assert (plain.disk_controllers, plain.encrypted_inside) == (None, False)
