"""Temporary resource groups, each with one network interface and one VM, in which images are built and tested.

Decides which calls the app can make. Does not know how a call is made (`arm/temporary_groups.py`). Errors are those of
`errors.py`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol

from refresh.domain.recipes.build_watch import Machine
from refresh.domain.recipes.marketplace import ImageFacts
from refresh.domain.recipes.recipe import MarketplaceImage
from refresh.domain.recipes.temporary_group import Group


class TemporaryGroups(Protocol):
    """Temporary resource groups and the resources in them. No call waits for the end of an operation."""

    async def read_image(self, subscription: str, location: str, image: MarketplaceImage) -> ImageFacts:
        """A marketplace image in a region, with `latest` resolved to a number. NotFound."""
        ...

    async def read_network_location(self, subnet_id: str) -> str:
        """The region of the virtual network that a subnet (full id) is part of. NotFound."""
        ...

    async def read_group(self, group_id: str) -> Group:
        """A resource group. NotFound."""
        ...

    def list_groups(self, subscription: str) -> AsyncIterator[Group]:
        """Every resource group of a subscription with its tags, all pages."""
        ...

    async def put_group(self, group_id: str, location: str, tags: Mapping[str, str]) -> None:
        """Create the group, or write its tags again."""
        ...

    async def begin_delete_group(self, group_id: str) -> None:
        """Begin to delete the group and everything in it, which takes minutes.

        Refused when a resource in it is locked.
        """
        ...

    async def put_nic(self, nic_id: str, body: Mapping[str, Any]) -> None:
        """PUT the network interface with exactly this ARM body."""
        ...

    async def read_machine(self, vm_id: str) -> Machine:
        """The VM with its instance view, in one GET. NotFound."""
        ...

    async def begin_create_vm(self, vm_id: str, body: Mapping[str, Any]) -> None:
        """PUT a new VM with exactly this ARM body. Nothing of the request is kept: only the VM shows the result."""
        ...

    async def generalize(self, vm_id: str) -> None:
        """Mark the stopped VM as generalised."""
        ...
