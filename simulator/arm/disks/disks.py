"""Microsoft.Compute/disks: create, read, update, delete.

Decides which disk writes Azure accepts and when their effect is visible. Leaves inherited properties to
`disk_sources.py`, defaults to `disk_bodies.py` and ownership to `attachments.py`.
https://learn.microsoft.com/rest/api/compute/disks
"""

from __future__ import annotations

import copy

from simulator.arm.core import errors
from simulator.arm.core.api_since import shown_in
from simulator.arm.core.bodies import merged, without
from simulator.arm.core.locations import has_zones
from simulator.arm.core.messages import Answer, Request, stamp
from simulator.arm.core.operations import Work, accepted
from simulator.arm.core.resource_types import ResourceType
from simulator.arm.core.services import Services
from simulator.arm.core.store import Json, Record
from simulator.arm.core.tag_rules import check_tags
from simulator.arm.state.attachments import DISK_TYPE
from simulator.arm.state.contents import content_keys, copied, take_content
from simulator.arm.state.disk_bodies import complete_disk, derive_performance, identify
from simulator.arm.state.disk_sizes import SKUS, has_chosen_performance, sku_tier
from simulator.arm.state.disk_sources import SourceFacts, check_security, source_facts
from simulator.arm.state.edge_zones import check_place_kept, complete_place, edge_zone

_WRITE = f"{DISK_TYPE}/write"
_READ_ONLY = ("id", "name", "type", "managedBy", "managedByExtended")
_READ_ONLY_PROPERTIES = ("provisioningState", "diskState", "timeCreated", "uniqueId", "diskSizeBytes")
_PERFORMANCE_PLUS_GB = 513
_TAKES = {"Empty": "diskEmpty", "Copy": "diskCopy", "Restore": "diskCopy"}


