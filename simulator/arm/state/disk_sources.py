"""Sources of a disk, and the properties it inherits from them.

Decides which image, disk or snapshot `creationData` names, which properties the new disk inherits, and which sources
Azure refuses. Leaves making disks to `disks.py`.
https://learn.microsoft.com/rest/api/compute/disks/create-or-update#creationdata
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from simulator.arm.core import errors
from simulator.arm.core.ids import ResourceId, parse_id
from simulator.arm.core.services import Services
from simulator.arm.core.store import Json, Record, normal_location
from simulator.arm.state.contents import content_of
from simulator.arm.state.edge_zones import edge_targets, edge_zone, place_name
from simulator.arm.state.marketplace import find_image
from simulator.arm.state.replication import replicated_to

VERSION_TYPE = "microsoft.compute/galleries/images/versions"
_LINUX_GB, _WINDOWS_GB = 30, 127
_SOURCE_KINDS = {"microsoft.compute/disks": "Disk", "microsoft.compute/snapshots": "Snapshot"}
_GIB = 1024**3
_NO_COPY_SECURITY = {"Copy", "Empty"}


@dataclass(frozen=True)
class SourceFacts:
    """The inherited properties of a disk; None where the source has none, or it is not known.

    `hibernates`: its OS supports hibernation. `plan`: its marketplace plan.
    """

    os_type: str | None = None
    generation: str | None = None
    architecture: str = "x64"
    size_gb: int | None = None
    security_type: str | None = None
    controllers: str | None = None
    accelerated_network: bool | None = None
    unique_id: str | None = None
    hibernates: bool | None = None
    plan: Json | None = None

    def with_os(self, os_type: str) -> SourceFacts:
        """A copy with another operating system (and its default size, where there is none)."""
        return replace(self, os_type=os_type, size_gb=self.size_gb or _usual_size_gb(os_type))

    def with_security(self, security_type: str) -> SourceFacts:
        """A copy with a security type."""
        return replace(self, security_type=security_type)

    def disk_properties(self) -> Json:
        """The properties of a disk with this source."""
        properties: Json = {}
        if self.os_type:
            properties["osType"] = self.os_type
            properties["hyperVGeneration"] = self.generation or "V1"
            capabilities: Json = {"architecture": self.architecture}
            if self.controllers:
                capabilities["diskControllerTypes"] = self.controllers
            if self.accelerated_network is not None:
                capabilities["acceleratedNetwork"] = self.accelerated_network
            properties["supportedCapabilities"] = capabilities
        if self.security_type and self.security_type != "Standard":
            properties["securityProfile"] = {"securityType": self.security_type}
        if self.size_gb:
            properties["diskSizeGB"] = self.size_gb
        if self.hibernates:
            properties["supportsHibernation"] = True
        if self.plan:
            properties["purchasePlan"] = dict(self.plan)
        return properties

    @staticmethod
    def of_disk(disk: Record) -> SourceFacts:
        """The properties that a copy of a disk or snapshot inherits."""
        properties = disk.properties
        capabilities = properties.get("supportedCapabilities", {})
        return SourceFacts(
            os_type=properties.get("osType"),
            generation=properties.get("hyperVGeneration"),
            architecture=capabilities.get("architecture", "x64"),
            size_gb=properties.get("diskSizeGB"),
            security_type=(properties.get("securityProfile") or {}).get("securityType"),
            controllers=capabilities.get("diskControllerTypes"),
            accelerated_network=capabilities.get("acceleratedNetwork"),
            unique_id=properties.get("uniqueId"),
            hibernates=properties.get("supportsHibernation") or False,
            plan=content_of(disk).plan,
        )


def source_facts(services: Services, creation: Json, location: str, edge: str = "") -> SourceFacts:
    """The properties that a disk made from `creationData` in `location` (and an edge zone of it) inherits.

    ArmError for a refused source.
    """
    option = creation.get("createOption")
    if option == "FromImage":
        gallery = creation.get("galleryImageReference") or {}
        if "id" in gallery:
            return _version_facts(services, str(gallery["id"]), (location, edge), gallery.get("lun"))
        image = creation.get("imageReference") or {}
        if not image and not gallery:
            raise errors.invalid_parameter(
                "Required parameter 'creationData.imageReference' is missing (null).", "creationData.imageReference"
            )
        return image_facts(services, image)
    source = creation.get("sourceResourceId")
    if option in ("Copy", "CopyStart", "Restore") and source:
        # Only CopyStart copies from another region: https://learn.microsoft.com/azure/virtual-machines/disks-copy-incremental-snapshot-across-regions
        place = None if option == "CopyStart" else place_name(location, edge)
        return SourceFacts.of_disk(_source(services, str(source), place))
    if option in ("Import", "ImportSecure"):
        return SourceFacts(size_gb=_LINUX_GB)  # a blob has no content here, and so no size of its own
    if option in ("Upload", "UploadPreparedSecure") and creation.get("uploadSizeBytes"):
        return SourceFacts(size_gb=max(1, int(creation["uploadSizeBytes"]) // _GIB))
    return SourceFacts()


def image_facts(services: Services, reference: Json) -> SourceFacts:
    """The properties that a disk from an `imageReference` (version, managed image or platform image) inherits."""
    text = str(reference.get("id", ""))
    if (record := services.store.get(text)) is not None:
        return version_facts(services, record) if record.id.type.lower() == VERSION_TYPE else _managed_image(record)
    if (image := find_image(reference)) is not None:
        plan = dict(zip(("publisher", "product", "name"), image.plan, strict=True)) if image.plan else None
        return SourceFacts(
            image.os_type,
            image.generation,
            image.architecture,
            image.size_gb,
            hibernates=image.hibernates,
            plan=plan,
        )
    searched = " ".join(str(reference.get(key, "")) for key in ("publisher", "offer", "sku")) + text
    os_type = "Windows" if "windows" in searched.lower() else "Linux"
    gen2 = any(mark in searched.lower() for mark in ("gen2", "-g2", "azure-edition"))
    return SourceFacts(os_type, "V2" if gen2 else "V1", size_gb=_usual_size_gb(os_type))


def image_data_disks(image: Record) -> list[Json]:
    """The data disks of a version or a managed image, each as the block that a VM made from it has."""
    storage = image.properties.get("storageProfile") or {}
    return [
        {
            "lun": int(disk["lun"]),
            "createOption": "FromImage",
            "caching": disk.get("hostCaching") or disk.get("caching") or "None",
            "diskSizeGB": disk.get("sizeInGB") or disk.get("diskSizeGB") or _LINUX_GB,
            "managedDisk": {"storageAccountType": disk.get("storageAccountType") or "Premium_LRS"},
        }
        for disk in storage.get("dataDiskImages") or storage.get("dataDisks") or []
    ]


def version_facts(services: Services, version: Record) -> SourceFacts:
    """The properties that a disk from an image version inherits: of the definition, and the size of the version."""
    parent = version.id.parent
    definition = services.store.get(parent) if parent else None
    properties = definition.properties if definition else {}
    features = {str(each.get("name")): str(each.get("value")) for each in properties.get("features") or []}
    image = version.properties.get("storageProfile", {}).get("osDiskImage", {})
    security = features.get("SecurityType")
    accelerated = features.get("IsAcceleratedNetworkSupported")
    return SourceFacts(
        os_type=properties.get("osType", "Linux"),
        generation=properties.get("hyperVGeneration", "V1"),
        architecture=properties.get("architecture", "x64"),
        size_gb=image.get("sizeInGB") or _usual_size_gb(properties.get("osType", "Linux")),
        security_type=security if security == "TrustedLaunch" else None,
        controllers=features.get("DiskControllerTypes"),
        accelerated_network=accelerated.lower() == "true" if accelerated else None,
        # A feature of the definition: https://learn.microsoft.com/azure/virtual-machines/hibernate-resume
        hibernates=features.get("IsHibernateSupported", "").lower() == "true",
        plan=properties.get("purchasePlan") or content_of(version).plan,
    )


def check_security(option: str, security_type: str | None) -> None:
    """Refuse a security type for the options Copy and Empty; a copy inherits its source's type."""
    if security_type not in (None, "Standard") and option in _NO_COPY_SECURITY:
        text = f"Security type '{security_type}' is not supported for CreateOption '{option}'."
        raise errors.invalid_parameter(text, "disk.securityProfile.securityType")


