"""Temporary resource groups, and the network interface and VM in each.

Decides which call does what and which fields of ARM's answers become which facts. The request for a new VM does not use
the SDK, because the SDK's continuation token would contain a copy of it. Does not know what is built.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from refresh.arm import rest
from refresh.arm.bodies import dict_at, http_date, identity_of, list_at, plan_at, region, tags_of, text_at
from refresh.arm.clients import Clients, split, split_group
from refresh.arm.compute import power_of
from refresh.domain.recipes.build_watch import Machine
from refresh.domain.recipes.marketplace import ImageFacts
from refresh.domain.recipes.recipe import MarketplaceImage
from refresh.domain.recipes.temporary_group import Group
from refresh.domain.terms import resource_id
from refresh.domain.terms.resource_id import VM_TYPE
from refresh.gateways.errors import NotFound, Refused

_GROUPS, _NETWORK, _COMPUTE = "2021-04-01", "2024-05-01", "2024-07-01"
_FAILED = "provisioningstate/failed/"
_LATEST = "latest"


class ArmTemporaryGroups:
    """`gateways.TemporaryGroups` on Resource Manager."""

    def __init__(self, clients: Clients) -> None:
        """Send requests through `clients`."""
        self._clients = clients

    async def read_image(self, subscription: str, location: str, image: MarketplaceImage) -> ImageFacts:
        """A marketplace image in a region, with `latest` resolved to a number. NotFound.

        https://learn.microsoft.com/rest/api/compute/virtual-machine-images
        """
        path = (
            f"/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{location}/publishers/"
            f"{image.publisher}/artifacttypes/vmimage/offers/{image.offer}/skus/{image.sku}/versions"
        )
        version = image.version
        if version.lower() == _LATEST:
            newest = {"$top": "1", "$orderby": "name desc"}
            found = rest.json_of(await rest.get(self._clients.rest, path, _COMPUTE, query=newest))
            rows = found if isinstance(found, list) else list_at(found, "value")
            version = (text_at(rows[0], "name") if rows else None) or ""
            if not version:
                raise NotFound("NotFound", f"{image} has no version in {location}")
        body = rest.json_of(await rest.get(self._clients.rest, f"{path}/{version}", _COMPUTE))
        properties = dict_at(body, "properties")
        features = {(text_at(each, "name") or ""): text_at(each, "value") for each in list_at(properties, "features")}
        return ImageFacts(
            MarketplaceImage(image.publisher, image.offer, image.sku, version),
            os_type=text_at(properties, "osDiskImage", "operatingSystem"),
            generation=text_at(properties, "hyperVGeneration"),
            architecture=text_at(properties, "architecture"),
            security=features.get("SecurityType"),
            plan=plan_at(properties, "plan"),
        )

    async def read_network_location(self, subnet_id: str) -> str:
        """The region of the virtual network that a subnet is part of. NotFound.

        https://learn.microsoft.com/rest/api/virtualnetwork/virtual-networks/get
        """
        found = resource_id.parse(subnet_id)
        if found is None:
            raise Refused("InvalidResourceId", f"{subnet_id[:200]!r} is not the id of a subnet")
        network = rest.json_of(await rest.get(self._clients.rest, found.parent(), _NETWORK))
        return region(text_at(network, "location"))

    async def read_group(self, group_id: str) -> Group:
        """A resource group. NotFound.

        https://learn.microsoft.com/rest/api/resources/resource-groups/get
        """
        split_group(group_id)
        return _group(rest.json_of(await rest.get(self._clients.rest, group_id, _GROUPS)))

    async def list_groups(self, subscription: str) -> AsyncIterator[Group]:
        """Every resource group of a subscription with its tags, all pages.

        https://learn.microsoft.com/rest/api/resources/resource-groups/list
        """
        path = f"/subscriptions/{subscription}/resourcegroups"
        async for body in rest.every(self._clients.rest, path, _GROUPS):
            yield _group(body)

    async def put_group(self, group_id: str, location: str, tags: Mapping[str, str]) -> None:
        """Create the group, or write its tags again.

        https://learn.microsoft.com/rest/api/resources/resource-groups/create-or-update
        """
        split_group(group_id)
        body = {"location": location, "tags": dict(tags)}
        await rest.call(self._clients.rest, "PUT", group_id, _GROUPS, body, accepts=(200, 201))

    async def begin_delete_group(self, group_id: str) -> None:
        """Begin to delete the group and everything in it. Refused when a resource in it is locked.

        https://learn.microsoft.com/rest/api/resources/resource-groups/delete
        """
        split_group(group_id)
        await rest.call(self._clients.rest, "DELETE", group_id, _GROUPS, accepts=(200, 202))

    async def put_nic(self, nic_id: str, body: Mapping[str, Any]) -> None:
        """PUT the network interface with exactly this ARM body.

        https://learn.microsoft.com/rest/api/virtualnetwork/network-interfaces/create-or-update
        """
        await rest.call(self._clients.rest, "PUT", nic_id, _NETWORK, body, accepts=(200, 201))

    async def read_machine(self, vm_id: str) -> Machine:
        """The VM with its instance view, in one GET. NotFound.

        https://learn.microsoft.com/rest/api/compute/virtual-machines/get
        """
        vm = split(vm_id, VM_TYPE)
        query = {"$expand": "instanceView"}
        answer = await rest.get(self._clients.rest, vm.text, _COMPUTE, query=query)
        return machine_from_arm(rest.json_of(answer), http_date(answer.headers))

    async def begin_create_vm(self, vm_id: str, body: Mapping[str, Any]) -> None:
        """PUT a new VM with exactly this ARM body.

        https://learn.microsoft.com/rest/api/compute/virtual-machines/create-or-update
        """
        vm = split(vm_id, VM_TYPE)
        await rest.call(self._clients.rest, "PUT", vm.text, _COMPUTE, body, accepts=(200, 201, 202))

    async def generalize(self, vm_id: str) -> None:
        """Mark the stopped VM as generalised; the answer means that it is done.

        https://learn.microsoft.com/rest/api/compute/virtual-machines/generalize
        """
        vm = split(vm_id, VM_TYPE)
        await rest.call(self._clients.rest, "POST", f"{vm.text}/generalize", _COMPUTE)


def machine_from_arm(body: Mapping[str, Any], read_at: str | None) -> Machine:
    """The facts in a VM's ARM `body`. The instance view of a failed VM has the reason.

    https://learn.microsoft.com/azure/virtual-machines/states-billing
    """
    vm_id, _, _ = identity_of(body)
    view = dict_at(body, "properties", "instanceView")
    failure = None
    for status in list_at(view, "statuses"):
        code = text_at(status, "code") or ""
        if code.lower().startswith(_FAILED):
            failure = code[len(_FAILED) :], text_at(status, "message") or "no message"
    codes = {(text_at(status, "code") or "").lower() for status in list_at(view, "statuses")}
    return Machine(
        vm_id,
        text_at(body, "properties", "provisioningState"),
        power_of(view),
        failure,
        generalized="osstate/generalized" in codes,
        unique_id=text_at(body, "properties", "vmId"),
        read_at=read_at,
    )


def _group(body: Mapping[str, Any]) -> Group:
    group_id, name, location = identity_of(body)
    return Group(group_id, name, location, text_at(body, "properties", "provisioningState"), tags_of(body))
