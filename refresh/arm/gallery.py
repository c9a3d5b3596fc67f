"""Reads image definitions and versions of Compute Galleries, and begins to create, change and delete them.

Decides which fields of ARM's answers become which facts. Does not choose a version.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, cast

from refresh.arm.bodies import (
    bool_at,
    dict_at,
    edge_zone_of,
    identity_of,
    int_at,
    list_at,
    plan_at,
    region,
    tags_of,
    text_at,
)
from refresh.arm.clients import Clients, every, raw, split
from refresh.arm.errors import azure_errors
from refresh.arm.operations import begin, progress
from refresh.domain.azure.galleries import Definition, Region, Version, declared_flag
from refresh.domain.terms.resource_id import DEFINITION_TYPE, GALLERY_TYPE, VERSION_TYPE
from refresh.gateways.operations import Begun, Progress


class ArmGallery:
    """`gateways.Gallery` on azure-mgmt-compute."""

    def __init__(self, clients: Clients) -> None:
        """Send requests through `clients`."""
        self._clients = clients

    async def list_definitions(self, gallery_id: str) -> AsyncIterator[Definition]:
        """Every image definition of a gallery.

        https://learn.microsoft.com/rest/api/compute/gallery-images/list-by-gallery
        """
        gallery = split(gallery_id, GALLERY_TYPE)
        operations = self._clients.compute(gallery.subscription).gallery_images
        async for body in every(operations.list_by_gallery(gallery.group, gallery.name)):
            yield definition_from_arm(body)

    async def read_definition(self, definition_id: str) -> Definition:
        """One image definition.

        https://learn.microsoft.com/rest/api/compute/gallery-images/get
        """
        found = split(definition_id, DEFINITION_TYPE)
        gallery, definition = found.names
        operations = self._clients.compute(found.subscription).gallery_images
        with azure_errors():
            answer = cast("Any", await operations.get(found.group, gallery, definition, cls=raw))
            return definition_from_arm(answer.json())

    async def list_versions(self, definition_id: str) -> AsyncIterator[Version]:
        """Every version of a definition, without replication status.

        https://learn.microsoft.com/rest/api/compute/gallery-image-versions/list-by-gallery-image
        """
        found = split(definition_id, DEFINITION_TYPE)
        gallery, definition = found.names
        operations = self._clients.compute(found.subscription).gallery_image_versions
        async for body in every(operations.list_by_gallery_image(found.group, gallery, definition)):
            yield version_from_arm(body)

    async def read_version(self, version_id: str) -> Version:
        """One version with its replication status.

        https://learn.microsoft.com/rest/api/compute/gallery-image-versions/get
        """
        found = split(version_id, VERSION_TYPE)
        gallery, definition, version = found.names
        operations = self._clients.compute(found.subscription).gallery_image_versions
        with azure_errors():
            answer = cast(
                "Any",
                await operations.get(found.group, gallery, definition, version, expand="ReplicationStatus", cls=raw),
            )
            return version_from_arm(answer.json())

    async def begin_create_version(self, version_id: str, body: Mapping[str, Any]) -> Begun:
        """PUT the version with exactly this ARM body; the token outlives the activity that began it.

        https://learn.microsoft.com/rest/api/compute/gallery-image-versions/create-or-update
        """
        found = split(version_id, VERSION_TYPE)
        gallery, definition, version = found.names
        operations = self._clients.compute(found.subscription).gallery_image_versions
        return await begin(operations.begin_create_or_update, found.group, gallery, definition, version, dict(body))

    async def begin_exclude_version(self, version_id: str, targets: Sequence[Mapping[str, Any]]) -> Begun:
        """Exclude this version from `latest` in every region.

        https://learn.microsoft.com/rest/api/compute/gallery-image-versions/update
        """
        return await self._begin_update(version_id, {"properties": {"publishingProfile": _profile(targets, True)}})

    async def begin_admit_version(
        self, version_id: str, tags: Mapping[str, str], targets: Sequence[Mapping[str, Any]]
    ) -> Begun:
        """Include this version in `latest`, and make `tags` its tags: a PATCH replaces them all.

        https://learn.microsoft.com/rest/api/compute/gallery-image-versions/update
        """
        body = {"tags": dict(tags), "properties": {"publishingProfile": _profile(targets, False)}}
        return await self._begin_update(version_id, body)

    async def _begin_update(self, version_id: str, body: dict[str, Any]) -> Begun:
        found = split(version_id, VERSION_TYPE)
        gallery, definition, version = found.names
        operations = self._clients.compute(found.subscription).gallery_image_versions
        return await begin(operations.begin_update, found.group, gallery, definition, version, body)

    async def begin_create_definition(self, definition_id: str, body: Mapping[str, Any]) -> Begun:
        """PUT the image definition with exactly this ARM body.

        https://learn.microsoft.com/rest/api/compute/gallery-images/create-or-update
        """
        found = split(definition_id, DEFINITION_TYPE)
        gallery, definition = found.names
        operations = self._clients.compute(found.subscription).gallery_images
        return await begin(operations.begin_create_or_update, found.group, gallery, definition, dict(body))

    async def begin_delete_version(self, version_id: str) -> Begun:
        """DELETE the version in every region; disks made from it stay. There is no If-Match: versions have no etag.

        https://learn.microsoft.com/rest/api/compute/gallery-image-versions/delete
        """
        found = split(version_id, VERSION_TYPE)
        gallery, definition, version = found.names
        operations = self._clients.compute(found.subscription).gallery_image_versions
        return await begin(operations.begin_delete, found.group, gallery, definition, version)

    async def version_progress(self, version_id: str, token: str) -> Progress:
        """The state of the creation of `token`: one GET; `Unknown` when only the version itself has it."""
        found = split(version_id, VERSION_TYPE)
        gallery, definition, version = found.names
        operations = self._clients.compute(found.subscription).gallery_image_versions
        return await progress(
            operations.begin_create_or_update, found.group, gallery, definition, version, {}, token=token
        )


def _profile(targets: Sequence[Mapping[str, Any]], excluded: bool) -> dict[str, Any]:
    """The publishing profile in a change of a version's exclusion.

    The target regions are repeated, as in every documented change of a version: the effect on regions that are left out
    is not documented. An empty list could drop them all, so it is not sent for a version without regions.
    """
    repeated = {"targetRegions": [dict(target) for target in targets]} if targets else {}
    return {**repeated, "excludeFromLatest": excluded}


def definition_from_arm(body: Mapping[str, Any]) -> Definition:
    """The facts in an image definition's ARM `body`. Unavailable for a body without id."""
    definition_id, name, location = identity_of(body)
    properties = dict_at(body, "properties") or {}
    features = {
        (text_at(feature, "name") or "").lower(): text_at(feature, "value")
        for feature in list_at(properties, "features")
    }
    return Definition(
        id=definition_id,
        name=name,
        location=location,
        os_type=text_at(properties, "osType"),
        os_state=text_at(properties, "osState"),
        generation=text_at(properties, "hyperVGeneration"),
        architecture=text_at(properties, "architecture"),
        # https://learn.microsoft.com/azure/virtual-machines/trusted-launch-portal#trusted-launch-supported-images
        security_type=features.get("securitytype"),
        tags=tags_of(body),
        provisioning_state=text_at(properties, "provisioningState"),
        # https://learn.microsoft.com/azure/virtual-machines/shared-image-galleries#image-definitions
        disk_controllers=features.get("diskcontrollertypes"),
        accelerated_network=declared_flag(features.get("isacceleratednetworksupported")),
        hibernates=declared_flag(features.get("ishibernatesupported")),
        plan=plan_at(properties, "purchasePlan"),
    )


