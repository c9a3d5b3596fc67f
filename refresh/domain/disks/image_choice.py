"""The image definition that a VM's next disk is made from.

Decides what fits a VM. None or several fitting definitions is a refusal that names them, never a guess.
`images/replication.py` chooses the version.
"""

from __future__ import annotations

from collections.abc import Sequence

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.galleries import Definition
from refresh.domain.azure.vms import Vm
from refresh.domain.terms import resource_id, tags
from refresh.domain.terms.month_reason import MonthReason, Refusal

# Security types of a definition that a VM's OS disk may come from, the exact one first:
# https://learn.microsoft.com/azure/virtual-machines/trusted-launch#azure-compute-gallery
_FITTING = {
    "standard": ("standard", "trustedlaunchsupported", "confidentialvmsupported"),
    "trustedlaunch": ("trustedlaunch", "trustedlaunchsupported"),
    "confidentialvm": ("confidentialvm", "confidentialvmsupported"),
}
_BOTH = "trustedlaunchandconfidentialvmsupported"
_NAMES_SHOWN = 5


def choose_definition(vm: Vm, current: Disk, definitions: Sequence[Definition]) -> Definition | Refusal:
    """The definition for `vm`: the one that its `RefreshImage` names, else the only tagged one that fits.

    `definitions` are those of all configured galleries, `current` is the VM's OS disk.
    """
    if name := vm.own_tags.image:
        return _named(name, vm, current, definitions)
    candidates = [
        found
        for found in definitions
        if tags.is_true(tags.value_of(found.tags, tags.AUTO_REFRESH)) and _is_allowed(vm, found)
    ]
    fitting = [found for found in candidates if not _misfits(vm, current, found)]
    exact = [found for found in fitting if _security(found.security_type) == _security(vm.security_type)]
    best = exact or fitting
    if len(best) == 1:
        return best[0]
    described = _described(vm, current)
    if best:
        return Refusal(
            MonthReason.SEVERAL_IMAGES,
            f"{_listed(best)} all fit this VM ({described}); name one of them in the VM's tag {tags.REFRESH_IMAGE}",
        )
    return Refusal(
        MonthReason.NO_IMAGE,
        f"no image definition tagged {tags.AUTO_REFRESH}=true fits this VM ({described}); tagged: "
        f"{_listed(candidates)}",
    )


def _named(name: str, vm: Vm, current: Disk, definitions: Sequence[Definition]) -> Definition | Refusal:
    found = [definition for definition in definitions if definition.name.lower() == name.lower()]
    shown = name if len(name) <= 60 else name[:57] + "..."
    if not found:
        return Refusal(
            MonthReason.UNKNOWN_IMAGE,
            f"{tags.REFRESH_IMAGE}='{shown}' is no image definition of the configured galleries; they have "
            f"{_listed(definitions)}",
        )
    if len(found) > 1:
        return Refusal(
            MonthReason.SEVERAL_IMAGES, f"{tags.REFRESH_IMAGE}='{shown}' is in {len(found)} of the configured galleries"
        )
    if not _is_allowed(vm, found[0]):
        return Refusal(
            MonthReason.IMAGE_NOT_ALLOWED,
            f"{found[0].name} is not allowed for this VM: its tag {tags.REFRESH_ALLOWED_SCOPES} lists the "
            "subscriptions and groups that may use it; name another image, or have this VM's subscription or group "
            "added to the tag",
        )
    misfits = _misfits(vm, current, found[0])
    if misfits:
        return Refusal(
            MonthReason.IMAGE_DOES_NOT_FIT,
            f"{found[0].name} does not fit this VM ({_described(vm, current)}): different {', '.join(misfits)}",
        )
    return found[0]


def can_need(vm: Vm, definition: Definition) -> bool:
    """Whether a disk of `vm` may be made from `definition`, as far as the VM alone shows: its disk is not read."""
    if named := vm.own_tags.image:
        return named.lower() == definition.name.lower()
    fits = (vm.os_type or "").lower() == (definition.os_type or "").lower() and _fits_security(vm, definition)
    return fits and vm.os_type is not None and _is_allowed(vm, definition)


def _is_allowed(vm: Vm, definition: Definition) -> bool:
    """Whether this VM may use the image: every VM may, unless a tag of the definition lists subscriptions and groups.

    An entry is a subscription's id or `<subscription>/<group>`, or the full id of either; any other text allows no VM.
    """
    listed = tags.value_of(definition.tags, tags.REFRESH_ALLOWED_SCOPES)
    if listed is None:
        return True
    home = resource_id.parse_vm(vm.id)
    if home is None:
        return False
    mine = {home.subscription.lower(), f"{home.subscription}/{home.group}".lower()}
    entries = (entry.strip().strip("/").lower() for entry in listed.split(","))
    short = (entry.removeprefix("subscriptions/").replace("/resourcegroups/", "/") for entry in entries)
    return not mine.isdisjoint(short)


def _misfits(vm: Vm, current: Disk, definition: Definition) -> list[str]:
    """The properties of `definition` that differ from the VM; a property that ARM does not give does not fit."""
    pairs = {
        "OS type": (current.os_type or vm.os_type, definition.os_type),
        "generation": (current.generation or vm.generation, definition.generation),
        "architecture": (_architecture(current.architecture), _architecture(definition.architecture)),
    }
    found = [what for what, (left, right) in pairs.items() if not left or not right or left.lower() != right.lower()]
    if not _fits_security(vm, definition):
        found.append("security type")
    if (definition.os_type, definition.os_state) == ("Windows", "Generalized"):
        # A disk from it is never provisioned after a swap, so the VM would wait at setup for ever.
        found.append("OS state (generalised Windows)")
    return found


def _fits_security(vm: Vm, definition: Definition) -> bool:
    offered = _security(definition.security_type)
    return offered == _BOTH or offered in _FITTING.get(_security(vm.security_type), ())


def _architecture(text: str | None) -> str:
    # Disks and definitions from before Azure had Arm64 do not have one, and can only be x64.
    return text or "x64"


def _security(text: str | None) -> str:
    # The feature of a definition may also be `None`; a VM without a security profile is a standard one.
    key = (text or "standard").lower()
    return "standard" if key == "none" else key


def _described(vm: Vm, current: Disk) -> str:
    parts = (
        current.os_type or vm.os_type or "unknown OS",
        current.generation or vm.generation or "unknown generation",
        _architecture(current.architecture),
        vm.security_type or "Standard",
    )
    return ", ".join(parts)


def _listed(definitions: Sequence[Definition]) -> str:
    names = [found.name for found in definitions[:_NAMES_SHOWN]]
    more = len(definitions) - len(names)
    return (", ".join(names) + (f" and {more} more" if more else "")) or "none"
