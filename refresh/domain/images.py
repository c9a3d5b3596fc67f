"""The month's version of one image definition: keep it, build it, or say why not.

Decides from the definition, its versions and its source. Refuses to know how any of them was read, when a build
is done (`replication`) and which VMs will use it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from refresh.domain import naming, resource_id, tags
from refresh.domain.model import Definition, Version, Vm
from refresh.domain.month_reason import MonthReason, Refusal
from refresh.domain.replication import MOVING


def find_kept(versions: Iterable[Version], source: str | None, period: str) -> Version | None:
    """The version of `period` to keep: the highest that is there, or still being made from `source`."""
    return _highest(
        version
        for version in versions
        if _in_period(version, period)
        and (
            version.provisioning_state in ("Succeeded", "Updating")
            or (version.provisioning_state == "Creating" and resource_id.same(version.source_id, source))
        )
    )


def find_moving(versions: Iterable[Version]) -> Version | None:
    """A version of any period that is being made or changed right now."""
    return _highest(version for version in versions if version.provisioning_state in MOVING)


def read_source(definition: Definition) -> resource_id.ResourceId | Refusal:
    """What `RefreshSource` asks to capture, or why nothing can be captured into this definition from it.

    The only kind so far is the full id of a VM, captured as it is (specialised). Azure captures no VM into a definition
    that supports Trusted Launch: https://github.com/hashicorp/packer-plugin-azure/issues/304
    """
    text = (tags.value_of(definition.tags, tags.REFRESH_SOURCE) or "").strip()
    if not text:
        return Refusal(
            MonthReason.NO_SOURCE,
            f"{definition.name} has no tag {tags.REFRESH_SOURCE}; set it to the full resource id of the VM to capture",
        )
    source = resource_id.parse_vm(text)
    if source is None:
        shown = text if len(text) <= 60 else text[:57] + "..."
        return Refusal(
            MonthReason.UNKNOWN_SOURCE,
            f"{tags.REFRESH_SOURCE}='{shown}' on {definition.name} is of no known kind; known is one: the full "
            "resource id of a VM",
        )
    if definition.os_state != "Specialized":
        return Refusal(
            MonthReason.GENERALIZED,
            f"{definition.name} is {definition.os_state or 'of unknown OS state'}; a VM is captured as it is, so use a "
            "Specialized definition",
        )
    if "trustedlaunch" in (definition.security_type or "").lower():
        return Refusal(
            MonthReason.TRUSTED_LAUNCH,
            f"{definition.name} is {definition.security_type}, and Azure captures no VM into such a definition; use "
            "one with security type Standard",
        )
    return source


def check_source(definition: Definition, source: resource_id.ResourceId, vm: Vm | None) -> Refusal | None:
    """Why `vm` (None: it does not exist) cannot be captured into `definition`; None when it can."""
    if vm is None:
        return Refusal(
            MonthReason.SOURCE_GONE,
            f"VM {source.name}, the {tags.REFRESH_SOURCE} of {definition.name}, does not exist; name one that does",
        )
    if naming.region_key(vm.location) != naming.region_key(definition.location):
        return Refusal(
            MonthReason.SOURCE_ELSEWHERE,
            f"VM {vm.name} is in {vm.location}, {definition.name} in {definition.location}; capture a VM in the "
            "gallery's region",
        )
    return None


def choose_name(definition: Definition, versions: Sequence[Version], period: str) -> str | Refusal:
    """The name of the version to build for `period`, or why none can be built now."""
    moving = find_moving(versions)
    if moving is not None:
        return Refusal(
            MonthReason.BUILD_UNDER_WAY,
            f"version {moving.name} of {definition.name} is {moving.provisioning_state}; run again when it is finished",
        )
    name = naming.next_version((version.name for version in versions), period)
    if name is not None:
        return name
    newest = _highest(versions)
    assert newest is not None, "only an existing version can be in the way"  # noqa: S101
    return Refusal(
        MonthReason.NEWER_VERSION,
        f"version {newest.name} of {definition.name} is higher than any of {period}; delete it or ask for a later "
        "period, else new disks would go on being made from it",
    )


def build_body(definition: Definition, source: str, regions: Iterable[str], period: str) -> dict[str, Any]:
    """The ARM body of a version captured from VM `source`, replicated to the definition's region and `regions`.

    The version's own region must be among its targets, and a running VM may be a source (api 2023-07-03 and later):
    https://learn.microsoft.com/azure/virtual-machines/image-version
    """
    return {
        "location": definition.location,
        "tags": {tags.DISK_PERIOD: period},
        "properties": {
            "publishingProfile": {"targetRegions": [{"name": name} for name in target_regions(definition, regions)]},
            "storageProfile": {"source": {"virtualMachineId": source}},
        },
    }


def target_regions(definition: Definition, regions: Iterable[str]) -> list[str]:
    """The definition's own region first, then the other `regions`, each once."""
    home = naming.region_key(definition.location)
    return [home, *sorted({naming.region_key(name) for name in regions} - {home})]


def _in_period(version: Version, period: str) -> bool:
    number = naming.version_number(version.name)
    return number is not None and number[0] == int(period)


def _highest(versions: Iterable[Version]) -> Version | None:
    return max(versions, key=lambda version: naming.version_number(version.name) or (-1, -1, -1), default=None)
