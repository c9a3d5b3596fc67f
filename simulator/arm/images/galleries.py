"""Microsoft.Compute/galleries and galleries/images: Azure Compute Gallery and its image definitions.

Decides the fields of a gallery and a definition and in which order they can be deleted. Leaves versions to
`versions.py`.
https://learn.microsoft.com/rest/api/compute/galleries, https://learn.microsoft.com/rest/api/compute/gallery-images
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace

from simulator.arm.core import errors
from simulator.arm.core.api_since import shown_in
from simulator.arm.core.bodies import merged, without
from simulator.arm.core.messages import Answer, Request
from simulator.arm.core.operations import Work, accepted
from simulator.arm.core.resource_types import ResourceType
from simulator.arm.core.services import Services
from simulator.arm.core.store import Json, Record
from simulator.arm.core.tag_rules import check_tags
from simulator.arm.state.disk_bodies import identify

GALLERY_TYPE = "Microsoft.Compute/galleries"
DEFINITION_TYPE = "Microsoft.Compute/galleries/images"
_READ_ONLY = ("id", "name", "type")
_FIXED = ("osType", "osState", "hyperVGeneration", "identifier", "architecture")

# From this api-version on, a new definition is V2 and TrustedLaunchSupported unless its body differs.
# https://learn.microsoft.com/azure/virtual-machines/trusted-launch
_TRUSTED_LAUNCH_DEFAULT = "2025-03-03"
_SHARE_OPERATIONS = frozenset({"add", "remove", "reset", "enablecommunity"})
_DIRECT_SHARING = "Microsoft.Compute/SIGSharing"


@dataclass(frozen=True)
class _Kind:
    """Galleries or definitions: the type's full name, the distribution of its durations, and what fills its defaults.

    `complete` receives the record and the request's api-version ("" for a scenario).
    """

    name: str
    takes: str
    complete: Callable[[Record, str], None]


class Galleries:
    """The providers of galleries and of image definitions."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def gallery_type(self) -> ResourceType:
        """The router's view of galleries."""
        kind = self._type(_Kind(GALLERY_TYPE, "gallery", lambda record, _version: self._complete_gallery(record)))
        return replace(kind, actions={"share": self._share})

    def definition_type(self) -> ResourceType:
        """The router's view of image definitions."""
        return self._type(_Kind(DEFINITION_TYPE, "definition", _complete_definition))

    def _type(self, kind: _Kind) -> ResourceType:
        def write(request: Request) -> Answer:
            return self._write(request, kind)

        return ResourceType(
            name=kind.name,
            render=lambda record, request: shown_in(record, request.api_version) if request else record.body,
            put=write,
            patch=write,
            delete=lambda request: self._delete(request, kind),
            fill=lambda record: _fill(record, kind),
        )

    def _write(self, request: Request, kind: _Kind) -> Answer:
        check_tags(request.body.get("tags"))
        sent = without(request.body, _READ_ONLY)
        # Azure drops the empty blocks that some clients send.
        sent["properties"] = {key: value for key, value in sent.get("properties", {}).items() if value != {}}
        record = self._services.store.get(request.id)
        if kind.name == GALLERY_TYPE:
            self._check_sharing(request, record, sent["properties"])
        if record is not None:
            return self._update(request, record, sent, kind)
        if request.method == "PATCH":
            raise errors.resource_not_found(request.id.path_name, request.id.group)
        if not sent.get("location"):
            raise errors.location_required()
        if kind.name == DEFINITION_TYPE:
            _require(sent["properties"], ("osType", "osState", "identifier"), "galleryImage.properties")
        record = self._services.store.put(Record(request.id, sent))
        kind.complete(record, request.api_version)
        record.properties["provisioningState"] = "Creating"
        return self._begin(request, record, kind, "galleryCreate", 201)

    def _check_sharing(self, request: Request, record: Record | None, sent: Json) -> None:
        """Refuse to share with groups, unless the subscription takes part in the preview, which Microsoft approves.

        https://learn.microsoft.com/azure/virtual-machines/share-gallery-direct
        """
        wanted, own = (
            str((each.get("sharingProfile") or {}).get("permissions", "")).lower()
            for each in (sent, record.properties if record else {})
        )
        subscription = str(request.id.subscription)
        if wanted == "groups" != own and not self._services.registrations.has_feature(subscription, _DIRECT_SHARING):
            raise errors.feature_not_registered(subscription, _DIRECT_SHARING)

    def _complete_gallery(self, record: Record) -> None:
        identify(record)
        unique = f"{record.id.subscription}-{record.id.name.upper()}"
        record.properties.setdefault("identifier", {"uniqueName": unique})
        community: Json | None = (record.properties.get("sharingProfile") or {}).get("communityGalleryInfo")
        if community is not None:
            # Recorded by azure-cli (`test_update_gallery_permissions`, 2023 and 2025).
            community.setdefault("communityGalleryEnabled", False)
            name = f"{community.get('publicNamePrefix', '')}-{self._services.guid('publicName', record.id)}"
            community.setdefault("publicNames", [name])

    def _update(self, request: Request, record: Record, sent: Json, kind: _Kind) -> Answer:
        for key in _FIXED:
            wanted, existing = sent["properties"].get(key), record.properties.get(key)
            if wanted is not None and existing is not None and wanted != existing and kind.name == DEFINITION_TYPE:
                raise errors.change_not_allowed(f"galleryImage.properties.{key}")
        tags = {"tags": sent["tags"]} if "tags" in sent else {}
        record.body |= merged(record.body, without(sent, ["tags", "location"])) | tags
        if kind.name == GALLERY_TYPE:
            self._complete_gallery(record)
        record.properties["provisioningState"] = "Updating"
        return self._begin(request, record, kind, "galleryUpdate", 200)

    def _begin(self, request: Request, record: Record, kind: _Kind, operation: str, status: int) -> Answer:
        def done() -> None:
            record.properties["provisioningState"] = "Succeeded"

        def failed(error: Json | None) -> None:
            record.properties["provisioningState"] = "Failed" if error else "Succeeded"

        work = Work(operation, kind.takes, done, failed, f"{kind.name}/write")
        begun = self._services.operations.begin(request, record.id, record.location, work)
        return accepted(request, begun, status, copy.deepcopy(shown_in(record, request.api_version)))

    def _share(self, request: Request) -> Answer:
        """POST …/share: reset the sharing, publish a community gallery, or add and remove subscriptions and tenants.

        Recorded by azure-cli (`test_update_gallery_permissions`, `test_community_gallery_operations`, 2023).
        https://learn.microsoft.com/rest/api/compute/gallery-sharing-profile/update
        """
        missing = errors.resource_not_found(request.id.path_name, request.id.group)
        record = self._services.require(request.id, missing)
        change = str(request.body.get("operationType", "")).lower()
        if change not in _SHARE_OPERATIONS:
            text = f"The value '{request.body.get('operationType')}' of parameter 'operationType' is invalid."
            raise errors.invalid_parameter(text, "operationType")

        def done() -> None:
            sharing: Json = record.properties.setdefault("sharingProfile", {"permissions": "Private"})
            if change == "reset":
                record.properties["sharingProfile"] = {"permissions": "Private"}
            elif change == "enablecommunity":
                sharing.setdefault("communityGalleryInfo", {})["communityGalleryEnabled"] = True

        work = Work("galleryShare", "gallery", done, lambda _error: None, f"{GALLERY_TYPE}/share/action", "action")
        return accepted(request, self._services.operations.begin(request, record.id, record.location, work), 202)

    def _delete(self, request: Request, kind: _Kind) -> Answer:
        record = self._services.store.get(request.id)
        if record is None:
            return Answer(204)
        if (child := next(self._services.store.below(record.id), None)) is not None:
            raise errors.nested_resources_left(child.id.path_name)
        record.properties["provisioningState"] = "Deleting"

        def gone() -> None:
            self._services.store.delete(record, self._services.clock.time())

        def failed(_error: Json | None) -> None:
            record.properties["provisioningState"] = "Failed"

        work = Work("galleryDelete", kind.takes, gone, failed, f"{kind.name}/delete", "delete")
        return accepted(request, self._services.operations.begin(request, record.id, record.location, work), 202)


def _fill(record: Record, kind: _Kind) -> None:
    kind.complete(record, "")
    record.properties.setdefault("provisioningState", "Succeeded")


def _complete_definition(record: Record, api_version: str) -> None:
    identify(record)
    properties = record.properties
    features = properties.setdefault("features", [])
    if api_version >= _TRUSTED_LAUNCH_DEFAULT and properties.get("hyperVGeneration") != "V1":
        properties.setdefault("hyperVGeneration", "V2")
        if not any(str(each.get("name")).lower() == "securitytype" for each in features):
            features.append({"name": "SecurityType", "value": "TrustedLaunchSupported"})
    if not features:
        del properties["features"]
    properties.setdefault("hyperVGeneration", "V1")
    properties.setdefault("architecture", "x64")
    properties.setdefault("osType", "Linux")
    properties.setdefault("osState", "Specialized")
    name = record.id.name
    properties.setdefault("identifier", {"publisher": "contoso", "offer": name, "sku": name})


def _require(properties: Json, names: tuple[str, ...], where: str) -> None:
    for name in names:
        if not properties.get(name):
            raise errors.invalid_parameter(f"Required parameter '{name}' is missing (null).", f"{where}.{name}")
