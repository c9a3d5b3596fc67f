"""Sources of an image version, and which ones Azure refuses.

Decides the facts about a source and its refusals. Leaves making versions to `versions.py`.
https://learn.microsoft.com/azure/virtual-machines/image-version
"""

from __future__ import annotations

from dataclasses import dataclass

from simulator.arm.core import errors
from simulator.arm.core.ids import ResourceId, parse_id
from simulator.arm.core.services import Services
from simulator.arm.core.store import Json, Record
from simulator.arm.state.attachments import attached_disk
from simulator.arm.state.vm_state import vm_state

_VM = "microsoft.compute/virtualmachines"
_VERSION = "microsoft.compute/galleries/images/versions"
_IMAGE = "microsoft.compute/images"
_BLOB_GB = 30
_SOURCE = "galleryImageVersion.properties.storageProfile.source.id"


@dataclass(frozen=True)
class VersionSource:
    """A source: the distribution of the capture's duration, and the OS disk and data disks as a version shows them."""

    takes: str
    os_disk: Json
    data_disks: tuple[Json, ...] = ()


def version_source(services: Services, definition: Record, storage: Json, location: str) -> VersionSource:
    """Read the source that a new version's `storageProfile` names; ArmError when Azure refuses it."""
    source = storage.get("source") or {}
    text = source.get("virtualMachineId") or source.get("id")
    if not text:
        return _from_disks(services, definition, storage, location)
    record = _find(services, str(text))
    kind = record.id.type.lower()
    if kind != _VERSION:
        _check_place(record, location)
    if kind == _VM:
        _check_vm(definition, record)
        return _from_vm(services, record)
    _check_os_state(definition, record, _os_state(services, record))
    if kind == _VERSION:
        profile = record.properties.get("storageProfile", {})
        return VersionSource("versionFromImage", _os_image(profile), tuple(profile.get("dataDiskImages", [])))
    return _from_image(record)


def _find(services: Services, text: str) -> Record:
    try:
        source_id: ResourceId = parse_id(text)
    except ValueError as error:
        raise errors.invalid_parameter(f"The value '{text}' of parameter 'source.id' is invalid.", _SOURCE) from error
    return services.require(source_id, errors.resource_not_found(source_id.path_name, source_id.group))


def _check_place(record: Record, location: str) -> None:
    if record.location != location:
        # Message not known; Azure documents that source and version must be in the same region.
        text = f"The source '{record.id.text}' is in location '{record.location}', the image version in '{location}'."
        raise errors.invalid_parameter(text, _SOURCE)


def _from_disks(services: Services, definition: Record, storage: Json, location: str) -> VersionSource:
    """Read disks, snapshots and blobs, one for the OS and one for each LUN; sets the caching that Azure adds."""
    os_disk = storage.get("osDiskImage") or {}
    if not os_disk.get("source"):
        text = "Required parameter 'galleryImageVersion.properties.storageProfile.source' is missing (null)."
        raise errors.invalid_parameter(text, "galleryImageVersion.properties.storageProfile.source")
    os_disk.setdefault("hostCaching", "ReadWrite")
    size_gb = _disk_gb(services, os_disk["source"], location)
    if not os_disk["source"].get("uri"):
        _check_supported(definition, str(os_disk["source"].get("id")))
    data = []
    for image in storage.get("dataDiskImages") or []:
        image.setdefault("hostCaching", "ReadOnly")
        data.append(
            {"lun": image.get("lun"), "sizeInGB": _disk_gb(services, image.get("source") or {}, location), **image}
        )
    return VersionSource("versionFromDisk", {"sizeInGB": size_gb, **os_disk}, tuple(data))


def _disk_gb(services: Services, source: Json, location: str) -> int:
    """The size of a disk or snapshot; a fixed size for a blob, whose content is not simulated."""
    if source.get("uri"):
        return _BLOB_GB
    record = _find(services, str(source.get("id") or ""))
    _check_place(record, location)
    return int(record.properties.get("diskSizeGB", _BLOB_GB))


def _check_supported(definition: Record, source: str) -> None:
    if _security(definition).lower() == "trustedlaunchsupported":
        raise errors.invalid_parameter(
            f"The security type 'TrustedLaunchSupported' is not supported for the source id '{source}'. Currently "
            "only Vhd Blob, User Image and Gallery Image Version sources are supported for 'TrustedLaunchSupported' "
            "images.",
            _SOURCE,
        )


def _security(definition: Record) -> str:
    features = {str(each.get("name")): str(each.get("value")) for each in definition.properties.get("features") or []}
    return features.get("SecurityType", "")


def _check_vm(definition: Record, vm: Record) -> None:
    _check_supported(definition, vm.id.text)
    _check_os_state(definition, vm, "Generalized" if vm_state(vm).generalized else "Specialized")
    os_type = vm.properties.get("storageProfile", {}).get("osDisk", {}).get("osType")
    if os_type and os_type != definition.properties.get("osType"):
        # Message not known.
        raise errors.invalid_parameter(
            f"The source '{vm.id.text}' has a different OS type ['{os_type}'] than the parent gallery image "
            f"['{definition.properties.get('osType')}'].",
            _SOURCE,
        )


def _check_os_state(definition: Record, source: Record, state: str | None) -> None:
    wanted = definition.properties.get("osState")
    if state is not None and state != wanted:
        raise errors.invalid_parameter(
            f"The source '{source.id.text}' has a different OS state ['{state}'] than the parent gallery image OS "
            f"state ['{wanted}'].",
            _SOURCE,
        )


def _os_state(services: Services, source: Record) -> str | None:
    kind = source.id.type.lower()
    if kind == _IMAGE:
        return str(source.properties.get("storageProfile", {}).get("osDisk", {}).get("osState", "Generalized"))
    if kind == _VERSION and (parent := source.id.parent) and (definition := services.store.get(parent)):
        return str(definition.properties.get("osState"))
    return None  # a disk has no OS state


def _from_vm(services: Services, vm: Record) -> VersionSource:
    storage = vm.properties.get("storageProfile", {})
    os_disk = storage.get("osDisk", {})
    image = {"sizeInGB": _size_gb(services, os_disk), "hostCaching": os_disk.get("caching", "ReadWrite"), "source": {}}
    data = [
        {"lun": block.get("lun", 0), "sizeInGB": _size_gb(services, block), "hostCaching": block.get("caching", "None")}
        for block in storage.get("dataDisks", [])
    ]
    return VersionSource("versionFromVm", image, tuple(data))


def _from_image(image: Record) -> VersionSource:
    storage = image.properties.get("storageProfile", {})
    os_disk = storage.get("osDisk", {})
    data = [
        {"lun": block.get("lun"), "sizeInGB": block.get("diskSizeGB", 4), "hostCaching": block.get("caching", "None")}
        for block in storage.get("dataDisks", [])
    ]
    size_gb = os_disk.get("diskSizeGB") or _BLOB_GB
    body = {"sizeInGB": size_gb, "hostCaching": os_disk.get("caching", "ReadWrite"), "source": {}}
    return VersionSource("versionFromImage", body, tuple(data))


def _os_image(profile: Json) -> Json:
    image = profile.get("osDiskImage", {})
    return {"sizeInGB": image.get("sizeInGB", 30), "hostCaching": image.get("hostCaching", "ReadWrite"), "source": {}}


def _size_gb(services: Services, block: Json) -> int:
    disk = attached_disk(services, block)
    return int((disk.properties.get("diskSizeGB") if disk else block.get("diskSizeGB")) or 30)
