"""The source of new versions, as the tags of an image definition name it.

Decides how `RefreshSource` and the tags beside it are read: the resource type decides the kind of source. Does not know
whether the source exists or fits (`source_fit`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from refresh.domain.azure.galleries import Definition
from refresh.domain.terms import resource_id, tags
from refresh.domain.terms.month_reason import MonthReason, Refusal

LATEST = "latest"
RECIPE = "recipe"
# The largest VM sizes have 64 LUNs, so an image can have data disks at LUNs 0 to 63.
_LUN = re.compile(rf"^{tags.REFRESH_SOURCE_LUN}(\d|[1-5]\d|6[0-3])\Z", re.IGNORECASE | re.ASCII)
_LUN_LIKE = re.compile(rf"^{tags.REFRESH_SOURCE_LUN}", re.IGNORECASE)
# No query: a shared access signature in a tag would be a secret that every reader of the tag has.
_VHD = re.compile(r"^https://([a-z0-9]{3,24})\.[a-z0-9.\-]+/[^\s?#]+\.vhd\Z", re.IGNORECASE | re.ASCII)
_STORAGE_TYPE = "microsoft.storage/storageaccounts"


class SourceKind(StrEnum):
    """What a version can be made from; messages show the value."""

    VM = "VM"
    IMAGE = "managed image"
    VERSION = "image version"
    DISK = "disk"
    SNAPSHOT = "snapshot"
    VHD = "VHD"
    RECIPE = "recipe"


_KINDS = {
    resource_id.VM_TYPE: SourceKind.VM,
    "microsoft.compute/images": SourceKind.IMAGE,
    resource_id.VERSION_TYPE: SourceKind.VERSION,
    resource_id.DEFINITION_TYPE: SourceKind.VERSION,
    resource_id.DISK_TYPE: SourceKind.DISK,
    "microsoft.compute/snapshots": SourceKind.SNAPSHOT,
}
_SINGLE = (SourceKind.DISK, SourceKind.SNAPSHOT, SourceKind.VHD)


@dataclass(frozen=True)
class SourcePart:
    """The source of one disk: a full ARM id, or a VHD's URL. `lun` is that of a data disk, None for the OS disk."""

    kind: SourceKind
    id: str
    lun: int | None = None


@dataclass(frozen=True)
class Source:
    """What a version is made from: `os` and, for disks, snapshots and VHDs, the data disks by LUN.

    `storage` is the id of the VHDs' storage account. With `latest` no version is named: `os.id` is an image definition.
    """

    os: SourcePart
    data: tuple[SourcePart, ...] = ()
    storage: str | None = None
    latest: bool = False


def read_source(definition: Definition) -> Source | Refusal:
    """The source that the tags of `definition` name, or why they name none."""
    text = tags.text_of(definition.tags, tags.REFRESH_SOURCE)
    if not text:
        cure = f"{definition.name} has no tag {tags.REFRESH_SOURCE}; set it to the full id of what to build from"
        return Refusal(MonthReason.NO_SOURCE, cure)
    os = _part(text)
    if os is None:
        return Refusal(
            MonthReason.UNKNOWN_SOURCE,
            f"{tags.REFRESH_SOURCE}='{_short(text)}' on {definition.name} is no known kind of source; known are the "
            "full resource id of a VM, managed image, image definition or version, disk or snapshot, an https URL of a "
            f".vhd blob without a query, and '{RECIPE}'",
        )
    data = _data_disks(definition, os)
    if isinstance(data, Refusal):
        return data
    storage = _storage(definition, (os, *data))
    return storage if isinstance(storage, Refusal) else _plain(os, data, storage)


def _plain(os: SourcePart, data: tuple[SourcePart, ...], storage: str | None) -> Source:
    found = resource_id.parse(os.id) if os.kind is SourceKind.VERSION else None
    if found is None:
        return Source(os, data, storage)
    if found.type == resource_id.DEFINITION_TYPE:
        return Source(os, latest=True)
    if found.name.lower() == LATEST:
        return Source(SourcePart(SourceKind.VERSION, found.parent()), latest=True)
    return Source(os)


def _part(text: str, lun: int | None = None) -> SourcePart | None:
    if _VHD.match(text):
        return SourcePart(SourceKind.VHD, text, lun)
    if text.lower() == RECIPE:
        return SourcePart(SourceKind.RECIPE, RECIPE, lun)
    found = resource_id.parse(text)
    kind = _KINDS.get(found.type) if found is not None else None
    return SourcePart(kind, found.text, lun) if found is not None and kind is not None else None


def _data_disks(definition: Definition, os: SourcePart) -> tuple[SourcePart, ...] | Refusal:
    parts: dict[int, SourcePart] = {}
    for name, value in definition.tags.items():
        if not _LUN_LIKE.match(name):
            continue
        lun = _LUN.match(name)
        part = _part(value.strip(), int(lun.group(1))) if lun else None
        if part is None or part.kind not in _SINGLE or os.kind not in _SINGLE:
            return Refusal(
                MonthReason.UNKNOWN_SOURCE,
                f"{name}='{_short(value)}' on {definition.name}: data disks can be named only beside a disk, snapshot "
                f"or VHD, as {tags.REFRESH_SOURCE_LUN}0 to {tags.REFRESH_SOURCE_LUN}63, each a disk, snapshot or VHD",
            )
        parts[part.lun or 0] = part
    return tuple(parts[lun] for lun in sorted(parts))


def _storage(definition: Definition, parts: tuple[SourcePart, ...]) -> str | Refusal | None:
    """The storage account of the VHDs among `parts`; Azure requires its id beside each URL."""
    urls = [part.id for part in parts if part.kind is SourceKind.VHD]
    if not urls:
        return None
    text = tags.text_of(definition.tags, tags.REFRESH_SOURCE_STORAGE)
    found = resource_id.parse(text)
    hosts = {match.group(1).lower() for url in urls if (match := _VHD.match(url))}
    if found is None or found.type != _STORAGE_TYPE or hosts != {found.name.lower()}:
        return Refusal(
            MonthReason.UNKNOWN_SOURCE,
            f"{tags.REFRESH_SOURCE_STORAGE}='{_short(text)}' on {definition.name} must be the full resource id of the "
            f"storage account that holds the VHD ({', '.join(sorted(hosts))})",
        )
    return found.text


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
