"""Whether a source can become a version of an image definition: region, OS, generation, state, security type.

Decides from the facts that ARM shows of both, before anything is made. Does not know where the facts were read or how
the version is made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from refresh.domain.azure.galleries import Definition
from refresh.domain.images.sources import SourceKind, SourcePart
from refresh.domain.terms import names
from refresh.domain.terms.month_reason import MonthReason, Refusal

# https://learn.microsoft.com/azure/virtual-machines/image-version: "the data disk size cannot be more than 1 TB".
_MAX_DATA_DISK_GB = 1024
_SETTLED_DISK = ("Unattached", "Attached", "Reserved", None)
_VERSIONS_AND_UPLOADS = (SourceKind.VHD, SourceKind.IMAGE, SourceKind.VERSION)


@dataclass(frozen=True)
class SourceFacts:
    """What ARM shows of a source; None where it shows nothing.

    `busy` is why the source cannot be read now, `unfit` why Azure accepts no such source at all, `definition` the image
    definition (lower-case id) that a version belongs to.
    """

    part: SourcePart
    name: str
    location: str | None = None
    os_type: str | None = None
    os_state: str | None = None
    generation: str | None = None
    architecture: str | None = None
    security_type: str | None = None
    size_gb: int | None = None
    busy: str | None = None
    unfit: str | None = None
    definition: str | None = None


def judge_source(definition: Definition, os: SourceFacts, *, ephemeral: bool = False) -> Refusal | None:
    """Why no version of `definition` can be made from `os`; None when one can.

    `ephemeral` is a VM that was made for this build only: a generalised definition accepts no other VM.
    """
    kind = os.part.kind
    if kind is SourceKind.VM and definition.os_state != "Specialized" and not ephemeral:
        return Refusal(
            MonthReason.GENERALIZED,
            f"{definition.name} is {definition.os_state or 'of unknown OS state'}; a VM in use is captured without "
            "generalising it, so use a Specialized definition",
        )
    if os.definition == definition.id.lower():
        cure = f"{os.name} is a version of {definition.name} itself; name another source"
        return Refusal(MonthReason.SOURCE_DOES_NOT_FIT, cure)
    return _judge_location(definition, os) or _judge_kind(definition, os) or _judge_security(definition, os)


def judge_data_disk(definition: Definition, disk: SourceFacts) -> Refusal | None:
    """Why the data disk cannot be part of a version of `definition`; None when it can."""
    if disk.size_gb is not None and disk.size_gb > _MAX_DATA_DISK_GB:
        return Refusal(
            MonthReason.SOURCE_DOES_NOT_FIT,
            f"{disk.part.kind} {disk.name} has {disk.size_gb} GiB; an image can have data disks of up to "
            f"{_MAX_DATA_DISK_GB} GiB",
        )
    return _judge_location(definition, disk)


def busy_disk(provisioning_state: str | None, disk_state: str | None) -> str | None:
    """Why a disk or snapshot in these states cannot be read now; None when it can."""
    if provisioning_state != "Succeeded":
        return provisioning_state or "in an unknown state"
    return None if disk_state in _SETTLED_DISK else disk_state


def _judge_location(definition: Definition, os: SourceFacts) -> Refusal | None:
    if os.busy is not None:
        cure = f"{os.part.kind} {os.name} is {os.busy}; run again when it is ready"
        return Refusal(MonthReason.SOURCE_NOT_READY, cure)
    # A version can be read from any region; every other source must be in the region of the new version:
    # https://learn.microsoft.com/azure/virtual-machines/image-version
    elsewhere = names.region_key(os.location or "") != names.region_key(definition.location)
    if os.part.kind is not SourceKind.VERSION and elsewhere:
        return Refusal(
            MonthReason.SOURCE_ELSEWHERE,
            f"{os.part.kind} {os.name} is in {os.location or 'an unknown region'}, {definition.name} in "
            f"{definition.location}; use a source in the image definition's region",
        )
    return None


def _judge_kind(definition: Definition, os: SourceFacts) -> Refusal | None:
    misfits = list(_misfits(definition, os))
    if not misfits:
        return None
    return Refusal(
        MonthReason.SOURCE_DOES_NOT_FIT,
        f"{os.part.kind} {os.name} does not fit {definition.name}: {', '.join(misfits)}; name another source or use a "
        "definition of its kind",
    )


def _misfits(definition: Definition, os: SourceFacts) -> Iterator[str]:
    # ARM shows nothing of a VHD before it is a disk, and a disk does not show whether it was generalised: there the
    # definition's values are taken as true.
    if os.unfit is not None:
        yield os.unfit
    if os.part.kind is SourceKind.VHD:
        return
    pairs = [("OS type", os.os_type, definition.os_type), ("generation", os.generation, definition.generation)]
    pairs.append(("architecture", os.architecture or "x64", definition.architecture or "x64"))
    if os.part.kind not in (SourceKind.DISK, SourceKind.SNAPSHOT):
        pairs.append(("OS state", os.os_state, definition.os_state))
    for what, has, needs in pairs:
        if not has or not needs or has.lower() != needs.lower():
            yield f"{what} is {has or 'unknown'}, not {needs or 'known'}"


def _judge_security(definition: Definition, os: SourceFacts) -> Refusal | None:
    offers, has = security_key(definition.security_type), security_key(os.security_type)
    kind, reason = os.part.kind, MonthReason.SOURCE_DOES_NOT_FIT
    if offers.endswith("supported"):
        # Azure's error for a VM: "Currently only Vhd Blob, User Image and Gallery Image Version sources are supported":
        # https://github.com/hashicorp/packer-plugin-azure/issues/304
        fits = kind in _VERSIONS_AND_UPLOADS and (has == "standard" or has.endswith("supported"))
        cure = "a VHD, managed image or image version, or a definition of the source's own security type"
        reason = MonthReason.TRUSTED_LAUNCH
    elif kind in (SourceKind.VHD, SourceKind.IMAGE):
        # "Managed Images are not supported for virtual machines with security type TrustedLaunch."
        fits, cure = offers == "standard", "a definition with security type Standard or TrustedLaunchSupported"
    else:
        fits, cure = offers == has, "a source of the definition's security type"
    if fits:
        return None
    return Refusal(
        reason,
        f"{definition.name} has security type {definition.security_type or 'Standard'}, {kind} {os.name} "
        f"{os.security_type or 'Standard'}; use {cure}",
    )


def security_key(text: str | None) -> str:
    """A security type for comparison: none is standard, that of a confidential disk is that of its VM."""
    key = (text or "standard").lower()
    return "standard" if key == "none" else key.split("_", maxsplit=1)[0]
