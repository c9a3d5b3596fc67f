"""The origin of a disk, and whether it may become a given VM.

Decides whether the disk is trusted (`REFRESH_DISK_TRUST`) and whether it becomes this VM when it boots, not a clone.
Uses only what cannot be changed in ARM (`creationData`) and what the dispatcher has recorded of this VM.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.galleries import Definition, Version
from refresh.domain.azure.quarantine import is_quarantined
from refresh.domain.azure.vms import Vm
from refresh.domain.preflight.check import Check, Condition, Evidence
from refresh.domain.terms import resource_id, tags
from refresh.domain.terms.stop_mode import StopMode
from refresh.domain.terms.swap_reason import Reason

_OS_STATES = (
    "https://learn.microsoft.com/azure/virtual-machines/shared-image-galleries#generalized-and-specialized-images"
)

TRUSTED = Condition("disk is trusted", Reason.DISK_NOT_TRUSTED, Evidence.OUR_RULE)
NOT_AT_SETUP = Condition("not a generalised Windows disk", Reason.GENERALIZED_WINDOWS, Evidence.OUR_RULE, _OS_STATES)
PERSONAL = Condition("disk becomes this VM", Reason.NOT_PERSONALIZED, Evidence.OUR_RULE, _OS_STATES)

NOT_QUARANTINED = Condition("image version is not quarantined", Reason.IMAGE_QUARANTINED, Evidence.OUR_RULE)
# Only the version shows whether it is quarantined; one is also deleted because it was bad.
VERSION_EXISTS = Condition("image version exists", Reason.IMAGE_DELETED, Evidence.OUR_RULE)

CONDITIONS = (TRUSTED, NOT_AT_SETUP, PERSONAL, NOT_QUARANTINED, VERSION_EXISTS)


@dataclass(frozen=True)
class Policy:
    """What the settings allow: `trust` is `group` or `gallery`, the others are ids in lower case.

    `stop_mode` is for VMs without the tag.
    """

    trust: str = "group"
    stop_mode: str = StopMode.DEALLOCATE
    galleries: Collection[str] = ()
    disk_groups: Collection[str] = ()
    previous_reserved_days: int = 7


def check_trust(wanted: Disk, ran: Collection[str], policy: Policy) -> Check:
    """Whether the disk's origin is allowed by `REFRESH_DISK_TRUST`."""
    version = (wanted.source_version or "").lower()
    from_configured = any(version.startswith(f"{gallery.lower()}/") for gallery in policy.galleries)
    return TRUSTED.judged(
        policy.trust != "gallery" or from_configured or resource_id.id_hash(wanted.id) in ran,
        f"disk {wanted.name} comes from no image version of a configured gallery (REFRESH_DISK_TRUST=gallery); use a "
        "disk from one",
    )


def check_personal(
    vm: Vm,
    wanted: Disk,
    version: Version | None,
    definition: Definition | None,
    ran: Collection[str],
    policy: Policy,
) -> tuple[Check, ...]:
    """Whether the disk becomes *this* VM when it boots, not a clone or a setup screen.

    A generalised disk that is swapped in is never provisioned; a specialised one keeps its source's name and keys.
    """
    ran_before = resource_id.id_hash(wanted.id) in ran
    if wanted.source_version is None:
        own = ran_before or policy.trust != "gallery"
    else:
        personalizes = definition is not None and tags.is_true(
            tags.value_of(definition.tags, tags.REFRESH_PERSONALIZES)
        )
        from_this_vm = version is not None and resource_id.same(version.source_id, vm.id)
        own = ran_before or personalizes or from_this_vm
    found = resource_id.parse(wanted.source_version)
    image = found.names[1] if found is not None and len(found.names) > 1 else "its image"
    oobe = definition is not None and definition.os_state == "Generalized" and definition.os_type == "Windows"
    return (
        NOT_AT_SETUP.judged(
            ran_before or not oobe,
            f"disk {wanted.name} comes from generalised Windows image {image}: after a swap it would wait at "
            "setup for ever; use a specialised image",
        ),
        PERSONAL.judged(
            own,
            f"disk {wanted.name} is a clone of {image} and would not become this VM; if the image gives each VM its "
            f"own name, keys and accounts, its owner sets {tags.REFRESH_PERSONALIZES}=true on the image definition",
        ),
        NOT_QUARANTINED.judged(
            ran_before or not is_quarantined(version),
            f"disk {wanted.name} comes from a version of {image} that was rolled back on several VMs; make a new "
            f"version, or remove the tag {tags.REFRESH_QUARANTINED} from that one if it was not at fault",
        ),
        VERSION_EXISTS.judged(
            ran_before or version is not None or found is None or found.type != resource_id.VERSION_TYPE,
            f"disk {wanted.name} comes from a version of {image} that does not exist any more, so it is not known "
            "whether the version was good; use a disk from a newer one",
        ),
    )