class Disks:
    """The provider of managed disks."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def resource_type(self) -> ResourceType:
        """The router's view of disks."""
        return ResourceType(
            name=DISK_TYPE,
            render=lambda record, request: _shown(record, request.api_version if request else None),
            put=self.put,
            patch=self.patch,
            delete=self.delete,
            fill=self.fill,
            scenario_keys=content_keys,
        )

    def fill(self, record: Record) -> None:
        """Complete a disk of a scenario: from its source, empty without one."""
        properties = record.properties
        creation = properties.setdefault("creationData", {})
        creation.setdefault("createOption", "FromImage" if creation.get("galleryImageReference") else "Empty")
        record.body.setdefault("sku", {"name": "Premium_LRS"})
        try:
            facts = source_facts(self._services, creation, record.location, edge_zone(record.body))
        except errors.ArmError:
            facts = SourceFacts()  # a scenario can name a deleted source, as disks in Azure do
        for key, value in facts.disk_properties().items():
            properties.setdefault(key, value)
        if record.body.get("managedBy"):
            properties.setdefault("diskState", "Attached")
        take_content(record, copied(self._services, creation))
        complete_place(record.body)
        complete_disk(self._services, record)

    def put(self, request: Request) -> Answer:
        """Create a disk, or update an existing one."""
        check_tags(request.body.get("tags"))
        record = self._services.store.get(request.id)
        sent = without(request.body, _READ_ONLY)
        sent["properties"] = without(sent.get("properties", {}), _READ_ONLY_PROPERTIES)
        if record is None:
            return self._create(request, sent)
        sent_source, own_source = sent["properties"].get("creationData", {}), record.properties.get("creationData", {})
        if sent_source and sent_source.get("createOption") != own_source.get("createOption"):
            raise errors.change_not_allowed("creationData.createOption")
        sent["properties"].pop("creationData", None)
        tags = {"tags": sent["tags"]} if "tags" in sent else {}
        return self._update(request, record, merged(record.body, without(sent, ["tags"])) | tags)

    def patch(self, request: Request) -> Answer:
        """Change parts of a disk."""
        missing = errors.resource_not_found(request.id.path_name, request.id.group)
        record = self._services.require(request.id, missing)
        check_tags(request.body.get("tags"))
        sent = without(request.body, (*_READ_ONLY, "tags", "location"))
        sent["properties"] = without(sent.get("properties", {}), (*_READ_ONLY_PROPERTIES, "creationData"))
        tags = {"tags": dict(request.body["tags"] or {})} if "tags" in request.body else {}
        return self._update(request, record, merged(record.body, sent) | tags)

    def delete(self, request: Request) -> Answer:
        """Delete a disk that is not attached to a VM."""
        record = self._services.store.get(request.id)
        if record is None:
            return Answer(204)
        if owner := record.body.get("managedBy"):
            raise errors.not_allowed(f"Disk {record.id.name} is attached to VM {owner}.")
        before = record.properties["provisioningState"]
        record.properties["provisioningState"] = "Deleting"

        def gone() -> None:
            self._services.store.delete(record, self._services.clock.time())

        def failed(_error: Json | None) -> None:
            record.properties["provisioningState"] = before

        work = Work("diskDelete", "diskDelete", gone, failed, f"{DISK_TYPE}/delete", "delete")
        return accepted(request, self._services.operations.begin(request, record.id, record.location, work), 202)

    def _create(self, request: Request, sent: Json) -> Answer:
        location = sent.get("location")
        if not location:
            raise errors.location_required()
        sku = sent.get("sku", {}).get("name", "Standard_LRS")
        _check_sku_and_zones(request.id.path_name, location, sku, sent.get("zones") or [])
        creation = sent["properties"].get("creationData")
        if not creation or not creation.get("createOption"):
            raise errors.invalid_parameter(
                "Required parameter 'disk.creationData' is missing (null).", "disk.creationData"
            )
        complete_place(sent)
        facts = source_facts(self._services, creation, location, edge_zone(sent))
        check_security(creation["createOption"], (sent["properties"].get("securityProfile") or {}).get("securityType"))
        properties = _new_properties(sent["properties"], facts)
        body = {**copy.deepcopy(sent), "properties": {**properties, "provisioningState": "Updating"}}
        record = self._services.store.put(Record(request.id, body, content=copied(self._services, creation)))
        complete_disk(self._services, record)
        if creation["createOption"].startswith("Upload"):
            record.properties["diskState"] = "ReadyToUpload"
        takes = _TAKES.get(creation["createOption"], "diskImport")
        if creation["createOption"] == "FromImage":
            takes = "diskFromGallery" if creation.get("galleryImageReference") else "diskFromPlatformImage"

        def made() -> Json:
            record.properties["provisioningState"] = "Succeeded"
            return copy.deepcopy(_shown(record, request.api_version))

        def failed(_error: Json | None) -> None:
            self._services.store.delete(record, self._services.clock.time())

        work = Work("diskCreate", takes, made, failed, _WRITE)
        operation = self._services.operations.begin(request, record.id, record.location, work)
        return accepted(request, operation, 202, _echo(record, sent))

    def _update(self, request: Request, record: Record, model: Json) -> Answer:
        if record.properties.get("provisioningState") not in ("Succeeded", "Failed"):
            raise errors.conflict()
        check_place_kept(record, request.body)
        if record.properties.get("diskState") == "Frozen" and request.body.keys() - {"tags", "location"}:
            # Documented: https://learn.microsoft.com/azure/virtual-machines/hibernate-resume (message not known).
            raise errors.not_allowed(f"Disk {record.id.name} is attached to a hibernated VM and cannot be modified.")
        model["sku"]["tier"] = sku_tier(model["sku"]["name"])
        _check_resize(record, model)
        record.properties["provisioningState"] = "Updating"

        def done() -> Json:
            if int(model["properties"]["diskSizeGB"]) < int(record.properties["diskSizeGB"]):
                raise errors.invalid_parameter("Disks or snapshot cannot be resized down.")
            for key in ("managedBy", "managedByExtended", *(() if "tags" in request.body else ("tags",))):
                model.pop(key, None)  # ownership and tags can change while the update is in progress
            kept = {key: record.properties[key] for key in _READ_ONLY_PROPERTIES if key in record.properties}
            record.body |= {**model, "properties": model["properties"] | kept}
            derive_performance(record.body)
            if record.properties.get("burstingEnabled"):
                record.properties.setdefault("burstingEnabledTime", stamp(self._services.now()))
            record.properties["provisioningState"] = "Succeeded"
            return copy.deepcopy(_shown(record, request.api_version))

        def failed(_error: Json | None) -> None:
            record.properties["provisioningState"] = "Succeeded"

        work = Work("diskUpdate", "diskUpdate", done, failed, _WRITE)
        operation = self._services.operations.begin(request, record.id, record.location, work)
        if request.method == "PATCH":
            # It has every field; the answer to a PUT repeats the request.
            properties = {**record.properties, **model["properties"], "provisioningState": "Updating"}
            return accepted(request, operation, 202, copy.deepcopy({**record.body, **model, "properties": properties}))
        return accepted(request, operation, 202, _echo(record, without(request.body, _READ_ONLY)))


