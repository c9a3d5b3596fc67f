"""What Azure allows: the app's own rights, locks, VM sizes, provider registrations.

Decides which calls the app can make. Does not know how a call is made (`arm/access.py`). Errors are those of
`errors.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from refresh.domain.azure.locks import Lock
from refresh.domain.azure.sizes import VmSize
from refresh.domain.preflight.rights import Grant


class Access(Protocol):
    """Rights of the app's identity, locks, registrations and sizes."""

    async def read_grants(self, scope: str) -> Sequence[Grant]:
        """The permissions of the app's roles at `scope` (an id), those assigned above it included; all pages."""
        ...

    async def list_locks(self, scope: str) -> Sequence[Lock]:
        """The locks at `scope` (an id), above it and below it; all pages."""
        ...

    async def read_registration(self, subscription: str, namespace: str) -> str:
        """The registration state of a subscription (its id) for a provider such as `Microsoft.Compute`."""
        ...

    async def list_sizes(self, subscription: str, location: str) -> Sequence[VmSize]:
        """The VM sizes of a region (`westeurope`), with what forbids the subscription to use them; all pages."""
        ...
