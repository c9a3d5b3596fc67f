"""Reads the sources of image versions: VMs, managed images, versions, disks, snapshots, VHDs.

Decides which field of ARM each fact comes from. `domain/images/source_fit.py` judges whether a source fits.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any, cast

from refresh.arm.bodies import identity_of, tags_of, text_at
from refresh.arm.clients import Clients, every, raw, split, split_group
from refresh.arm.compute import ArmCompute
from refresh.arm.disks import ArmDisks, disk_from_arm
from refresh.arm.errors import azure_errors
from refresh.arm.gallery import ArmGallery
from refresh.arm.operations import begin
from refresh.arm.rest import get, json_of
from refresh.domain.azure.disks import Disk
from refresh.domain.azure.managed_images import Image
from refresh.domain.images.source_fit import SourceFacts, busy_disk
from refresh.domain.images.sources import SourceKind, SourcePart
from refresh.domain.terms.resource_id import parse
from refresh.gateways.errors import Refused
from refresh.gateways.operations import Begun

IMAGE_TYPE = "microsoft.compute/images"
_SNAPSHOT_TYPE = "microsoft.compute/snapshots"
_STORAGE_VERSION = "2023-05-01"


class ArmSources:
    """`gateways.Sources` on azure-mgmt-compute and, for storage accounts, one plain GET."""

    def __init__(self, clients: Clients) -> None:
        """Send requests through `clients`."""
        self._clients = clients
        self._compute, self._disks, self._gallery = ArmCompute(clients), ArmDisks(clients), ArmGallery(clients)

    async def read_source(self, part: SourcePart, storage: str | None = None) -> SourceFacts:
        """The facts of `part`; for a VHD, those of the storage account `storage` that contains it."""
        match part.kind:
            case SourceKind.VM:
                return await self._vm(part)
            case SourceKind.IMAGE:
                return await self._image(part)
            case SourceKind.VERSION:
                return await self._version(part)
            case SourceKind.DISK:
                return _of_disk(part, await self._disks.read_disk(part.id))
            case SourceKind.SNAPSHOT:
                return await self._snapshot(part)
            case SourceKind.VHD:
                return await self._vhd(part, storage or "")
        raise Refused("InvalidSource", f"a source of kind {part.kind} cannot be read from Azure")

    async def list_images(self, group_id: str) -> AsyncIterator[Image]:
        """Every managed image of a resource group, all pages.

        https://learn.microsoft.com/rest/api/compute/images/list-by-resource-group
        """
        subscription, group = split_group(group_id)
        async for body in every(self._clients.compute(subscription).images.list_by_resource_group(group)):
            image_id, name, _ = identity_of(body)
            yield Image(image_id, name, text_at(body, "properties", "provisioningState"), tags_of(body))

    async def begin_create_image(self, image_id: str, body: Mapping[str, Any]) -> Begun:
        """PUT a managed image with exactly this ARM body.

        https://learn.microsoft.com/rest/api/compute/images/create-or-update
        """
        found = split(image_id, IMAGE_TYPE)
        operations = self._clients.compute(found.subscription).images
        return await begin(operations.begin_create_or_update, found.group, found.name, dict(body))

    async def begin_delete_image(self, image_id: str) -> Begun:
        """DELETE a managed image; versions made from it stay.

        https://learn.microsoft.com/rest/api/compute/images/delete
        """
        found = split(image_id, IMAGE_TYPE)
        return await begin(self._clients.compute(found.subscription).images.begin_delete, found.group, found.name)

    async def _vm(self, part: SourcePart) -> SourceFacts:
        vm = await self._compute.read_vm(part.id)
        facts = SourceFacts(
            part,
            vm.name,
            vm.location,
            os_type=vm.os_type,
            os_state="Generalized" if vm.generalized else "Specialized",
            generation=vm.generation,
            security_type=vm.security_type,
            busy=None if vm.provisioning_state == "Succeeded" else vm.provisioning_state or "in an unknown state",
        )
        if vm.os_disk_id is None or vm.ephemeral_os_disk:
            # https://learn.microsoft.com/azure/virtual-machines/ephemeral-os-disks
            return replace(
                facts, unfit="its OS disk is ephemeral or not managed, and Azure captures no image of such a VM"
            )
        # A VM has a generation in ARM only while it is allocated, and never an architecture.
        disk = await self._disks.read_disk(vm.os_disk_id)
        return replace(facts, generation=disk.generation or vm.generation, architecture=disk.architecture)

    async def _image(self, part: SourcePart) -> SourceFacts:
        found = split(part.id, IMAGE_TYPE)
        with azure_errors():
            operations = self._clients.compute(found.subscription).images
            body = cast("Any", await operations.get(found.group, found.name, cls=raw)).json()
        _, name, location = identity_of(body)
        properties = body.get("properties")
        state = text_at(properties, "provisioningState")
        return SourceFacts(
            part,
            name,
            location,
            os_type=text_at(properties, "storageProfile", "osDisk", "osType"),
            os_state=text_at(properties, "storageProfile", "osDisk", "osState"),
            # Images from before Azure had generation 2 have none.
            generation=text_at(properties, "hyperVGeneration") or "V1",
            busy=None if state == "Succeeded" else state or "in an unknown state",
        )

    async def _version(self, part: SourcePart) -> SourceFacts:
        version = await self._gallery.read_version(part.id)
        parent = parse(version.id)
        if parent is None:
            raise Refused("InvalidResourceId", f"{version.id[:200]!r} is not the id of an image version")
        definition = await self._gallery.read_definition(parent.parent())
        state = version.provisioning_state
        return SourceFacts(
            part,
            f"{definition.name}/{version.name}",
            version.location,
            os_type=definition.os_type,
            os_state=definition.os_state,
            generation=definition.generation,
            architecture=definition.architecture,
            security_type=definition.security_type,
            size_gb=version.os_disk_size_gb,
            busy=None if state == "Succeeded" else state or "in an unknown state",
            definition=definition.id.lower(),
        )

    async def _snapshot(self, part: SourcePart) -> SourceFacts:
        found = split(part.id, _SNAPSHOT_TYPE)
        with azure_errors():
            operations = self._clients.compute(found.subscription).snapshots
            body = cast("Any", await operations.get(found.group, found.name, cls=raw)).json()
        return _of_disk(part, disk_from_arm(body))

    async def _vhd(self, part: SourcePart, storage: str) -> SourceFacts:
        answer = await get(self._clients.rest, storage, _STORAGE_VERSION)
        _, _, location = identity_of(json_of(answer))
        return SourceFacts(part, part.id.rsplit("/", 1)[-1], location)


def _of_disk(part: SourcePart, disk: Disk) -> SourceFacts:
    return SourceFacts(
        part,
        disk.name,
        disk.location,
        os_type=disk.os_type,
        generation=disk.generation,
        architecture=disk.architecture,
        security_type=disk.security_type,
        size_gb=disk.size_gb,
        busy=busy_disk(disk.provisioning_state, disk.disk_state),
    )
