"""Which of the needed actions the app's own roles do not grant.

Decides which scopes are read: a resource group once for everything in it, and a single resource only where the group's
roles are not enough, because a role may be assigned on one VM. Does not know which actions are needed and why.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from refresh.domain.preflight import rights
from refresh.domain.preflight.rights import Grant
from refresh.domain.terms import resource_id
from refresh.gateways.errors import GatewayError
from refresh.reading.calls.paced_reads import Reads


class GrantSource(Protocol):
    """Where rights are read."""

    async def read_grants(self, scope: str) -> Sequence[Grant]:
        """What the app's roles at `scope` (an id) and above grant there."""
        ...


class GrantReader:
    """Reads the app's rights; what many swaps share is read once."""

    def __init__(self, access: GrantSource, reads: Reads) -> None:
        """Read from `access` at the pace of `reads`."""
        self._access = access
        self._reads = reads

    async def missing(self, scope: str, needed: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the actions `needed` on the resource `scope` (an id) that the app lacks. GatewayError."""
        # Roles on the group apply to everything in it; a role on the resource alone is listed only there.
        lacking = rights.missing(needed, await self._grants(group_of(scope)))
        return lacking and rights.missing(needed, await self._grants(scope))

    async def _grants(self, scope: str) -> Sequence[Grant]:
        return await self._reads.once(f"{scope}/permissions", lambda: self._access.read_grants(scope)) or ()


def group_of(scope: str) -> str:
    """The id of the resource group that the resource `scope` lies in. GatewayError when it lies in none."""
    found = resource_id.parse(scope)
    if found is None:
        raise GatewayError("InvalidResourceId", f"{scope[:200]!r} is not the id of a resource in a resource group")
    return found.group_id
