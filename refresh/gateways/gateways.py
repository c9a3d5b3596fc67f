"""All gateways together: the Protocols that `arm/` implements.

Decides which calls the app can make. Does not know HTTP or the SDK: every call is one attempt (`retry_total=0`), so
that the caller's budget decides about retries. Errors are those of `errors.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from refresh.gateways.access import Access
from refresh.gateways.compute import Compute, Disks
from refresh.gateways.galleries import Gallery, Sources
from refresh.gateways.guests import Guests
from refresh.gateways.temporary_groups import TemporaryGroups


class Graph(Protocol):
    """Azure Resource Graph. Its index lags behind ARM: it selects VMs, which are then read."""

    async def list_scope(self) -> Sequence[str]:
        """Ids of every VM that is in scope by its tags.

        All pages, all configured subscriptions or the management group.
        """
        ...

    async def list_subscriptions(self) -> Sequence[str]:
        """The configured subscriptions; those of the management group when one is configured."""
        ...


class Tags(Protocol):
    """Tags of any resource; other tags are never replaced."""

    async def merge_tags(self, resource_id: str, tags: Mapping[str, str]) -> None:
        """Set these tags and keep all others."""
        ...

    async def delete_tags(self, resource_id: str, tags: Mapping[str, str]) -> None:
        """Remove these tags (ARM requires name and value); a tag that is absent is no error."""
        ...


class Topic(Protocol):
    """The Event Grid topic for outcomes."""

    async def publish(self, cloud_event: Mapping[str, Any]) -> None:
        """Send one CloudEvent 1.0. Refused, Unavailable."""
        ...


class ArmClock(Protocol):
    """The clock of ARM, the only one that the app uses for decisions."""

    async def now(self) -> str:
        """ARM's own time, from the Date header of a cheap read (ISO, UTC)."""
        ...


class Gateways(Protocol):
    """All gateways; `wiring` makes one set for each process and event loop."""

    @property
    def compute(self) -> Compute:
        """Virtual machines."""
        ...

    @property
    def disks(self) -> Disks:
        """Managed disks."""
        ...

    @property
    def gallery(self) -> Gallery:
        """Compute Galleries."""
        ...

    @property
    def sources(self) -> Sources:
        """Sources of image versions."""
        ...

    @property
    def graph(self) -> Graph:
        """Azure Resource Graph."""
        ...

    @property
    def tags(self) -> Tags:
        """Tags of any resource."""
        ...

    @property
    def guests(self) -> Guests:
        """Guests of VMs."""
        ...

    @property
    def access(self) -> Access:
        """The app's rights, and locks."""
        ...

    @property
    def topic(self) -> Topic | None:
        """The topic for outcomes; None when no topic is configured."""
        ...

    @property
    def temporary_groups(self) -> TemporaryGroups:
        """Temporary resource groups, in which images are built and tested."""
        ...

    @property
    def clock(self) -> ArmClock:
        """ARM's own time."""
        ...
