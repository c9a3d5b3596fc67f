"""The wish: the disk that a VM's tags name.

Decides how `OsDiskName` is read: as a disk of the VM's group, a full id, `@previous`, nothing, or a text that is not
accepted as a disk. Tags are untrusted input. Does not know whether the disk exists.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from refresh.domain.azure.vms import Vm
from refresh.domain.terms import resource_id, tags
from refresh.domain.terms.swap_reason import Reason
from refresh.domain.terms.vm_tags import shorten, without_query


@dataclass(frozen=True)
class Wish:
    """The disk (by id) that the tags name, nothing, or the problem with the tag's text."""

    text: str
    disk_id: str | None = None
    problem: Reason | None = None
    message: str = ""


def choose_wish(vm: Vm, disk_groups: Collection[str], ran: Collection[str] = ()) -> Wish:
    """The disk that `OsDiskName` of `vm` names; `disk_groups` are the ids (lower-case) of groups that it may name.

    A name is a disk of the VM's own resource group, `@previous` the disk that `OsDiskPrevious` names. The disk that the
    VM runs, and those that it is recorded to have run (`ran`, hashes), may be in any group: they are its ways back.
    """
    vm_tags = vm.own_tags
    text = vm_tags.wanted
    if not text:
        return Wish("")
    if vm_tags.wants_previous:
        if not vm_tags.previous:
            return Wish(
                text,
                problem=Reason.NO_PREVIOUS,
                message=f"{tags.OS_DISK_NAME}={tags.PREVIOUS} needs a disk in {tags.OS_DISK_PREVIOUS}, "
                "and this VM has none; write the disk's name instead",
            )
        return _named(vm, text, vm_tags.previous, disk_groups, ran)
    return _named(vm, text, text, disk_groups, ran)


def _named(vm: Vm, text: str, name: str, disk_groups: Collection[str], ran: Collection[str]) -> Wish:
    home = resource_id.parse_vm(vm.id)
    if home is None:
        what = f"a disk of a VM whose id cannot be read: {shorten(vm.id)}"
        return Wish(without_query(text), problem=Reason.BAD_WISH, message=f"{tags.OS_DISK_NAME} names {what}")
    if "/" not in name:
        if resource_id.is_disk_name(name):
            return Wish(text, home.sibling("Microsoft.Compute/disks", name))
        return _bad(text, f"'{shorten(name)}', which cannot be a disk's name; write the name of a disk in {home.group}")
    found = resource_id.parse(name)
    if found is None or found.type != resource_id.DISK_TYPE or not resource_id.is_disk_name(found.name):
        return _bad(text, f"'{shorten(name)}', which is neither a disk's name nor a disk's full resource id")
    known = resource_id.same(found.text, vm.os_disk_id) or resource_id.id_hash(found.text) in ran
    if found.group_key != home.group_key and found.group_key not in disk_groups and not known:
        return Wish(
            text,
            problem=Reason.DISK_OUTSIDE_GROUP,
            message=f"disk {found.name} is in resource group {found.group}, not in the VM's; use a disk of "
            f"{home.group}, or add that group to REFRESH_DISK_GROUPS",
        )
    return Wish(text, found.text)


def _bad(text: str, what: str) -> Wish:
    tag = tags.OS_DISK_PREVIOUS if text.lower() == tags.PREVIOUS else tags.OS_DISK_NAME
    return Wish(without_query(text), problem=Reason.BAD_WISH, message=f"{tag} is {what}")


def disk_of_text(vm_id: str, text: str) -> str | None:
    """The id of the disk that a tag of the VM names so, by name or by id; None when it names none."""
    home, name = resource_id.parse_vm(vm_id), text.strip()
    if home is None:
        return None
    if "/" not in name:
        return home.sibling("Microsoft.Compute/disks", name) if resource_id.is_disk_name(name) else None
    found = resource_id.parse(name)
    return found.text if found is not None and found.type == resource_id.DISK_TYPE else None


def with_wish(vm: Vm, text: str) -> Vm:
    """`vm` as if its `OsDiskName` were `text`."""
    others = {name: value for name, value in vm.tags.items() if name.lower() != tags.OS_DISK_NAME.lower()}
    return replace(vm, tags={**others, tags.OS_DISK_NAME: text})


def disk_text(vm_id: str, disk_id: str) -> str:
    """A disk as a tag of the VM names it: by name in the VM's group, else by full id."""
    vm, disk = resource_id.parse(vm_id), resource_id.parse(disk_id)
    if vm is None or disk is None or vm.group_key != disk.group_key:
        return disk_id
    return disk.name


def previous_text(vm: Vm) -> str | None:
    """The disk that `OsDiskPrevious` names, for people to read.

    A value that names no disk is shortened: people can write the tag.
    """
    text = vm.own_tags.previous
    disk = resource_id.parse(text)
    if disk is not None and disk.type == resource_id.DISK_TYPE and resource_id.is_disk_name(disk.name):
        return disk_text(vm.id, disk.text)
    return (text if resource_id.is_disk_name(text) else shorten(text)) or None
