"""Reads the facts one decision rests on: the VM, the disks it has and wants, and where the wanted one comes from.

Decides which reads are worth making: a wish that is settled without a disk costs one GET. Refuses to judge.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from refresh.activities.patience import patiently
from refresh.domain import resource_id, tags
from refresh.domain.decision import Facts, decide_without_disk
from refresh.domain.model import Definition, Disk, Version, Vm
from refresh.domain.provenance import Policy
from refresh.domain.wish import Wish, choose_wish
from refresh.gateway import GatewayError, NotFound
from refresh.settings import Settings

READ_BUDGET_S = 30.0


def policy_of(settings: Settings) -> Policy:
    """What the settings allow, as the domain compares it."""
    return Policy(
        trust=settings.disk_trust,
        galleries=tuple(gallery.lower() for gallery in settings.galleries),
        disk_groups=tuple(group.lower() for group in settings.disk_groups),
    )


class VmSource(Protocol):
    """Where a VM's facts come from."""

    async def read_vm(self, vm_id: str) -> Vm:
        """The VM. GatewayError when there is none or nobody knows."""
        ...


class DiskSource(Protocol):
    """Where a disk's facts come from."""

    async def read_disk(self, disk_id: str) -> Disk:
        """The disk. GatewayError when there is none or nobody knows."""
        ...


class ImageSource(Protocol):
    """Where the facts of an image version and its definition come from."""

    async def read_version(self, version_id: str) -> Version:
        """The version. GatewayError when there is none or nobody knows."""
        ...

    async def read_definition(self, definition_id: str) -> Definition:
        """The definition. GatewayError when there is none or nobody knows."""
        ...


class FactSource(Protocol):
    """What facts are read from: `gateway.Gateways` itself, or lists that were read before."""

    @property
    def compute(self) -> VmSource:
        """Virtual machines."""
        ...

    @property
    def disks(self) -> DiskSource:
        """Managed disks."""
        ...

    @property
    def gallery(self) -> ImageSource:
        """Image versions and definitions."""
        ...


class Pace:
    """Keeps reads apart: at most one every `gap_s` seconds, because ARM's read quota is kept for swaps under way."""

    def __init__(self, gap_s: float = 0.1) -> None:
        """Let one read start every `gap_s` seconds."""
        self._gap_s = gap_s
        self._turn = asyncio.Lock()

    async def turn(self) -> None:
        """Wait for the next turn."""
        async with self._turn:
            await asyncio.sleep(self._gap_s)


@dataclass
class FactReader:
    """Reads facts of many VMs; image versions and definitions are read once."""

    gateways: FactSource
    policy: Policy
    pace: Pace

    def __post_init__(self) -> None:
        """Start with nothing read."""
        self._images: dict[str, asyncio.Task[Any]] = {}

    async def read(
        self, vm_id: str, *, ran: Iterable[str] = (), rejected: Iterable[str] = (), over: Iterable[str] = ()
    ) -> Facts:
        """The facts about one VM; whatever could not be read is said in `unreadable`, never guessed.

        What the app remembers of the VM: `ran`, the hashes of disks it has run; `rejected`, ids found unhealthy on it;
        `over`, runs that have ended.
        """
        try:
            vm = await self._get(lambda: self.gateways.compute.read_vm(vm_id))
        except GatewayError as error:
            return Facts(None, Wish(""), unreadable=f"the VM could not be read: {error}")
        if vm is None:
            return Facts(None, Wish(""))
        wish = choose_wish(vm, self.policy.disk_groups)
        known_to_run = frozenset({*ran, *self._ran_by_tag(vm)})
        facts = Facts(vm, wish, ran=known_to_run, rejected=frozenset(rejected), over=frozenset(over))
        if wish.disk_id is None or decide_without_disk(vm, facts) is not None:
            return facts
        try:
            return await self._with_disks(facts, vm, wish.disk_id)
        except GatewayError as error:
            return replace(facts, unreadable=f"the disks could not be read: {error}")

    def _ran_by_tag(self, vm: Vm) -> list[str]:
        # The tag can be written by anybody who may tag the VM, so it only counts where a free disk of the group would
        # be taken anyhow; with trust `gallery` the app believes its own memory alone.
        home = resource_id.parse_vm(vm.id)
        previous = tags.value_of(vm.tags, tags.OS_DISK_PREVIOUS)
        if home is None or not previous or self.policy.trust == "gallery":
            return []
        disk = previous if "/" in previous else home.sibling("Microsoft.Compute/disks", previous)
        return [resource_id.id_hash(disk)]

    async def _with_disks(self, facts: Facts, vm: Vm, disk_id: str) -> Facts:
        wanted: Disk | None = await self._get(lambda: self.gateways.disks.read_disk(disk_id))
        current: Disk | None = None
        if vm.os_disk_id is not None:
            os_disk_id = vm.os_disk_id
            current = await self._get(lambda: self.gateways.disks.read_disk(os_disk_id))
        if wanted is None or wanted.source_version is None:
            return replace(facts, current=current, wanted=wanted)
        version, definition = await self._image(wanted.source_version)
        return replace(facts, current=current, wanted=wanted, version=version, definition=definition)

    async def _image(self, version_id: str) -> tuple[Version | None, Definition | None]:
        found = resource_id.parse(version_id)
        if found is None or found.type != resource_id.VERSION_TYPE:
            return None, None
        definition_id = found.parent()
        version: Version | None = await self._once(version_id, lambda: self.gateways.gallery.read_version(version_id))
        definition: Definition | None = await self._once(
            definition_id, lambda: self.gateways.gallery.read_definition(definition_id)
        )
        return version, definition

    async def _once[T](self, key: str, call: Callable[[], Awaitable[T]]) -> T | None:
        task = self._images.get(key.lower())
        if task is None:
            task = self._images[key.lower()] = asyncio.ensure_future(self._get(call))
        result: T | None = await task
        return result

    async def _get[T](self, call: Callable[[], Awaitable[T]]) -> T | None:
        await self.pace.turn()
        try:
            return await patiently(call, budget_s=READ_BUDGET_S)
        except NotFound:
            return None