def _shown(record: Record, api_version: str | None) -> Json:
    """The disk as Azure answers it; one that waits for its upload has no size (azure-cli, `test_vm_disk_upload`)."""
    body = record.body if api_version is None else shown_in(record, api_version)
    if record.properties.get("diskState") != "ReadyToUpload":
        return body
    return {**body, "properties": without(body["properties"], ("diskSizeGB", "diskSizeBytes"))}


def _new_properties(sent: Json, facts: SourceFacts) -> Json:
    """A new disk's properties: those of the request over the inherited ones.

    A request can set every property that is not read-only, capabilities of the OS too:
    https://learn.microsoft.com/rest/api/compute/disks/create-or-update#disk
    """
    inherited = facts.disk_properties()
    properties = inherited | without(sent, ["creationData"])
    if "supportedCapabilities" in sent and "supportedCapabilities" in inherited:
        # That those of the image stay beside them is assumed.
        properties["supportedCapabilities"] = inherited["supportedCapabilities"] | sent["supportedCapabilities"]
    if facts.plan:
        properties["purchasePlan"] = dict(facts.plan)  # the source's plan stays with its content
    creation = copy.deepcopy(sent["creationData"])
    reference = creation.get("galleryImageReference") or {}
    image = next(
        (reference[key] for key in ("id", "sharedGalleryImageId", "communityGalleryImageId") if key in reference), None
    )
    if image:
        creation.setdefault("imageReference", {"id": image})
    if facts.unique_id:
        creation["sourceUniqueId"] = facts.unique_id
    sent_gb = sent.get("diskSizeGB")
    if creation.get("performancePlus") and int(sent_gb or facts.size_gb or 0) < _PERFORMANCE_PLUS_GB:
        # Documented: https://learn.microsoft.com/azure/virtual-machines/disks-enable-performance (message not known).
        raise errors.invalid_parameter(
            f"Performance plus can only be enabled on disks of {_PERFORMANCE_PLUS_GB} GiB or more.",
            "disk.creationData.performancePlus",
        )
    if sent_gb is None and facts.size_gb is None:
        raise errors.invalid_parameter("Required parameter 'disk.diskSizeGB' is missing (null).", "disk.diskSizeGB")
    if sent_gb is not None and facts.size_gb is not None and int(sent_gb) < facts.size_gb:
        raise errors.not_allowed(
            f"The specified disk size {sent_gb} GB is smaller than the size of the corresponding disk in the VM "
            f"image: {facts.size_gb} GB. This is not allowed. Please choose equal or greater size or do not specify an "
            "explicit size.",
            "diskSizeGB",
        )
    return {**properties, "creationData": creation}


def _check_sku_and_zones(path_name: str, location: str, sku: str, zones: list[str]) -> None:
    if zones and not has_zones(location):
        text = f"The resource '{path_name}' does not support availability zones at location '{location}'."
        raise errors.ArmError(400, "LocationNotSupportAvailabilityZones", text)
    if sku not in SKUS or (sku.endswith("_ZRS") and not has_zones(location)):
        offered = [name for name in SKUS if has_zones(location) or not name.endswith("_ZRS")]
        raise errors.invalid_parameter(
            f"SKU {sku} is not supported for resource type Disk in this region. Supported SKUs for this region are "
            f"{','.join(offered)}",
            "sku",
        )


def _check_resize(record: Record, model: Json) -> None:
    grows = int(model["properties"]["diskSizeGB"]) != int(record.properties["diskSizeGB"])
    if grows and record.properties.get("diskState") == "Attached" and record.properties.get("osType"):
        raise errors.not_allowed(
            f"Cannot resize disk {record.id.name} while it is attached to running VM {record.body.get('managedBy')}. "
            "Resizing a disk of an Azure Virtual Machine requires the virtual machine to be deallocated. Please stop "
            "your VM and retry the operation."
        )


def _echo(record: Record, sent: Json) -> Json:
    """The first answer repeats the request body; the defaults are visible when the operation has ended."""
    echo = Record(record.id, copy.deepcopy(sent))
    if not has_chosen_performance(record.body["sku"]["name"]):
        for key in ("diskIOPSReadWrite", "diskMBpsReadWrite"):
            echo.properties.pop(key, None)
    identify(echo)
    echo.body.setdefault("location", record.body["location"])
    echo.properties["provisioningState"] = "Updating"
    return echo.body
