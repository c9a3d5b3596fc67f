"""Reads managed disks, and begins to create and delete them.

Decides which fields of ARM's answers become which facts. Does not know what a disk is for.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, cast

from refresh.arm import rest
from refresh.arm.bodies import (
    at,
    bool_at,
    dict_at,
    edge_zone_of,
    identity_of,
    int_at,
    list_at,
    plan_at,
    tags_of,
    text_at,
    zones_of,
)
from refresh.arm.clients import Clients, each_named, raw, split
from refresh.arm.errors import azure_errors
from refresh.arm.operations import begin
from refresh.domain.azure.disk_properties import kept_settings
from refresh.domain.azure.disks import Disk
from refresh.domain.terms import resource_id
from refresh.domain.terms.encodable import encodable
from refresh.domain.terms.resource_id import DISK_TYPE, VERSION_TYPE
from refresh.gateways.operations import Begun

# The one that the library uses for disks.
_VERSION = "2026-03-02"


class ArmDisks:
    """`gateways.Disks` on azure-mgmt-compute."""

    def __init__(self, clients: Clients) -> None:
        """Send requests through `clients`."""
        self._clients = clients

    async def read_disk(self, disk_id: str) -> Disk:
        """The disk in one GET. NotFound, Unavailable, Refused.

        https://learn.microsoft.com/rest/api/compute/disks/get
        """
        disk = split(disk_id, DISK_TYPE)
        with azure_errors():
            answer = cast(
                "Any", await self._clients.compute(disk.subscription).disks.get(disk.group, disk.name, cls=raw)
            )
            return disk_from_arm(answer.json())

    async def list_disks(self, subscription: str) -> AsyncIterator[Disk]:
        """Every disk of a subscription, all pages.

        https://learn.microsoft.com/rest/api/compute/disks/list
        """
        # The library would make a model of each disk first, seconds of work for thousands.
        path = f"/subscriptions/{subscription}/providers/Microsoft.Compute/disks"
        async for disk in each_named(rest.every_resource(self._clients.rest, path, _VERSION), disk_from_arm):
            yield disk

    async def begin_create_disk(self, disk_id: str, body: Mapping[str, Any]) -> Begun:
        """PUT the disk with exactly this ARM body.

        https://learn.microsoft.com/rest/api/compute/disks/create-or-update
        """
        disk = split(disk_id, DISK_TYPE)
        operations = self._clients.compute(disk.subscription).disks
        return await begin(operations.begin_create_or_update, disk.group, disk.name, dict(body))

    async def begin_delete_disk(self, disk_id: str) -> Begun:
        """DELETE the disk; Azure refuses while it is attached. There is no If-Match for disks: they have no etag.

        https://learn.microsoft.com/rest/api/compute/disks/delete
        """
        disk = split(disk_id, DISK_TYPE)
        return await begin(self._clients.compute(disk.subscription).disks.begin_delete, disk.group, disk.name)


def disk_from_arm(body: Mapping[str, Any]) -> Disk:
    """The facts in a disk's ARM `body`. Unavailable for a body without id."""
    disk_id, name, location = identity_of(body)
    properties = dict_at(body, "properties") or {}
    return Disk(
        id=disk_id,
        name=name,
        location=location,
        provisioning_state=text_at(properties, "provisioningState"),
        disk_state=text_at(properties, "diskState"),
        managed_by=text_at(body, "managedBy"),
        os_type=text_at(properties, "osType"),
        generation=text_at(properties, "hyperVGeneration"),
        zones=zones_of(body),
        size_gb=int_at(properties, "diskSizeGB"),
        sku=text_at(body, "sku", "name"),
        tier=text_at(properties, "tier"),
        architecture=text_at(properties, "supportedCapabilities", "architecture"),
        disk_controllers=text_at(properties, "supportedCapabilities", "diskControllerTypes"),
        # https://learn.microsoft.com/rest/api/compute/disks/get#encryptionsettingscollection
        encrypted_inside=bool_at(properties, "encryptionSettingsCollection", "enabled") or False,
        security_type=text_at(properties, "securityProfile", "securityType"),
        encryption=dict_at(properties, "encryption"),
        network_access_policy=text_at(properties, "networkAccessPolicy"),
        public_network_access=text_at(properties, "publicNetworkAccess"),
        disk_access_id=text_at(properties, "diskAccessId"),
        bursting_enabled=bool_at(properties, "burstingEnabled"),
        source_version=_source_version(dict_at(properties, "creationData")),
        time_created=text_at(properties, "timeCreated"),
        shared_by=tuple(encodable(str(owner)) for owner in list_at(body, "managedByExtended")),
        owned_since=_owned_since(properties),
        edge_zone=edge_zone_of(body),
        supports_hibernation=bool_at(properties, "supportsHibernation") or False,
        plan=plan_at(properties, "purchasePlan"),
        settings=kept_settings(body),
        tags=tags_of(body),
    )


def _owned_since(properties: Mapping[str, Any]) -> str | None:
    """When the disk's owner last changed; a time that cannot be parsed is not the same as none.

    https://learn.microsoft.com/rest/api/compute/disks/get#disk
    """
    found = at(properties, "LastOwnershipUpdateTime")
    return None if found is None else encodable(str(found))


def _source_version(creation: Mapping[str, Any] | None) -> str | None:
    """The gallery image version that a disk was made from, as its immutable creationData names it.

    Versions of shared and community galleries have ids of another form. They are returned too: such a disk must not
    count as one from no image.
    https://learn.microsoft.com/rest/api/compute/disks/get#creationdata
    """
    for kind in ("id", "sharedGalleryImageId", "communityGalleryImageId"):
        if (found := text_at(creation, "galleryImageReference", kind)) is not None:
            return found
    image = text_at(creation, "imageReference", "id")
    parsed = resource_id.parse(image)
    return image if parsed is not None and parsed.type == VERSION_TYPE else None
