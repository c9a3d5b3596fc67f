"""Microsoft.Compute/galleries/images/versions: image versions.

Decides the fields of a version and how writes change it. Leaves its sources to `version_sources.py` and the progress of
its replication to `replication.py`.
https://learn.microsoft.com/rest/api/compute/gallery-image-versions
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable

from simulator.arm.core import errors
from simulator.arm.core.api_since import shown_in
from simulator.arm.core.bodies import merged, without
from simulator.arm.core.locations import display_name
from simulator.arm.core.messages import Answer, Request, stamp
from simulator.arm.core.operations import Work, accepted
from simulator.arm.core.resource_types import ResourceType
from simulator.arm.core.services import Services
from simulator.arm.core.store import Json, Record, normal_location
from simulator.arm.core.tag_rules import check_tags
from simulator.arm.images.version_sources import VersionSource, version_source
from simulator.arm.state.contents import captured, content_keys, take_content
from simulator.arm.state.disk_bodies import identify
from simulator.arm.state.edge_zones import complete_place, edge_targets, place_name
from simulator.arm.state.replication import replication_of

VERSION_TYPE = "Microsoft.Compute/galleries/images/versions"
_NAME = re.compile(r"(\d{1,10})\.(\d{1,10})\.(\d{1,10})")
_INT32_MAX = 2**31 - 1
_READ_ONLY = ("id", "name", "type")
_READ_ONLY_PROPERTIES = ("provisioningState", "replicationStatus")


class Versions:
    """The provider of image versions."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def resource_type(self) -> ResourceType:
        """The router's view of versions."""
        return ResourceType(
            name=VERSION_TYPE,
            render=self.render,
            put=self.put,
            patch=self.patch,
            delete=self.delete,
            fill=self.fill,
            scenario_keys=content_keys,
        )

    def render(self, record: Record, request: Request | None = None) -> Json:
        """The version as Azure answers it; `$expand=ReplicationStatus` adds that block."""
        if request is None:
            return record.body
        body = shown_in(record, request.api_version)
        if not request.expands("ReplicationStatus"):
            return body
        status = replication_of(record).status(self._services.clock.time())
        return {**body, "properties": {**body["properties"], "replicationStatus": status}}

    def fill(self, record: Record) -> None:
        """Complete a version of a scenario: replicated to all its target regions."""
        record.properties.pop("replicationStatus", None)
        take_content(record, captured(self._services, record.properties.get("storageProfile") or {}))
        _complete(self._services, record)
        source = VersionSource("versionFromVm", {"sizeInGB": 30, "hostCaching": "ReadWrite", "source": {}})
        if "provisioningState" not in record.properties or record.properties["provisioningState"] == "Succeeded":
            _show_disks(record, source)
        record.properties.setdefault("provisioningState", "Succeeded")
        self._spread(record, duration_s=0.0)

    def put(self, request: Request) -> Answer:
        """Create a version, or update the publishing profile of an existing one."""
        check_tags(request.body.get("tags"))
        record = self._services.store.get(request.id)
        if record is not None:
            return self._update(request, record)
        definition = self._definition(request)
        _check_name(request.id.name)
        sent = without(request.body, _READ_ONLY)
        location = sent.get("location")
        if not location:
            raise errors.location_required()
        record = Record(request.id, sent)
        record.body["properties"] = without(record.properties, _READ_ONLY_PROPERTIES)
        _complete(self._services, record)
        _check_regions(record, request.body)
        storage = record.properties.setdefault("storageProfile", {})
        source = version_source(self._services, definition, storage, normal_location(location))
        record.properties["provisioningState"] = "Creating"
        record.content = captured(self._services, storage)
        self._services.store.put(record)
        shallow = record.properties["publishingProfile"].get("replicationMode") == "Shallow"

        def done() -> None:
            _show_disks(record, source)
            record.properties["provisioningState"] = "Succeeded"

        takes = "versionShallow" if shallow else source.takes
        return self._begin(request, record, Work("versionCreate", takes, done, _fail(record), _action()), 201)

    def patch(self, request: Request) -> Answer:
        """Change parts of a version."""
        record = self._services.require(request.id, errors.resource_not_found(request.id.path_name, request.id.group))
        check_tags(request.body.get("tags"))
        return self._update(request, record)

    def delete(self, request: Request) -> Answer:
        """Delete a version; disks made from it stay."""
        record = self._services.store.get(request.id)
        if record is None:
            return Answer(204)
        record.properties["provisioningState"] = "Deleting"

        def gone() -> None:
            self._services.store.delete(record, self._services.clock.time())

        work = Work("versionDelete", "versionDelete", gone, _fail(record), f"{VERSION_TYPE}/delete", "delete")
        return accepted(request, self._services.operations.begin(request, record.id, record.location, work), 202)

    def _update(self, request: Request, record: Record) -> Answer:
        if record.properties.get("provisioningState") not in ("Succeeded", "Failed"):
            raise errors.conflict()
        sent = without(request.body, (*_READ_ONLY, "tags", "location"))
        # The storage profile of a version cannot change; what a client sends of it is ignored.
        sent["properties"] = without(sent.get("properties", {}), (*_READ_ONLY_PROPERTIES, "storageProfile"))
        before = copy.deepcopy(record.body)
        record.body |= merged(record.body, sent)
        if "tags" in request.body:
            record.body["tags"] = dict(request.body["tags"] or {})
        _complete(self._services, record)
        try:
            _check_regions(record, request.body)
        except errors.ArmError:
            record.body = before
            raise
        record.properties["provisioningState"] = "Updating"

        def done() -> None:
            record.properties["provisioningState"] = "Succeeded"

        return self._begin(request, record, Work("versionUpdate", "versionUpdate", done, _fail(record), _action()), 200)

    def _begin(self, request: Request, record: Record, work: Work, status: int) -> Answer:
        operation = self._services.operations.begin(request, record.id, record.location, work)
        self._spread(record, operation.duration_s)
        return accepted(request, operation, status, copy.deepcopy(shown_in(record, request.api_version)))

    def _spread(self, record: Record, duration_s: float) -> None:
        profile = record.properties["publishingProfile"]
        regions = [region["name"] for region in profile["targetRegions"]]
        regions += [place_name(location, edge) for location, edge, _ in edge_targets(profile)]
        random = self._services.random("replication", record.id)
        replication_of(record).spread(regions, self._services.clock.time(), duration_s, random)

    def _definition(self, request: Request) -> Record:
        parent = request.id.parent
        definition = self._services.store.get(parent) if parent else None
        if definition is None:
            raise errors.parent_not_found(parent.path_name if parent else "")
        return definition