def _version_facts(services: Services, text: str, place: tuple[str, str], lun: int | None) -> SourceFacts:
    location, edge = place
    version = services.store.get(text)
    regions = {
        normal_location(str(region.get("name", ""))): region
        for region in (version.properties.get("publishingProfile", {}).get("targetRegions", []) if version else [])
    }
    if version is None or version.id.type.lower() != VERSION_TYPE or normal_location(location) not in regions:
        raise errors.provider_error(
            404,
            "GalleryImageNotFound",
            f"The gallery image {text} is not available in {location} region. Please contact image owner to replicate "
            "to this region, or change your requested region.",
            "galleryImageReference",
        )
    if edge and (normal_location(location), edge) not in [
        each[:2] for each in edge_targets(version.properties["publishingProfile"])
    ]:
        # Assumed by analogy with a region; a version reaches edge zones by `targetExtendedLocations`:
        # https://learn.microsoft.com/rest/api/compute/gallery-image-versions/create-or-update
        raise errors.provider_error(
            404,
            "GalleryImageNotFound",
            f"The gallery image {text} is not available in edge zone {edge} of {location} region. Please contact image "
            "owner to replicate to this edge zone, or change your requested edge zone.",
            "galleryImageReference",
        )
    state = version.properties.get("provisioningState")
    if state == "Creating" or not replicated_to(services, version, place_name(location, edge)):
        # Message not known: there is no recording of a disk from an unfinished version.
        where = f"edge zone {edge} of {location} region" if edge else f"{location} region"
        text = f"The gallery image version {version.id.text} is not ready in {where}. Its state is '{state}'."
        raise errors.not_allowed(text, "galleryImageReference")
    facts = version_facts(services, version)
    if lun is None:
        return facts
    images = version.properties.get("storageProfile", {}).get("dataDiskImages", [])
    image = next((each for each in images if each.get("lun") == lun), None)
    if image is None:
        raise errors.invalid_parameter(
            f"The gallery image has no data disk with lun {lun}.", "galleryImageReference.lun"
        )
    return SourceFacts(size_gb=image.get("sizeInGB"))


