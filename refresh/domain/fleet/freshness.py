"""How fresh a VM's OS disk is: its image version, its age, how far it is behind.

Decides what a VM is compared with: the latest good version, in its region, of the image definition that its next disk
would be made from; where there is no such definition, of the one that its disk came from. Uses lists only: whether that
version is replicated to the region is not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.galleries import Definition, Version
from refresh.domain.azure.vms import Vm
from refresh.domain.disks.image_choice import choose_definition
from refresh.domain.images.replication import rank_versions
from refresh.domain.terms import resource_id, times

_DAY_S = 86400.0


@dataclass(frozen=True)
class Freshness:
    """Image versions as `<definition>/<version>`: the disk's own and the latest. None: unknown.

    `days_behind` is how much older the disk's version is than the latest, in days; 0 on the latest.
    """

    version: str | None = None
    latest: str | None = None
    disk_age_days: int | None = None
    days_behind: int | None = None

    @property
    def drifted(self) -> bool:
        """Whether there is a latest version and the VM's disk is not from it."""
        return self.latest is not None and self.version != self.latest


def find_reference_image(vm: Vm, current: Disk, definitions: Sequence[Definition]) -> Definition | None:
    """The image definition whose latest version `vm` is compared with; None when there is none."""
    chosen = choose_definition(vm, current, definitions)
    if isinstance(chosen, Definition):
        return chosen
    found = resource_id.parse(current.source_version)
    parent = found.parent() if found is not None else None
    return next((one for one in definitions if resource_id.same(one.id, parent)), None)


def judge_freshness(vm: Vm, current: Disk, versions: Iterable[Version], own: Version | None, now: str) -> Freshness:
    """How fresh `vm` is on its OS disk `current`, at `now` (ISO).

    `versions` are those of its reference image, `own` the version that the disk was made from, if it still exists. A
    deleted version counts as being as old as the disk: it cannot be younger.
    """
    latest = next(iter(rank_versions(versions, vm.location, vm.edge_zone)), None)
    age_s = times.seconds_between(current.time_created, now)
    on_it = latest is not None and resource_id.same(current.source_version, latest.id)
    published = own.published_at if own is not None else current.time_created
    from_image = current.source_version is not None
    behind_s = times.seconds_between(published, latest.published_at) if latest and from_image else None
    return Freshness(
        version=_version_text(current.source_version),
        latest=_version_text(latest.id) if latest is not None else None,
        disk_age_days=_days(age_s),
        days_behind=0 if on_it else _days(behind_s),
    )


def _days(seconds: float | None) -> int | None:
    return None if seconds is None else max(int(seconds // _DAY_S), 0)


def _version_text(version_id: str | None) -> str | None:
    found = resource_id.parse(version_id)
    return "/".join(found.names[-2:]) if found is not None else version_id
