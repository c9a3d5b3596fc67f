"""Merges and removes tags of any Azure resource; other tags are never replaced.

Decides which request changes tags. Does not know what a tag means.
"""

from __future__ import annotations

from collections.abc import Mapping

from refresh.arm import rest
from refresh.arm.clients import Clients

# The newest version that documents the change as complete with the answer (200 only).
_API_VERSION = "2021-04-01"


class ArmTags:
    """`gateways.Tags` on the tags API: https://learn.microsoft.com/rest/api/resources/tags/update-at-scope."""

    def __init__(self, clients: Clients) -> None:
        """Send requests through `clients`."""
        self._clients = clients

    async def merge_tags(self, resource_id: str, tags: Mapping[str, str]) -> None:
        """Set these tags and keep all others."""
        await self._change("Merge", resource_id, tags)

    async def delete_tags(self, resource_id: str, tags: Mapping[str, str]) -> None:
        """Remove these tags (ARM requires name and value); a tag that is absent is no error."""
        await self._change("Delete", resource_id, tags)

    async def _change(self, operation: str, resource_id: str, tags: Mapping[str, str]) -> None:
        if not tags:
            return
        path = f"{resource_id.rstrip('/')}/providers/Microsoft.Resources/tags/default"
        body = {"operation": operation, "properties": {"tags": dict(tags)}}
        await rest.call(self._clients.rest, "PATCH", path, _API_VERSION, body)