def _managed_image(image: Record) -> SourceFacts:
    os_disk = image.properties.get("storageProfile", {}).get("osDisk", {})
    return SourceFacts(
        os_type=os_disk.get("osType", "Linux"),
        generation=image.properties.get("hyperVGeneration", "V1"),
        size_gb=os_disk.get("diskSizeGB") or _usual_size_gb(os_disk.get("osType", "Linux")),
        hibernates=False,
        plan=content_of(image).plan,
    )


def _source(services: Services, text: str, wanted_place: str | None) -> Record:
    """The source that `text` names; None: it may be in any place."""
    try:
        source_id: ResourceId = parse_id(text)
    except ValueError as error:
        raise errors.invalid_parameter(
            f"The value '{text}' of parameter 'creationData.sourceResourceId' is invalid.",
            "creationData.sourceResourceId",
        ) from error
    kind = _SOURCE_KINDS.get(source_id.type.lower(), "Resource")
    source = services.require(source_id, errors.source_not_found(kind, source_id.text))
    source_place = place_name(source.location, edge_zone(source.body))
    if wanted_place not in (None, source_place):
        # Message not known.
        raise errors.invalid_parameter(
            f"Source resource {text} is in location '{source_place}', the disk in '{wanted_place}'.",
            "creationData.sourceResourceId",
        )
    return source


def _usual_size_gb(os_type: str) -> int:
    return _WINDOWS_GB if os_type == "Windows" else _LINUX_GB
