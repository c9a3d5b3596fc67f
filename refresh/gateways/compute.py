"""Virtual machines and managed disks.

Decides which calls the app can make. Does not know how a call is made (`arm/compute.py`, `arm/disks.py`). Errors are
those of `errors.py`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.vms import Vm
from refresh.gateways.operations import Begun, Progress


class Compute(Protocol):
    """Virtual machines. `begin_*` sends one request and returns when Azure accepts it; it never waits for the end."""

    async def read_vm(self, vm_id: str) -> Vm:
        """The VM with its instance view, in one GET. NotFound, Unavailable, Refused."""
        ...

    def list_vms(self, subscription: str) -> AsyncIterator[Vm]:
        """Every VM of a subscription with tags and OS disk, without power state; all pages."""
        ...

    def list_group_vms(self, group_id: str) -> AsyncIterator[Vm]:
        """Every VM of a resource group (full id) with tags and OS disk, without power state; all pages."""
        ...

    async def begin_deallocate(self, vm_id: str) -> Begun:
        """Stop the VM and release its host."""
        ...

    async def begin_power_off(self, vm_id: str) -> Begun:
        """Stop the VM and keep its host."""
        ...

    async def begin_start(self, vm_id: str) -> Begun:
        """Start the VM."""
        ...

    async def begin_os_disk(self, vm_id: str, disk_id: str, disk_name: str) -> Begun:
        """PATCH the smallest body that makes `disk_id` the OS disk: its name and id, createOption untouched."""
        ...

    async def operation_progress(self, vm_id: str, token: str) -> Progress:
        """The state of the operation of `token`: one GET of its status URL, the only place that has the reason."""
        ...


class Disks(Protocol):
    """Managed disks."""

    async def read_disk(self, disk_id: str) -> Disk:
        """The disk in one GET. NotFound, Unavailable, Refused."""
        ...

    def list_disks(self, subscription: str) -> AsyncIterator[Disk]:
        """Every disk of a subscription, all pages."""
        ...

    async def begin_create_disk(self, disk_id: str, body: Mapping[str, Any]) -> Begun:
        """PUT the disk with exactly this ARM body."""
        ...

    async def begin_delete_disk(self, disk_id: str) -> Begun:
        """DELETE the disk. Refused while it is attached or locked."""
        ...
