"""Replication of an image version to its regions.

Decides by the clock when each region has its replica and its progress until then. Does not know requests and
operations.
https://learn.microsoft.com/rest/api/compute/gallery-image-versions/get#replicationstatus
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random

from simulator.arm.core.services import Services
from simulator.arm.core.store import Json, Record, normal_location

# The first replica is complete after this share of the operation; the others follow until its end.
_FIRST_SHARE = 0.6
# How Azure names the regions that failed: https://github.com/Azure/azure-cli/issues/15539
_FAILED_REGION = re.compile(r"\{region:\s*([^,}]+),\s*detail:\s*([^}]*)\}", re.IGNORECASE)


@dataclass
class Replication:
    """Per region (short name) or edge zone (`region/zone`): the simulated seconds of its replica's begin and end.

    `failed`: the reason it failed. How Azure shows edge zones in `replicationStatus` is not known: only regions are
    shown there.
    """

    regions: dict[str, tuple[float, float]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def spread(self, regions: Iterable[str], begin_s: float, duration_s: float, random: Random) -> None:
        """Replicate to `regions` within `duration_s`: existing ones stay, others are removed, failed ones restart.

        Azure's own advice for failed regions is to retry the update: https://github.com/Azure/azure-cli/issues/15539
        """
        names = [normal_location(name) for name in regions]
        for name in set(self.regions) - (set(names) - set(self.failed)):
            del self.regions[name]
            self.failed.pop(name, None)
        for name in names:
            share = _FIRST_SHARE if not self.regions else random.uniform(_FIRST_SHARE, 1)
            self.regions.setdefault(name, (begin_s, begin_s + share * duration_s))

    def fail(self, message: str) -> None:
        """Mark regions as failed: those that `message` names in Azure's form, or all if it names none."""
        named = {normal_location(name): why for name, why in _FAILED_REGION.findall(message)}
        self.failed |= {name: named.get(name, message) for name in self.regions if name in named or not named}

    def progress(self, region: str, now_s: float) -> int:
        """Percent done in a region."""
        if region in self.failed:
            return 0
        begin_s, end_s = self.regions[region]
        if now_s >= end_s:
            return 100
        return min(int(100 * (now_s - begin_s) / (end_s - begin_s)), 99)

    def status(self, now_s: float) -> Json:
        """The `replicationStatus` block."""
        summary = []
        for region in (name for name in self.regions if "/" not in name):
            progress = self.progress(region, now_s)
            state = "Completed" if progress == 100 else "Replicating"
            summary.append({"region": region, "state": state, "progress": progress})
            if region in self.failed:
                summary[-1] |= {"state": "Failed", "details": self.failed[region]}
        states = {each["state"] for each in summary}
        aggregated = "Failed" if "Failed" in states else "Completed" if states == {"Completed"} else "InProgress"
        return {"aggregatedState": aggregated, "summary": summary}


def replication_of(record: Record) -> Replication:
    """The replication of a version's record."""
    if not isinstance(record.state, Replication):
        record.state = Replication()
    return record.state


def replicated_to(services: Services, version: Record, location: str) -> bool:
    """Whether the version has a replica in `location` (or an edge zone, `region/zone`) now."""
    replication, region = replication_of(version), normal_location(location)
    return region in replication.regions and replication.progress(region, services.clock.time()) == 100
