"""ARM's bodies become facts: present fields are read exactly, absent ones are None."""

from __future__ import annotations

from typing import Any

import pytest

from refresh.arm.compute import vm_from_arm
from refresh.arm.disks import disk_from_arm
from refresh.arm.gallery import definition_from_arm, version_from_arm
from refresh.domain.azure.galleries import Region
from refresh.domain.azure.vms import Agent, Power
from refresh.gateways.errors import Unavailable

_GROUP = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/web/providers/Microsoft.Compute"
_VM = f"{_GROUP}/virtualMachines/web-1"
_DISK = f"{_GROUP}/disks/web-1-202610"
_VERSION = f"{_GROUP}/galleries/images/images/linux/versions/202610.1.0"
_READY = {"code": "ProvisioningState/succeeded", "displayStatus": "Ready", "time": "2026-11-01T01:00:00+00:00"}
_WAITING = {"code": "ProvisioningState/Unavailable", "displayStatus": "Not Ready", "time": "2026-11-01T01:05:00+00:00"}


def _vm(**properties: Any) -> dict[str, Any]:
    return {"id": _VM, "name": "web-1", "location": "westus", "properties": properties}


def test_every_fact_of_a_vm_is_read() -> None:
    """Every fact that decisions use is read from its place in the body."""
    body = _vm(
        provisioningState="Succeeded",
        hardwareProfile={"vmSize": "Standard_D2s_v5"},
        securityProfile={"securityType": "TrustedLaunch"},
        availabilitySet={"id": f"{_GROUP}/availabilitySets/WEB"},
        storageProfile={"osDisk": {"osType": "Linux", "name": "web-1-202610", "managedDisk": {"id": _DISK}}},
        instanceView={
            "hyperVGeneration": "V2",
            "vmAgent": {"statuses": [_READY]},
            "statuses": [{"code": "ProvisioningState/succeeded"}, {"code": "PowerState/running"}],
        },
    )
    vm = vm_from_arm({**body, "zones": ["2"], "tags": {"AutoRefresh": "true"}}, "2026-11-01T02:00:00+00:00")
    assert (vm.id, vm.name, vm.location, vm.tags, vm.zones) == (_VM, "web-1", "westus", {"AutoRefresh": "true"}, ("2",))
    assert (vm.os_disk_id, vm.os_disk_name, vm.os_type) == (_DISK, "web-1-202610", "Linux")
    assert (vm.provisioning_state, vm.size, vm.security_type) == ("Succeeded", "Standard_D2s_v5", "TrustedLaunch")
    assert vm.availability_set == f"{_GROUP}/availabilitySets/WEB"
    assert (vm.generation, vm.power, vm.ephemeral_os_disk) == ("V2", Power.RUNNING, False)
    assert vm.agent == Agent(ready=True, at="2026-11-01T01:00:00+00:00")
    assert vm.read_at == "2026-11-01T02:00:00+00:00"


def test_a_vm_with_nothing_but_an_id_is_all_unknown() -> None:
    """Fields that ARM does not give are None, and the power state is unknown."""
    vm = vm_from_arm({"id": _VM}, None)
    assert (vm.name, vm.location, vm.tags, vm.zones) == ("web-1", "", {}, ())
    assert (vm.os_disk_id, vm.provisioning_state, vm.generation, vm.agent) == (None, None, None, None)
    assert vm.power is Power.UNKNOWN


@pytest.mark.parametrize("body", [None, [], "x", {}, {"id": None}, {"id": 7}, {"name": "web-1"}])
def test_a_body_without_an_id_is_no_fact(body: Any) -> None:
    """A body without an id raises the error of an unreadable answer."""
    for parse in (lambda b: vm_from_arm(b, None), disk_from_arm, definition_from_arm, version_from_arm):
        with pytest.raises(Unavailable):
            parse(body)


