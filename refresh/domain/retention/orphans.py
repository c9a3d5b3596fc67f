"""What builds and disks left half made: which it is, why nobody will finish it, and how a person takes it away.

Decides from what ARM shows and which runs are open. Refuses to know how it was read; nothing here is ever deleted by
this list. What is on its way, or was finished, is no orphan.
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
    """Something half made (`disk`, `version`, `image`, `group`), and the `az` commands that take it away."""

    kind: str
    id: str
    message: str
    commands: tuple[str, ...]


def orphaned_disks(disks: Iterable[Disk]) -> list[Orphan]:
    """Those of `disks`, all from our galleries, that never came to be and nobody has."""
    return [
        Orphan("disk", disk.id, f"the disk is {disk.provisioning_state}", (delete_command(disk.id),))
        for disk in disks
        if disk.provisioning_state in _MADE_NOTHING and disk.managed_by is None
    ]


def orphaned_versions(versions: Iterable[Version], now: str) -> list[Orphan]:
    """Those of one definition's `versions` that the app began and nobody finishes; none is being built or proved."""
    return [
        Orphan("version", version.id, _why(version), (delete_command(version.id),))
        for version in find_leftovers(versions, now)
    ]


def orphaned_images(images: Iterable[Image], versions: Iterable[Version], building: Collection[str]) -> list[Orphan]:
    """Managed images made on the way to a version that is not among the finished ones of `versions`.

    One that stands behind a finished version is kept for adding regions to it later; `building` are the names of image
    definitions that are being built.
    """
    under_way = tuple(f"{name.lower()}/" for name in building)
    finished = {_called(version).lower() for version in versions if version.provisioning_state == "Succeeded"}
    found = []
    for image in images:
        stood_for = tags.value_of(image.tags, tags.DISK_VERSION)
        if stood_for is not None and not stood_for.lower().startswith(under_way) and stood_for.lower() not in finished:
            message = f"the managed image was made on the way to version {stood_for}, which is not finished"
            found.append(Orphan("image", image.id, message, (delete_command(image.id),)))
    return found


def orphaned_groups(groups: Iterable[Group], open_runs: Collection[str]) -> list[Orphan]:
    """Temporary groups of builds and proofs whose run is over; one being deleted is on its way out."""
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
            message = f"the temporary group of {what} run {run}, which is over"
            found.append(Orphan("group", group.id, message, temporary_group.delete_commands(group.id)))
    return found


def _called(version: Version) -> str:
    found = resource_id.parse(version.id)
    return "/".join(found.names[-2:]) if found is not None else version.name


def _why(version: Version) -> str:
    if version.provisioning_state in _MADE_NOTHING:
        return f"the image version is {version.provisioning_state}"
    return f"the image version has been {version.provisioning_state} with its checks pending for over a day"