def _complete(services: Services, record: Record) -> None:
    """Add the defaults of a version's publishing and safety profiles."""
    identify(record)
    profile = record.properties.setdefault("publishingProfile", {})
    replicas = profile.setdefault("replicaCount", 1)
    storage = profile.setdefault("storageAccountType", "Standard_LRS")
    for region in profile.setdefault("targetRegions", []) or [{"name": record.body.get("location", "")}]:
        region["name"] = display_name(str(region.get("name", "")))
        region.setdefault("regionalReplicaCount", replicas)
        region.setdefault("storageAccountType", storage)
        if region not in profile["targetRegions"]:
            profile["targetRegions"].append(region)
    for target in profile.get("targetExtendedLocations") or []:
        # Defaults of the API's examples: https://learn.microsoft.com/rest/api/compute/gallery-image-versions/create-or-update
        target["name"] = display_name(str(target.get("name", "")))
        complete_place(target)
        target.setdefault("extendedLocationReplicaCount", replicas)
        target.setdefault("storageAccountType", "StandardSSD_LRS")
    profile.setdefault("excludeFromLatest", False)
    profile.setdefault("publishedDate", stamp(services.now()))
    safety = record.properties.setdefault("safetyProfile", {})
    safety.setdefault("reportedForPolicyViolation", False)
    safety.setdefault("allowDeletionOfReplicatedLocations", False)


def _show_disks(record: Record, source: VersionSource) -> None:
    storage = record.properties.setdefault("storageProfile", {})
    if not storage.get("osDiskImage"):
        storage.setdefault("source", {})
    storage["osDiskImage"] = copy.deepcopy(source.os_disk) | storage.get("osDiskImage", {})
    if source.data_disks:
        storage["dataDiskImages"] = [copy.deepcopy(each) for each in source.data_disks]


def _check_regions(record: Record, sent: Json) -> None:
    regions = record.properties["publishingProfile"]["targetRegions"]
    location = str(record.body.get("location", ""))
    if normal_location(location) not in [normal_location(region["name"]) for region in regions]:
        targets = ((sent.get("properties") or {}).get("publishingProfile") or {}).get("targetRegions") or regions
        names = ", ".join(str(region.get("name")) for region in targets)
        raise errors.invalid_parameter(
            f"Gallery image version publishing profile regions '{names}' must contain the location of image version "
            f"'{display_name(location)}'. ",
            "galleryImageVersion.properties.publishingProfile.targetRegions",
        )


def _check_name(name: str) -> None:
    match = _NAME.fullmatch(name)
    if not match or any(int(part) > _INT32_MAX for part in match.groups()):
        raise errors.invalid_parameter(
            f"The gallery image version name '{name}' is invalid. It must be three integers within 32 bits: "
            "MajorVersion.MinorVersion.Patch.",
            "galleryImageVersion.name",
        )


def _fail(record: Record) -> Callable[[Json | None], None]:
    def failed(error: Json | None) -> None:
        record.properties["provisioningState"] = "Failed" if error else "Succeeded"
        if error:
            replication_of(record).fail(str(error.get("message", "")))

    return failed


def _action() -> str:
    return f"{VERSION_TYPE}/write"