@pytest.mark.parametrize(
    "properties",
    [
        {"storageProfile": None, "instanceView": []},
        {"storageProfile": {"osDisk": "x"}, "instanceView": {"statuses": "x", "vmAgent": 1}},
        {"instanceView": {"statuses": [None, 1, {"code": None}, {"code": "PowerState/dancing"}]}},
    ],
)
def test_fields_of_another_shape_are_unknown(properties: dict[str, Any]) -> None:
    """A field of an unexpected type is unknown, not an exception."""
    vm = vm_from_arm(_vm(**properties), None)
    assert (vm.os_disk_id, vm.power, vm.agent) == (None, Power.UNKNOWN, None)


@pytest.mark.parametrize("state", [state for state in Power if state is not Power.UNKNOWN])
def test_every_power_state_is_known_in_any_case(state: Power) -> None:
    """Power states are read without case."""
    for code in (f"PowerState/{state.value}", f"powerstate/{state.value.upper()}"):
        assert vm_from_arm(_vm(instanceView={"statuses": [{"code": code}]}), None).power is state


@pytest.mark.parametrize(
    ("statuses", "agent"),
    [
        ([_READY], Agent(ready=True, at="2026-11-01T01:00:00+00:00")),
        ([_WAITING], Agent(ready=False, at="2026-11-01T01:05:00+00:00")),
        ([_WAITING, _READY], Agent(ready=True, at="2026-11-01T01:00:00+00:00")),
        ([{"code": "ProvisioningState/succeeded"}], Agent(ready=True, at=None)),
        ([{"displayStatus": "Ready"}], Agent(ready=False, at=None)),
        ([], None),
    ],
)
def test_an_agent_is_ready_only_by_its_code(statuses: list[Any], agent: Agent | None) -> None:
    """Only ProvisioningState/succeeded is ready, with the time of that report; no report is no agent."""
    assert vm_from_arm(_vm(instanceView={"vmAgent": {"statuses": statuses}}), None).agent == agent


def test_an_unmanaged_disk_is_no_disk_and_an_ephemeral_one_is_marked() -> None:
    """A VM with a VHD has no disk id; one with a local disk is marked as ephemeral."""
    unmanaged = vm_from_arm(_vm(storageProfile={"osDisk": {"name": "os", "vhd": {"uri": "https://x/os.vhd"}}}), None)
    assert (unmanaged.os_disk_id, unmanaged.os_disk_name) == (None, "os")
    ephemeral = vm_from_arm(_vm(storageProfile={"osDisk": {"diffDiskSettings": {"option": "Local"}}}), None)
    assert ephemeral.ephemeral_os_disk


def test_every_fact_of_a_disk_is_read() -> None:
    """Everything that a new disk copies or that a swap checks is read."""
    body = {
        "id": _DISK,
        "name": "web-1-202610",
        "location": "West US",
        "managedBy": _VM,
        "zones": ["2"],
        "sku": {"name": "Premium_LRS", "tier": "Premium"},
        "tags": {"RefreshVm": "web-1"},
        "properties": {
            "provisioningState": "Succeeded",
            "diskState": "Attached",
            "osType": "Linux",
            "hyperVGeneration": "V2",
            "diskSizeGB": 64,
            "tier": "P10",
            "supportedCapabilities": {"architecture": "x64"},
            "securityProfile": {"securityType": "TrustedLaunch"},
            "encryption": {"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": "/des"},
            "networkAccessPolicy": "AllowPrivate",
            "publicNetworkAccess": "Disabled",
            "diskAccessId": "/access",
            "burstingEnabled": True,
            "timeCreated": "2026-10-01T02:00:00+00:00",
            "creationData": {"createOption": "FromImage", "galleryImageReference": {"id": _VERSION}},
        },
    }
    disk = disk_from_arm(body)
    assert (disk.id, disk.location, disk.managed_by, disk.zones) == (_DISK, "westus", _VM, ("2",))
    assert (disk.sku, disk.tier, disk.size_gb, disk.architecture) == ("Premium_LRS", "P10", 64, "x64")
    assert (disk.provisioning_state, disk.disk_state, disk.os_type, disk.generation) == (
        "Succeeded",
        "Attached",
        "Linux",
        "V2",
    )
    assert (disk.security_type, disk.bursting_enabled) == ("TrustedLaunch", True)
    assert disk.encryption == {"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": "/des"}
    assert (disk.network_access_policy, disk.public_network_access, disk.disk_access_id) == (
        "AllowPrivate",
        "Disabled",
        "/access",
    )
    assert (disk.source_version, disk.time_created) == (_VERSION, "2026-10-01T02:00:00+00:00")
    assert disk.tags == {"RefreshVm": "web-1"}


