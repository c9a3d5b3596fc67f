"""Resources that builds left unfinished: what each is, why no run will finish it, and the commands that delete it.

Decides from what ARM shows and which runs are open. A resource that is being made or is finished is no orphan. Does not
know how the facts were read, and deletes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.galleries import Version
from refresh.domain.azure.managed_images import Image
from refresh.domain.images.manual_commands import delete_command
from refresh.domain.images.version_choice import find_leftovers
from refresh.domain.recipes import temporary_group
from refresh.domain.recipes.temporary_group import Group
from refresh.domain.terms import resource_id, tags

_MADE_NOTHING = ("Failed", "Canceled")


@dataclass(frozen=True)
class Orphan:
    """An unfinished `disk`, `version`, `image` or `group`, and the `az` commands that delete it."""

    kind: str
    id: str
    message: str
    commands: tuple[str, ...]


def orphaned_disks(disks: Iterable[Disk]) -> list[Orphan]:
    """Those of `disks`, all from the configured galleries, whose creation failed and that have no owner."""
    return [
        Orphan("disk", disk.id, f"the disk is {disk.provisioning_state}", (delete_command(disk.id),))
        for disk in disks
        if disk.provisioning_state in _MADE_NOTHING and disk.managed_by is None
    ]


def orphaned_versions(versions: Iterable[Version], now: str) -> list[Orphan]:
    """Those of one definition's `versions` that the app began and no run finishes; none is being built or proved."""
    return [
        Orphan("version", version.id, _why(version), (delete_command(version.id),))
        for version in find_leftovers(versions, now)
    ]


def orphaned_images(images: Iterable[Image], versions: Iterable[Version], building: Collection[str]) -> list[Orphan]:
    """Managed images made for a version that is not among the finished ones of `versions`.

    The managed image of a finished version is kept: regions can be added from it later. `building` are the names of
    image definitions that are being built.
    """
    under_way = tuple(f"{name.lower()}/" for name in building)
    finished = {_name_of(version).lower() for version in versions if version.provisioning_state == "Succeeded"}
    found = []
    for image in images:
        made_for = tags.text_of(image.tags, tags.DISK_VERSION)
        if made_for and not made_for.lower().startswith(under_way) and made_for.lower() not in finished:
            message = f"the managed image was made for version {made_for}, which is not finished"
            found.append(Orphan("image", image.id, message, (delete_command(image.id),)))
    return found


def orphaned_groups(groups: Iterable[Group], open_runs: Collection[str]) -> list[Orphan]:
    """Temporary groups of builds and proofs whose run has ended, without those that are being deleted."""
    found = []
    for group in groups:
        run = tags.value_of(group.tags, tags.BUILD_RUN)
        if (
            run is not None
            and temporary_group.is_temporary(group)
            and run not in open_runs
            and group.provisioning_state != "Deleting"
        ):
            what = tags.value_of(group.tags, tags.BUILD_FOR) or "work"
            message = f"the temporary group of {what} run {run}, which has ended"
            found.append(Orphan("group", group.id, message, temporary_group.delete_commands(group.id)))
    return found


def _name_of(version: Version) -> str:
    found = resource_id.parse(version.id)
    return "/".join(found.names[-2:]) if found is not None else version.name


def _why(version: Version) -> str:
    if version.provisioning_state in _MADE_NOTHING:
        return f"the image version is {version.provisioning_state}"
    return f"the image version has been {version.provisioning_state} with its checks pending for over a day"
