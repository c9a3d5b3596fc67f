"""The image definitions and versions of the configured galleries, each read once per task.

Decides only what is read when: the replication status of a version only when that version is the next candidate.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from refresh.domain.azure.galleries import Definition, Version
from refresh.domain.azure.polls import BULK_BUDGET_S
from refresh.domain.images.replication import is_replicated, no_version, rank_versions
from refresh.domain.terms.month_reason import Refusal
from refresh.gateways.errors import GatewayError
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.retrying import retry_until_answered
from refresh.reading.fleet.vms_and_disks import collect


class Catalog:
    """Reads galleries; keeps every answer, failures included. Raises GatewayError."""

    def __init__(self, gateways: Gateways, galleries: Sequence[str], *, budget_s: float = BULK_BUDGET_S) -> None:
        """Read from `galleries`, full ids; each read is tried for `budget_s` seconds."""
        self._gateways = gateways
        self._budget_s = budget_s
        self._galleries = galleries
        self._calls: dict[tuple[str, ...], asyncio.Future[Any]] = {}

    async def definitions(self) -> list[Definition]:
        """Every image definition of every gallery; raises if one cannot be read, since a match could be there."""
        found, failure = await self.readable_definitions()
        if failure is not None:
            raise failure
        return found

    async def readable_definitions(self) -> tuple[list[Definition], GatewayError | None]:
        """The image definitions of the galleries that can be read, and the error of the first that cannot."""
        found: list[Definition] = []
        failure: GatewayError | None = None
        for gallery in self._galleries:
            try:
                found += await self.definitions_of(gallery)
            except GatewayError as error:
                failure = failure or type(error)(
                    error.code,
                    f"gallery {gallery.rsplit('/', 1)[-1]}: {error.message}",
                    status=error.status,
                    retry_after_s=error.retry_after_s,
                )
        return found, failure

    async def definitions_of(self, gallery: str) -> list[Definition]:
        """Every image definition of one gallery."""
        return await self._once(
            ("definitions", gallery), lambda: collect(self._gateways.gallery.list_definitions(gallery))
        )

    async def versions(self, definition: str) -> list[Version]:
        """Every version of a definition, without replication status."""
        return await self._once(
            ("versions", definition), lambda: collect(self._gateways.gallery.list_versions(definition))
        )

    async def latest(self, definition: Definition, region: str, edge_zone: str | None = None) -> Version | Refusal:
        """The version from which disks in `region` (and in `edge_zone` of it) are made now, or why there is none."""
        versions = await self.versions(definition.id)
        for version in rank_versions(versions, region, edge_zone):
            read = await self._once(("version", version.id), self._reader(version.id))
            if is_replicated(read, region):
                return read
        return no_version(definition, versions, region, edge_zone)

    def _reader(self, version_id: str) -> Callable[[], Awaitable[Version]]:
        return lambda: self._gateways.gallery.read_version(version_id)

    async def _once[T](self, key: tuple[str, ...], call: Callable[[], Awaitable[T]]) -> T:
        pending = self._calls.get(key)
        if pending is None:
            pending = self._calls[key] = asyncio.ensure_future(retry_until_answered(call, budget_s=self._budget_s))
        result: T = await pending
        return result
