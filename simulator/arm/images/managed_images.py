"""Microsoft.Compute/images: managed images, made from a generalized VM, or from blobs, disks and snapshots.

Decides the fields of a managed image and which sources Azure refuses. Does not know the versions and disks made from
one. https://learn.microsoft.com/rest/api/compute/images
"""

from __future__ import annotations

import copy

from simulator.arm.core import errors
from simulator.arm.core.api_since import shown_in
from simulator.arm.core.bodies import without
from simulator.arm.core.ids import parse_id
from simulator.arm.core.messages import Answer, Request
from simulator.arm.core.operations import Work, accepted
from simulator.arm.core.resource_types import ResourceType
from simulator.arm.core.services import Services
from simulator.arm.core.store import Json, Record
from simulator.arm.core.tag_rules import check_tags
from simulator.arm.state.attachments import attached_disk
from simulator.arm.state.contents import Content, captured, content_keys, content_of, take_content
from simulator.arm.state.disk_bodies import identify
from simulator.arm.state.vm_state import vm_state

MANAGED_IMAGE_TYPE = "Microsoft.Compute/images"
_READ_ONLY = ("id", "name", "type")
_LINKS = ("managedDisk", "snapshot")
_BLOB_GB = 30


class ManagedImages:
    """The provider of managed images."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def resource_type(self) -> ResourceType:
        """The router's view of managed images."""
        return ResourceType(
            name=MANAGED_IMAGE_TYPE,
            render=lambda record, request: shown_in(record, request.api_version) if request else record.body,
            put=self.put,
            patch=self.patch,
            delete=self.delete,
            fill=self.fill,
            scenario_keys=content_keys,
        )

    def fill(self, record: Record) -> None:
        """Complete an image of a scenario: a generalized Linux unless its body differs."""
        identify(record)
        os_disk = record.properties.setdefault("storageProfile", {}).setdefault("osDisk", {})
        for key, value in {"osType": "Linux", "osState": "Generalized", "diskSizeGB": _BLOB_GB}.items():
            os_disk.setdefault(key, value)
        record.properties.setdefault("hyperVGeneration", "V1")
        record.properties.setdefault("provisioningState", "Succeeded")
        take_content(record, Content())

    def put(self, request: Request) -> Answer:
        """Make an image; only the tags of an existing one can change."""
        check_tags(request.body.get("tags"))
        if self._services.store.get(request.id) is not None:
            return self.patch(request)
        sent = without(request.body, _READ_ONLY)
        if not sent.get("location"):
            raise errors.location_required()
        record = Record(request.id, copy.deepcopy(sent))
        source = record.properties.get("sourceVirtualMachine") or {}
        if (profile := record.properties.get("storageProfile")) is not None:
            profile.setdefault("dataDisks", [])
        if source.get("id"):
            self._take_vm(record, str(source["id"]))
        else:
            self._take_disks(record)
        identify(record)
        record.properties["provisioningState"] = "Creating"
        self._services.store.put(record)

        def done() -> None:
            for block in _blocks(record):
                block["diskSizeGB"] = self._size_gb(block)
            record.properties["provisioningState"] = "Succeeded"

        def failed(error: Json | None) -> None:
            record.properties["provisioningState"] = "Failed" if error else "Succeeded"

        work = Work("imageCreate", "imageCreate", done, failed, f"{MANAGED_IMAGE_TYPE}/write")
        operation = self._services.operations.begin(request, record.id, record.location, work)
        return accepted(request, operation, 201, copy.deepcopy(record.body))

    def patch(self, request: Request) -> Answer:
        """Change the tags."""
        missing = errors.resource_not_found(request.id.path_name, request.id.group)
        record = self._services.require(request.id, missing)
        check_tags(request.body.get("tags"))
        if "tags" in request.body:
            record.body["tags"] = dict(request.body["tags"] or {})
        self._services.notify_write(request, record.id, f"{MANAGED_IMAGE_TYPE}/write", "write", record.id.text)
        return Answer(200, record.body)

    def delete(self, request: Request) -> Answer:
        """Delete an image; the resources made from it stay."""
        record = self._services.store.get(request.id)
        if record is None:
            return Answer(204)

        def gone() -> None:
            self._services.store.delete(record, self._services.clock.time())

        def failed(_error: Json | None) -> None:
            record.properties["provisioningState"] = "Succeeded"

        record.properties["provisioningState"] = "Deleting"
        work = Work("imageDelete", "diskDelete", gone, failed, f"{MANAGED_IMAGE_TYPE}/delete", "delete")
        return accepted(request, self._services.operations.begin(request, record.id, record.location, work), 202)

    def _take_vm(self, record: Record, text: str) -> None:
        vm = self._find(text, "sourceVirtualMachine")
        if (vm.properties.get("securityProfile") or {}).get("securityType") == "TrustedLaunch":
            text = "Managed Images are not supported for virtual machines with security type TrustedLaunch."
            raise errors.invalid_parameter(text, "sourceVirtualMachine.id")
        if not vm_state(vm).generalized:
            # Message not known.
            text = f"The source VM '{vm.id.name}' of the image is not generalized. Generalize it before the capture."
            raise errors.not_allowed(text, "sourceVirtualMachine.id")
        self._check_place(record, vm)
        storage = vm.properties.get("storageProfile", {})
        os_disk = storage.get("osDisk", {})
        profile: Json = {
            "osDisk": {
                "osType": os_disk.get("osType"),
                "osState": "Generalized",
                **self._of_block(os_disk, "ReadWrite"),
            }
        }
        data = [{"lun": block.get("lun", 0), **self._of_block(block, "None")} for block in storage.get("dataDisks", [])]
        profile["dataDisks"] = data
        record.properties["storageProfile"] = profile
        record.properties.setdefault("hyperVGeneration", "V1")
        record.content = captured(self._services, {"source": {"virtualMachineId": vm.id.text}})

    def _take_disks(self, record: Record) -> None:
        os_disk = (record.properties.get("storageProfile") or {}).get("osDisk") or {}
        for key in ("osType", "osState"):
            if not os_disk.get(key):
                raise errors.invalid_parameter(f"Required parameter '{key}' is missing (null).", f"osDisk.{key}")
        if not record.properties.get("hyperVGeneration"):
            # https://github.com/Azure/azure-sdk-for-python/issues/12762
            text = "Required parameter 'hyperVGeneration' is missing (null)."
            raise errors.invalid_parameter(text, "hyperVGeneration")
        for block in _blocks(record):
            if not block.get("blobUri") and not _link(block):
                text = "Required parameter 'blobUri', 'managedDisk' or 'snapshot' is missing (null)."
                raise errors.invalid_parameter(text, "storageProfile")
            if link := _link(block):
                source = self._find(link, "storageProfile")
                self._check_place(record, source)
                record.content = content_of(source) if block is os_disk else record.content
            block.setdefault("caching", "None")
            block.setdefault("storageAccountType", "Standard_LRS")

    def _of_block(self, block: Json, caching: str) -> Json:
        if blob := (block.get("vhd") or {}).get("uri"):
            size_gb = block.get("diskSizeGB", _BLOB_GB)
            unmanaged = {"blobUri": blob, "diskSizeGB": size_gb, "storageAccountType": "Standard_LRS"}
            return {**unmanaged, "caching": block.get("caching", caching)}
        disk = attached_disk(self._services, block)
        sku = disk.body.get("sku", {}).get("name") if disk else None
        return {
            "managedDisk": {"id": (block.get("managedDisk") or {}).get("id")},
            "caching": block.get("caching", caching),
            "storageAccountType": sku or "Premium_LRS",
        }

    def _check_place(self, record: Record, source: Record) -> None:
        if source.location != record.location:
            # Message not known; Azure documents that an image is made in the region of its source.
            text = (
                f"The source '{source.id.text}' is in location '{source.location}', the image in '{record.location}'."
            )
            raise errors.invalid_parameter(text, "storageProfile")

    def _size_gb(self, block: Json) -> int:
        source = self._services.store.get(_link(block) or "") if _link(block) else None
        return int((source.properties.get("diskSizeGB") if source else None) or block.get("diskSizeGB") or _BLOB_GB)

    def _find(self, text: str, target: str) -> Record:
        try:
            source = parse_id(text)
        except ValueError as error:
            raise errors.invalid_parameter(f"The value '{text}' of parameter 'id' is invalid.", target) from error
        return self._services.require(source, errors.resource_not_found(source.path_name, source.group))


def _blocks(record: Record) -> list[Json]:
    profile = record.properties.get("storageProfile") or {}
    return [block for block in (profile.get("osDisk"), *profile.get("dataDisks", [])) if block]


def _link(block: Json) -> str | None:
    links = (str((block.get(key) or {}).get("id") or "") for key in _LINKS)
    return next((link for link in links if link), None)