@pytest.mark.parametrize(
    ("creation", "version"),
    [
        ({"galleryImageReference": {"id": _VERSION}}, _VERSION),
        ({"imageReference": {"id": _VERSION}}, _VERSION),
        (
            {"imageReference": {"id": "/Subscriptions/s/Providers/Microsoft.Compute/Locations/westus/Publishers/p"}},
            None,
        ),
        ({"galleryImageReference": {"communityGalleryImageId": "/CommunityGalleries/c"}}, "/CommunityGalleries/c"),
        ({"galleryImageReference": {"sharedGalleryImageId": "/SharedGalleries/s"}}, "/SharedGalleries/s"),
        ({"createOption": "Copy", "sourceResourceId": _DISK}, None),
        (None, None),
    ],
)
def test_a_disks_version_is_what_its_creation_data_names(creation: Any, version: str | None) -> None:
    """The version is read from creationData only; any gallery's version counts, a marketplace image does not."""
    assert disk_from_arm({"id": _DISK, "properties": {"creationData": creation}}).source_version == version


def test_every_fact_of_a_definition_is_read() -> None:
    """OS, state, generation, architecture and the security type among its features are read."""
    definition = definition_from_arm(
        {
            "id": _VERSION.rsplit("/", 2)[0],
            "name": "linux",
            "location": "westus",
            "tags": {"AutoRefresh": "true"},
            "properties": {
                "osType": "Linux",
                "osState": "Specialized",
                "hyperVGeneration": "V2",
                "architecture": "x64",
                "features": [{"name": "DiskControllerTypes", "value": "SCSI"}, {"name": "SecurityType", "value": "TL"}],
            },
        }
    )
    assert (definition.os_type, definition.os_state, definition.generation) == ("Linux", "Specialized", "V2")
    assert (definition.architecture, definition.security_type, definition.tags) == (
        "x64",
        "TL",
        {"AutoRefresh": "true"},
    )


def test_each_region_of_a_version_has_its_own_replication() -> None:
    """Target regions match the replication summary although Azure spells them differently."""
    version = version_from_arm(
        {
            "id": _VERSION,
            "name": "202610.1.0",
            "location": "westus",
            "properties": {
                "provisioningState": "Succeeded",
                "publishingProfile": {
                    "targetRegions": [
                        {"name": "West US"},
                        {"name": "East US 2", "excludeFromLatest": True},
                        {"name": "x"},
                    ],
                    "excludeFromLatest": True,
                    "publishedDate": "2026-10-01T02:00:00+00:00",
                },
                "storageProfile": {"source": {"virtualMachineId": _VM}, "osDiskImage": {"sizeInGB": 30, "source": {}}},
                "replicationStatus": {
                    "aggregatedState": "InProgress",
                    "summary": [
                        {"region": "West US", "state": "Completed", "progress": 100},
                        {"region": "eastus2", "state": "Replicating", "progress": 40},
                    ],
                },
            },
        }
    )
    assert version.regions == (
        Region("westus", "Completed", 100),
        Region("eastus2", "Replicating", 40, excluded_from_latest=True),
        Region("x"),
    )
    assert (version.source_id, version.os_disk_size_gb, version.excluded_from_latest) == (_VM, 30, True)
    assert version.published_at == "2026-10-01T02:00:00+00:00"


@pytest.mark.parametrize("storage", [{"source": {"id": _VERSION}}, {"osDiskImage": {"source": {"id": _VERSION}}}])
def test_a_versions_source_is_found_in_each_place(storage: Any) -> None:
    """The source of a version is found for an image, a version, a disk and a snapshot."""
    assert version_from_arm({"id": _VERSION, "properties": {"storageProfile": storage}}).source_id == _VERSION