def version_from_arm(body: Mapping[str, Any]) -> Version:
    """The facts in an image version's ARM `body`; replication only when it was requested. Unavailable without id.

    Target regions have display names (`West US`), the replication summary either form: both become `westus`.
    """
    version_id, name, location = identity_of(body)
    properties = dict_at(body, "properties") or {}
    profile, storage = dict_at(properties, "publishingProfile"), dict_at(properties, "storageProfile")
    summary = {region(text_at(row, "region")): row for row in list_at(properties, "replicationStatus", "summary")}
    return Version(
        id=version_id,
        name=name,
        location=location,
        provisioning_state=text_at(properties, "provisioningState"),
        regions=tuple(_region(target, summary) for target in list_at(profile, "targetRegions")),
        excluded_from_latest=bool_at(profile, "excludeFromLatest") or False,
        source_id=text_at(storage, "source", "virtualMachineId")
        or text_at(storage, "source", "id")
        # A VHD's own id is that of the storage account, in answers of some api-versions.
        or text_at(storage, "osDiskImage", "source", "uri")
        or text_at(storage, "osDiskImage", "source", "id"),
        os_disk_size_gb=int_at(storage, "osDiskImage", "sizeInGB"),
        published_at=text_at(profile, "publishedDate"),
        targets=tuple(target for target in list_at(profile, "targetRegions") if isinstance(target, Mapping)),
        edge_zones=tuple(
            (region(text_at(target, "name")), edge)
            for target in list_at(profile, "targetExtendedLocations")
            if (edge := edge_zone_of(target)) is not None
        ),
        tags=tags_of(body),
    )


def _region(target: object, summary: Mapping[str, object]) -> Region:
    name = region(text_at(target, "name"))
    row = summary.get(name)
    return Region(
        name=name,
        state=text_at(row, "state"),
        progress=int_at(row, "progress"),
        excluded_from_latest=bool_at(target, "excludeFromLatest") or False,
        details=text_at(row, "details"),
        replicas=int_at(target, "regionalReplicaCount"),
        storage=text_at(target, "storageAccountType"),
        encrypted=dict_at(target, "encryption") is not None,
    )
