"""Tags of any Azure resource, merged and removed one by one, never replaced.

Decides which request changes tags. Refuses to know what a tag means; that is `domain.tags`.
"""

from __future__ import annotations

from collections.abc import Mapping

from refresh.arm import rest
from refresh.arm.clients import Clients

# The newest version whose documentation promises the change to be done with the answer (200 only).
_API_VERSION = "2021-04-01"


class ArmTags:
    """`gateway.Tags` on the tags API: https://learn.microsoft.com/rest/api/resources/tags/update-at-scope."""

    def __init__(self, clients: Clients) -> None:
        """Ask through `clients`."""
        self._clients = clients

    async def merge_tags(self, resource_id: str, tags: Mapping[str, str]) -> None:
        """Set these tags, leave all others."""
        await self._change("Merge", resource_id, tags)

    async def delete_tags(self, resource_id: str, tags: Mapping[str, str]) -> None:
        """Remove these tags (ARM wants name and value); what is not there is no error."""
        await self._change("Delete", resource_id, tags)

    async def _change(self, operation: str, resource_id: str, tags: Mapping[str, str]) -> None:
        if not tags:
            return
        path = f"{resource_id.rstrip('/')}/providers/Microsoft.Resources/tags/default"
        body = {"operation": operation, "properties": {"tags": dict(tags)}}
        await rest.call(self._clients.rest, "PATCH", path, _API_VERSION, body)
