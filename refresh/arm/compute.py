"""Reads virtual machines, and begins to stop, start and update them.

Decides which fields of ARM's answers become which facts. Does not wait for the end of an operation: `begin_*` returns
that ARM accepted it, and when.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any, cast

from refresh.arm import rest
from refresh.arm.bodies import (
    bool_at,
    dict_at,
    edge_zone_of,
    http_date,
    identity_of,
    int_at,
    list_at,
    plan_at,
    tags_of,
    text_at,
    zones_of,
)
from refresh.arm.clients import Clients, each_named, raw, split, split_group
from refresh.arm.errors import azure_errors
from refresh.arm.guest_facts import guest_from_arm
from refresh.arm.operations import begin, progress
from refresh.arm.quota import reads_left
from refresh.domain.azure.data_disks import DataDisk
from refresh.domain.azure.vms import Agent, Power, Vm
from refresh.domain.terms.resource_id import VM_TYPE
from refresh.gateways.errors import NotFound, Refused
from refresh.gateways.operations import Begun, Progress

# The one that the library uses for virtual machines.
_VERSION = "2026-04-01"
_POWER_STATE = "powerstate/"
_HIBERNATED = "hibernationstate/hibernated"
_GENERALIZED = "osstate/generalized"
_ENCRYPTING = frozenset({"azurediskencryption", "azurediskencryptionforlinux"})
_SETTLED = "provisioningstate/succeeded"
_AGENT_READY = "provisioningstate/succeeded"


class ArmCompute:
    """`gateways.Compute` on azure-mgmt-compute."""

    def __init__(self, clients: Clients) -> None:
        """Send requests through `clients`."""
        self._clients = clients

    async def read_vm(self, vm_id: str) -> Vm:
        """The VM with its instance view, in one GET. NotFound, Unavailable, Refused.

        https://learn.microsoft.com/rest/api/compute/virtual-machines/get
        """
        vm = split(vm_id, VM_TYPE)
        with azure_errors():
            # `cls` makes the operation return what `raw` returns, which its annotation does not show.
            answer = cast(
                "Any",
                await self._clients.compute(vm.subscription).virtual_machines.get(
                    vm.group, vm.name, expand="instanceView", cls=raw
                ),
            )
            return replace(vm_from_arm(answer.json(), http_date(answer.headers)), reads_left=reads_left(answer.headers))

    async def list_vms(self, subscription: str) -> AsyncIterator[Vm]:
        """Every VM of a subscription with tags and OS disk, without power state; all pages.

        https://learn.microsoft.com/rest/api/compute/virtual-machines/list-all
        """
        bodies = self._bodies(f"/subscriptions/{subscription}")
        async for vm in each_named(bodies, lambda body: vm_from_arm(body, None)):
            yield vm

    async def list_group_vms(self, group_id: str) -> AsyncIterator[Vm]:
        """Every VM of a resource group (full id) with tags and OS disk, without power state; all pages.

        https://learn.microsoft.com/rest/api/compute/virtual-machines/list
        """
        subscription, group = split_group(group_id)
        bodies = self._bodies(f"/subscriptions/{subscription}/resourceGroups/{group}")
        async for vm in each_named(bodies, lambda body: vm_from_arm(body, None)):
            yield vm

    def _bodies(self, scope: str) -> AsyncIterator[Mapping[str, Any]]:
        # The library would make a model of each VM first: a list of thousands would stop everything else for seconds.
        return rest.every_resource(self._clients.rest, f"{scope}/providers/Microsoft.Compute/virtualMachines", _VERSION)

    async def begin_deallocate(self, vm_id: str) -> Begun:
        """Stop the VM and release its host.

        https://learn.microsoft.com/rest/api/compute/virtual-machines/deallocate
        """
        vm = split(vm_id, VM_TYPE)
        return await begin(self._clients.compute(vm.subscription).virtual_machines.begin_deallocate, vm.group, vm.name)

    async def begin_power_off(self, vm_id: str) -> Begun:
        """Stop the VM and keep its host; the guest is shut down first.

        https://learn.microsoft.com/rest/api/compute/virtual-machines/power-off
        """
        vm = split(vm_id, VM_TYPE)
        return await begin(self._clients.compute(vm.subscription).virtual_machines.begin_power_off, vm.group, vm.name)

    async def begin_start(self, vm_id: str) -> Begun:
        """Start the VM.

        https://learn.microsoft.com/rest/api/compute/virtual-machines/start
        """
        vm = split(vm_id, VM_TYPE)
        return await begin(self._clients.compute(vm.subscription).virtual_machines.begin_start, vm.group, vm.name)

    async def begin_os_disk(self, vm_id: str, disk_id: str, disk_name: str) -> Begun:
        """PATCH the smallest body that makes `disk_id` the OS disk: its name and id, createOption untouched.

        Azure refuses a changed createOption (409 PropertyChangeNotAllowed), and checks permissions for every resource
        that a fuller body names: https://learn.microsoft.com/azure/virtual-machines/linux/os-disk-swap,
        https://learn.microsoft.com/rest/api/compute/virtual-machines/update

        Never NotFound: a 404 may be about the disk or the VM, and only a read of the VM shows which. It is Refused.
        """
        vm = split(vm_id, VM_TYPE)
        body = {"properties": {"storageProfile": {"osDisk": {"name": disk_name, "managedDisk": {"id": disk_id}}}}}
        operations = self._clients.compute(vm.subscription).virtual_machines
        try:
            return await begin(operations.begin_update, vm.group, vm.name, body)
        except NotFound as missing:
            raise Refused(missing.code, missing.message, status=missing.status) from None

    async def operation_progress(self, vm_id: str, token: str) -> Progress:
        """The state of the operation of `token`: one GET of its status URL, the only place that has the reason."""
        vm = split(vm_id, VM_TYPE)
        # A token contains its own request and URL: any operation can resume it.
        resume = self._clients.compute(vm.subscription).virtual_machines.begin_start
        return await progress(resume, vm.group, vm.name, token=token)


def vm_from_arm(body: Mapping[str, Any], read_at: str | None) -> Vm:
    """The facts in a VM's ARM `body`; `read_at` is ARM's time of the answer (ISO). Unavailable for a body without id.

    Power, agent and generation are only in the instance view:
    https://learn.microsoft.com/azure/virtual-machines/states-billing
    """
    vm_id, name, location = identity_of(body)
    properties = dict_at(body, "properties") or {}
    os_disk = dict_at(properties, "storageProfile", "osDisk") or {}
    view = dict_at(properties, "instanceView")
    return Vm(
        id=vm_id,
        name=name,
        location=location,
        tags=tags_of(body),
        # An unmanaged disk has a `vhd` and no managedDisk: there is no disk resource to swap.
        os_disk_id=text_at(os_disk, "managedDisk", "id"),
        os_disk_name=text_at(os_disk, "name"),
        os_type=text_at(os_disk, "osType"),
        provisioning_state=text_at(properties, "provisioningState"),
        unique_id=text_at(properties, "vmId"),
        zones=zones_of(body),
        size=text_at(properties, "hardwareProfile", "vmSize"),
        availability_set=text_at(properties, "availabilitySet", "id"),
        security_type=text_at(properties, "securityProfile", "securityType"),
        generation=text_at(view, "hyperVGeneration"),
        ephemeral_os_disk=dict_at(os_disk, "diffDiskSettings") is not None,
        disk_controller=text_at(properties, "storageProfile", "diskControllerType"),
        scale_set=text_at(properties, "virtualMachineScaleSet", "id"),
        edge_zone=edge_zone_of(body),
        plan=plan_at(body, "plan"),
        hibernates=bool_at(properties, "additionalCapabilities", "hibernationEnabled") or False,
        hibernated=_has_status(view, _HIBERNATED),
        generalized=_has_status(view, _GENERALIZED),
        encrypted_inside=_is_encrypted_inside(body, os_disk, view),
        extension_publishers=tuple(
            publisher for each in list_at(body, "resources") if (publisher := text_at(each, "properties", "publisher"))
        ),
        os_disk_delete_option=text_at(os_disk, "deleteOption"),
        priority=text_at(properties, "priority"),
        dedicated_host=text_at(properties, "host", "id") or text_at(properties, "hostGroup", "id"),
        capacity_reservation=text_at(properties, "capacityReservation", "capacityReservationGroup", "id"),
        placement_group=text_at(properties, "proximityPlacementGroup", "id"),
        data_disks=tuple(_data_disk(block) for block in list_at(properties, "storageProfile", "dataDisks")),
        power=power_of(view),
        agent=_agent(view),
        guest=guest_from_arm(properties),
        settled_at=_settled_at(view),
        read_at=read_at,
    )


def _has_status(view: Mapping[str, Any] | None, code: str) -> bool:
    return any((text_at(status, "code") or "").lower() == code for status in list_at(view, "statuses"))


def _is_encrypted_inside(body: Mapping[str, Any], os_disk: Mapping[str, Any], view: Mapping[str, Any] | None) -> bool:
    """Whether Azure Disk Encryption is or was used: its extension, the OS disk's settings, the view of any disk.

    https://learn.microsoft.com/azure/virtual-machines/extensions/azure-disk-enc-linux
    """
    extensions = {(text_at(each, "properties", "type") or "").lower() for each in list_at(body, "resources")}
    settings = [setting for disk in list_at(view, "disks") for setting in list_at(disk, "encryptionSettings")]
    return (
        not _ENCRYPTING.isdisjoint(extensions)
        or bool_at(os_disk, "encryptionSettings", "enabled") is True
        or any(bool_at(setting, "enabled") is True for setting in settings)
    )


def _data_disk(block: object) -> DataDisk:
    lun = int_at(block, "lun")
    return DataDisk(-1 if lun is None else lun, text_at(block, "name") or "", text_at(block, "caching") or "None")


def power_of(view: Mapping[str, Any] | None) -> Power:
    """The power state in an instance view."""
    codes = ((text_at(status, "code") or "").lower() for status in list_at(view, "statuses"))
    state = next((code.removeprefix(_POWER_STATE) for code in codes if code.startswith(_POWER_STATE)), "")
    return Power(state) if state in Power else Power.UNKNOWN


def _settled_at(view: Mapping[str, Any] | None) -> str | None:
    # Recorded: the provisioning status has the end of the last operation, to the fraction of a second.
    ended = (one for one in list_at(view, "statuses") if (text_at(one, "code") or "").lower() == _SETTLED)
    return text_at(next(ended, None), "time")


def _agent(view: Mapping[str, Any] | None) -> Agent | None:
    # An agent that has not reported yet is ProvisioningState/Unavailable ("Not Ready"); a deallocated VM has no
    # vmAgent; a stopped one still shows Ready with the time before the stop.
    statuses = list_at(view, "vmAgent", "statuses")
    if not statuses:
        return None
    ready = [status for status in statuses if (text_at(status, "code") or "").lower() == _AGENT_READY]
    return Agent(ready=bool(ready), at=text_at((ready or statuses)[-1], "time"))
