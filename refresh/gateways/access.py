"""What Azure allows: the app's own rights, locks that bind everybody, sizes that take premium disks, registrations.

Decides what the rest of the app may ask about that. Refuses to know how it is read (`arm.access`) and what follows.
Errors are those of `gateway`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from refresh.domain.azure.locks import Lock
from refresh.domain.preflight.rights import Grant


class Access(Protocol):
    """What Azure allows the app's identity, and what locks allow nobody."""

    async def read_grants(self, scope: str) -> Sequence[Grant]:
        """What the app's own roles at `scope` (an id) give there, those assigned above it included; all pages."""
        ...

    async def list_locks(self, scope: str) -> Sequence[Lock]:
        """The locks at `scope` (an id), above it and below it; all pages."""
        ...

    async def read_registration(self, subscription: str, namespace: str) -> str:
        """Azure's word for whether a subscription (its id) is registered for a provider such as `Microsoft.Compute`."""
        ...

    async def list_premium_sizes(self, subscription: str, location: str) -> Sequence[str]:
        """The VM sizes (lower-case) that carry premium disks in a region (`westeurope`); all pages."""
        ...
