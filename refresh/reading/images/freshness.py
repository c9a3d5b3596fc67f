"""Reads how fresh VMs are from lists: one of definitions per gallery, one of versions per definition in use.

Decides which lists are read. Leaves the judgement to `domain.fleet.freshness`.
"""

from __future__ import annotations

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.galleries import Version
from refresh.domain.azure.vms import Vm
from refresh.domain.fleet.freshness import Freshness, find_reference_image, judge_freshness
from refresh.domain.terms import resource_id
from refresh.reading.images.galleries import Catalog


class FreshnessReader:
    """Reads how fresh VMs are; each list is read once. Raises GatewayError."""

    def __init__(self, catalog: Catalog, now: str) -> None:
        """Measure against `catalog` at `now` (ISO)."""
        self._catalog = catalog
        self._now = now

    async def read(self, vm: Vm | None, current: Disk | None) -> Freshness:
        """How fresh `vm` is on its OS disk `current`; empty when one of them was not read."""
        if vm is None or current is None:
            return Freshness()
        definitions = await self._catalog.definitions()
        reference = find_reference_image(vm, current, definitions)
        versions = await self._catalog.versions(reference.id) if reference is not None else []
        found = resource_id.parse(current.source_version)
        parent = next((one.id for one in definitions if found and resource_id.same(one.id, found.parent())), None)
        siblings: list[Version] = await self._catalog.versions(parent) if parent is not None else []
        own = next((one for one in siblings if resource_id.same(one.id, current.source_version)), None)
        return judge_freshness(vm, current, versions, own, self._now)
