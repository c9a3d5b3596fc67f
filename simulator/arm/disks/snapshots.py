"""Microsoft.Compute/snapshots: copies of a disk's content at one moment.

Decides the fields of a snapshot and when they are visible. Leaves inherited properties to `disk_sources.py`. Does not
know the resources made from one. https://learn.microsoft.com/rest/api/compute/snapshots
"""

from __future__ import annotations

import copy
from uuid import UUID, uuid5

from simulator.arm.core import errors
from simulator.arm.core.api_since import shown_in
from simulator.arm.core.bodies import merged, without
from simulator.arm.core.messages import Answer, Request, stamp
from simulator.arm.core.operations import Work, accepted
from simulator.arm.core.resource_types import ResourceType
from simulator.arm.core.services import Services
from simulator.arm.core.store import Json, Record
from simulator.arm.core.tag_rules import check_tags
from simulator.arm.state.contents import content_keys, copied, take_content
from simulator.arm.state.disk_bodies import identify
from simulator.arm.state.disk_sizes import sku_tier
from simulator.arm.state.disk_sources import SourceFacts, source_facts
from simulator.arm.state.edge_zones import check_place_kept, complete_place, edge_zone

SNAPSHOT_TYPE = "Microsoft.Compute/snapshots"
_READ_ONLY = ("id", "name", "type", "managedBy")
_READ_ONLY_PROPERTIES = ("provisioningState", "diskState", "timeCreated", "uniqueId", "diskSizeBytes")
_GIB = 1024**3
_DEFAULT_GB = 30
_FAMILIES = UUID(int=1)


