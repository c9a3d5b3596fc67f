"""How an image version is published: its target regions, its replicas and its ARM body.

Decides the ARM bodies of versions and of the managed image that can be made between a VHD and a version. Does not know
whether the source fits (`source_fit`) or how the version number is chosen (`version_choice`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from refresh.domain.azure.galleries import Definition
from refresh.domain.images.sources import Source, SourceKind, SourcePart
from refresh.domain.terms import names, tags, times

# https://learn.microsoft.com/azure/virtual-machines/azure-compute-gallery#scaling
DISKS_PER_REPLICA = 50
MAX_REPLICAS = 100


@dataclass(frozen=True)
class Publishing:
    """What the owner of an image decides about its versions; regions are compared without case and spaces.

    `replicas` replaces the count of VMs; `storage` is the storage account type, `storage_in` the one of single regions;
    `encryption` has disk encryption sets by region; `proof` is whether a throw-away VM must boot a version before it is
    used (None: the default of the source); `via_image` makes versions of a VHD from a managed image, which outlives the
    blob.
    """

    regions: tuple[str, ...] = ()
    replicas: int | None = None
    storage: str | None = None
    storage_in: Mapping[str, str] = field(default_factory=dict)
    encryption: Mapping[str, str] = field(default_factory=dict)
    end_of_life_days: int | None = None
    proof: bool | None = None
    via_image: bool = False


@dataclass(frozen=True)
class Demand:
    """What a version of `period` is needed for: the `regions` of VMs, and how many VMs in each can need a disk (`vms`).

    `now` (ISO) is when the version is made.
    """

    regions: tuple[str, ...]
    period: str
    now: str
    vms: Mapping[str, int] = field(default_factory=dict)


def target_regions(definition: Definition, regions: Iterable[str], publishing: Publishing) -> list[str]:
    """The definition's own region first, then the other `regions` and those configured, each once."""
    home = names.region_key(definition.location)
    others = {names.region_key(name) for name in (*regions, *publishing.regions)}
    return [home, *sorted(others - {home})]


def replicas_for(disks: int) -> int:
    """Replicas for `disks` made at once in one region: one for every 50, at least one, at most 100."""
    return min(max(-(-disks // DISKS_PER_REPLICA), 1), MAX_REPLICAS)


def version_body(definition: Definition, source: Source, publishing: Publishing, demand: Demand) -> dict[str, Any]:
    """The ARM body of a version from `source`, excluded from latest until its checks have passed.

    The version's own region must be among its targets:
    https://learn.microsoft.com/azure/virtual-machines/image-version
    """
    luns = [part.lun for part in source.data]
    profile: dict[str, Any] = {
        "targetRegions": [
            _target(name, publishing, demand.vms, luns)
            for name in target_regions(definition, demand.regions, publishing)
        ],
        "excludeFromLatest": True,
    }
    if publishing.storage:
        profile["storageAccountType"] = publishing.storage
    ends = _end_of_life(demand.now, publishing.end_of_life_days)
    if ends:
        profile["endOfLifeDate"] = ends
    return {
        "location": definition.location,
        "tags": {tags.DISK_PERIOD: demand.period, tags.REFRESH_CHECKS: tags.CHECKS_PENDING},
        "properties": {"publishingProfile": profile, "storageProfile": _storage_profile(source)},
    }


def without_refused_region(body: Mapping[str, Any], refusal: str) -> dict[str, Any] | None:
    """The `body` of a version without the target region that Azure's `refusal` names first.

    None where it names none of them, or first the version's own region, which must stay. A list of other regions can
    follow in the text ("List of available regions ..."), so only the first counts.
    """
    home, text = names.region_key(str(body.get("location", ""))), names.region_key(refusal)
    properties = body.get("properties", {})
    profile = properties.get("publishingProfile", {})
    targets = profile.get("targetRegions", [])
    keys = {names.region_key(str(target.get("name", ""))) for target in targets} | {home}
    # At the same place the longest name counts: `westus` is a part of `westus2`.
    found = min(
        (key for key in keys if key and key in text), key=lambda key: (text.index(key), -len(key)), default=home
    )
    if found == home:
        return None
    left = [target for target in targets if names.region_key(str(target.get("name", ""))) != found]
    return {**body, "properties": {**properties, "publishingProfile": {**profile, "targetRegions": left}}}


def image_body(definition: Definition, source: Source, version: str, period: str) -> dict[str, Any]:
    """The ARM body of a managed image from the VHDs of `source`; generalised, as managed images are.

    https://learn.microsoft.com/rest/api/compute/images/create-or-update
    """
    os = {"osType": definition.os_type, "osState": "Generalized", "blobUri": source.os.id, "caching": "ReadWrite"}
    data = [{"lun": part.lun, "blobUri": part.id} for part in source.data]
    return {
        "location": definition.location,
        "tags": {tags.DISK_PERIOD: period, tags.DISK_VERSION: f"{definition.name}/{version}"},
        "properties": {
            "hyperVGeneration": definition.generation,
            "storageProfile": {"osDisk": os} | ({"dataDisks": data} if data else {}),
        },
    }


def _target(name: str, publishing: Publishing, vms: Mapping[str, int], luns: Iterable[int | None]) -> dict[str, Any]:
    replicas = publishing.replicas or replicas_for(vms.get(name, 0))
    target: dict[str, Any] = {"name": name, "regionalReplicaCount": replicas}
    storage = _in_region(publishing.storage_in, name)
    if storage:
        target["storageAccountType"] = storage
    key = _in_region(publishing.encryption, name)
    if key:
        disks = [{"lun": lun, "diskEncryptionSetId": key} for lun in luns]
        target["encryption"] = {"osDiskImage": {"diskEncryptionSetId": key}} | (
            {"dataDiskImages": disks} if disks else {}
        )
    return target


def _in_region(values: Mapping[str, str], region: str) -> str | None:
    return next((value for name, value in values.items() if names.region_key(name) == region), None)


def _end_of_life(now: str, days: int | None) -> str | None:
    moment = times.parse(now)
    return None if days is None or moment is None else (moment + timedelta(days=days)).strftime("%Y-%m-%dT00:00:00Z")


def _storage_profile(source: Source) -> dict[str, Any]:
    if source.os.kind is SourceKind.VM:
        return {"source": {"virtualMachineId": source.os.id}}
    if source.os.kind in (SourceKind.IMAGE, SourceKind.VERSION):
        return {"source": {"id": source.os.id}}
    profile: dict[str, Any] = {"osDiskImage": {"source": _disk_source(source.os, source.storage)}}
    if source.data:
        profile["dataDiskImages"] = [
            {"lun": part.lun, "source": _disk_source(part, source.storage)} for part in source.data
        ]
    return profile


def _disk_source(part: SourcePart, storage: str | None) -> dict[str, Any]:
    return {"storageAccountId": storage, "uri": part.id} if part.kind is SourceKind.VHD else {"id": part.id}