class Snapshots:
    """The provider of snapshots."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def resource_type(self) -> ResourceType:
        """The router's view of snapshots."""
        return ResourceType(
            name=SNAPSHOT_TYPE,
            render=lambda record, request: shown_in(record, request.api_version) if request else record.body,
            put=self.put,
            patch=self.patch,
            delete=self.delete,
            fill=self.fill,
            scenario_keys=content_keys,
        )

    def fill(self, record: Record) -> None:
        """Complete a snapshot of a scenario."""
        creation = record.properties.setdefault("creationData", {"createOption": "Empty"})
        try:
            facts = source_facts(self._services, creation, record.location, edge_zone(record.body))
        except errors.ArmError:
            facts = SourceFacts()  # a scenario can name a deleted disk, as snapshots in Azure do
        for key, value in facts.disk_properties().items():
            record.properties.setdefault(key, value)
        take_content(record, copied(self._services, creation))
        self._complete(record)
        record.properties["provisioningState"] = "Succeeded"

    def put(self, request: Request) -> Answer:
        """Take a snapshot, or update the fields of one that can change."""
        check_tags(request.body.get("tags"))
        record = self._services.store.get(request.id)
        if record is not None:
            return self._update(request, record)
        sent = without(request.body, _READ_ONLY)
        sent["properties"] = without(sent.get("properties", {}), _READ_ONLY_PROPERTIES)
        if not sent.get("location"):
            raise errors.location_required()
        creation = sent["properties"].get("creationData")
        if not creation or not creation.get("createOption"):
            text = "Required parameter 'snapshot.creationData' is missing (null)."
            raise errors.invalid_parameter(text, "snapshot.creationData")
        facts = source_facts(self._services, creation, str(sent["location"]), edge_zone(sent))
        record = Record(request.id, copy.deepcopy(sent), content=copied(self._services, creation))
        record.body["properties"] = facts.disk_properties() | record.properties
        if facts.plan:
            record.properties["purchasePlan"] = dict(facts.plan)
        if creation["createOption"] in ("Copy", "CopyStart") and facts.unique_id:
            record.properties["creationData"]["sourceUniqueId"] = facts.unique_id
        self._services.store.put(record)
        self._complete(record)
        return self._begin(request, record, "snapshotCreate", sent)

    def patch(self, request: Request) -> Answer:
        """Change parts of a snapshot."""
        missing = errors.resource_not_found(request.id.path_name, request.id.group)
        record = self._services.require(request.id, missing)
        check_tags(request.body.get("tags"))
        return self._update(request, record)

    def delete(self, request: Request) -> Answer:
        """Delete a snapshot; the resources made from it stay."""
        record = self._services.store.get(request.id)
        if record is None:
            return Answer(204)
        record.properties["provisioningState"] = "Deleting"

        def gone() -> None:
            self._services.store.delete(record, self._services.clock.time())

        def failed(_error: Json | None) -> None:
            record.properties["provisioningState"] = "Succeeded"

        work = Work("snapshotDelete", "diskDelete", gone, failed, f"{SNAPSHOT_TYPE}/delete", "delete")
        return accepted(request, self._services.operations.begin(request, record.id, record.location, work), 202)

    def _update(self, request: Request, record: Record) -> Answer:
        check_place_kept(record, request.body)
        sent = without(request.body, (*_READ_ONLY, "location"))
        sent["properties"] = without(sent.get("properties", {}), (*_READ_ONLY_PROPERTIES, "creationData"))
        tags = {"tags": dict(request.body["tags"] or {})} if "tags" in request.body else {}
        record.body |= merged(record.body, without(sent, ["tags"])) | tags
        self._complete(record)
        return self._begin(request, record, "snapshotUpdate", without(request.body, _READ_ONLY))

    def _begin(self, request: Request, record: Record, kind: str, sent: Json) -> Answer:
        record.properties["provisioningState"] = "Updating"

        def done() -> Json:
            record.properties["provisioningState"] = "Succeeded"
            return copy.deepcopy(record.body)

        def failed(error: Json | None) -> None:
            record.properties["provisioningState"] = "Failed" if error else "Succeeded"

        work = Work(kind, kind, done, failed, f"{SNAPSHOT_TYPE}/write")
        operation = self._services.operations.begin(request, record.id, record.location, work)
        # The answer to a PUT repeats the request; that to a PATCH has every field.
        return accepted(request, operation, 202, _echo(record, record.body if request.method == "PATCH" else sent))

    def _complete(self, record: Record) -> None:
        """Add ARM's defaults; existing values stay."""
        identify(record)
        complete_place(record.body)
        sku = record.body.setdefault("sku", {"name": "Standard_LRS"})
        sku["tier"] = sku_tier(sku.get("name", "Standard_LRS"))
        properties = record.properties
        size_gb = int(properties.setdefault("diskSizeGB", _DEFAULT_GB))
        properties["diskSizeBytes"] = size_gb * _GIB
        properties.setdefault("encryption", {"type": "EncryptionAtRestWithPlatformKey"})
        properties.setdefault("incremental", False)
        properties.setdefault("networkAccessPolicy", "AllowAll")
        properties.setdefault("publicNetworkAccess", "Enabled")
        properties.setdefault("timeCreated", stamp(self._services.now()))
        properties.setdefault("diskState", "Unattached")
        properties.setdefault("uniqueId", self._services.guid("uniqueId", record.id))
        if properties["incremental"]:
            properties.setdefault("incrementalSnapshotFamilyId", self._family(record))
        if properties["creationData"].get("createOption") == "CopyStart":
            properties.setdefault("completionPercent", 100.0)

    def _family(self, record: Record) -> str:
        """Incremental snapshots of one disk are one family (recorded by azure-cli, `test_snapshot_incremental`)."""
        creation = record.properties["creationData"]
        source = str(creation.get("sourceUniqueId") or record.properties["uniqueId"])
        return str(uuid5(_FAMILIES, f"{source}{record.location}"))


def _echo(record: Record, sent: Json) -> Json:
    """The first answer repeats the request body; the defaults are visible when the operation has ended."""
    echo = Record(record.id, copy.deepcopy(sent))
    identify(echo)
    echo.body.setdefault("location", record.body["location"])
    echo.properties["provisioningState"] = "Updating"
    return echo.body
