"""The outside world as the app sees it: Protocols that `arm/` fulfils, and the one error tree.

Decides what may be asked of Azure and how an answer that is no answer looks. Refuses to know HTTP, SDKs and retries of
the SDK: every call here is one attempt (`retry_total=0`), so that the caller's own budget rules.

    GatewayError                what went wrong, in Azure's own code and words
    ├── NotFound                the resource is not there (404)
    ├── Refused                 Azure understood and said no (400, 403, 409, 412): trying again is no cure
    └── Unavailable             throttled, server error, connection lost: worth another try after `retry_after_s`
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.galleries import Definition, Version
from refresh.domain.azure.guests import Report
from refresh.domain.azure.managed_images import Image
from refresh.domain.azure.rhythm import NOT_SAID, ReadsLeft
from refresh.domain.azure.vms import Vm
from refresh.domain.health.probe import Probe
from refresh.domain.images.source_fit import SourceFacts
from refresh.domain.images.sources import SourcePart
from refresh.gateways.access import Access
from refresh.gateways.temporary_groups import TemporaryGroups


@dataclass(frozen=True)
class Begun:
    """A long-running operation was accepted. `at` is ARM's time (ISO); `token` resumes waiting, None when done.

    `retry_after_s`: Azure wants to be asked about the operation that many seconds later at the earliest.
    """

    at: str
    token: str | None = None
    retry_after_s: float | None = None


@dataclass(frozen=True)
class Progress:
    """How an operation resumed by its token stands: `InProgress`, `Succeeded`, `Failed` or `Unknown` (record gone).

    Of one in progress: `retry_after_s` until Azure wants to be asked about it again, and `reads_left` of it.
    """

    state: str
    code: str | None = None
    message: str | None = None
    retry_after_s: float | None = None
    reads_left: ReadsLeft = NOT_SAID


class Compute(Protocol):
    """Virtual machines. `begin_*` sends one request and returns when it is accepted; it never waits for the end."""

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
        """How the operation that `token` names stands: one GET of its status URL, where alone the reason stands."""
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


class Gallery(Protocol):
    """Compute Galleries, their image definitions and versions."""

    def list_definitions(self, gallery_id: str) -> AsyncIterator[Definition]:
        """Every image definition of a gallery."""
        ...

    async def read_definition(self, definition_id: str) -> Definition:
        """One image definition."""
        ...

    def list_versions(self, definition_id: str) -> AsyncIterator[Version]:
        """Every version of a definition, without replication status."""
        ...

    async def read_version(self, version_id: str) -> Version:
        """One version with its replication status."""
        ...

    async def begin_create_version(self, version_id: str, body: Mapping[str, Any]) -> Begun:
        """PUT the version with exactly this ARM body; the token outlives the activity that began it."""
        ...

    async def begin_exclude_version(self, version_id: str, targets: Sequence[Mapping[str, Any]]) -> Begun:
        """Have `latest` pass this version by, everywhere; `targets` are its target regions as they are."""
        ...

    async def begin_admit_version(
        self, version_id: str, tags: Mapping[str, str], targets: Sequence[Mapping[str, Any]]
    ) -> Begun:
        """Have `latest` take this version, and make `tags` its tags; `targets` are its target regions as they are."""
        ...

    async def begin_create_definition(self, definition_id: str, body: Mapping[str, Any]) -> Begun:
        """PUT the image definition with exactly this ARM body."""
        ...

    async def begin_delete_version(self, version_id: str) -> Begun:
        """DELETE the version in every region. Refused while it is locked."""
        ...

    async def version_progress(self, version_id: str, token: str) -> Progress:
        """How the creation that `token` names stands: one GET."""
        ...


class Sources(Protocol):
    """What image versions are made from, and the managed image that may stand between a VHD and a version."""

    async def read_source(self, part: SourcePart, storage: str | None = None) -> SourceFacts:
        """What ARM says of a source; of a VHD, what it says of its account `storage`. NotFound."""
        ...

    async def begin_create_image(self, image_id: str, body: Mapping[str, Any]) -> Begun:
        """PUT a managed image with exactly this ARM body."""
        ...

    def list_images(self, group_id: str) -> AsyncIterator[Image]:
        """Every managed image of a resource group (full id), all pages."""
        ...

    async def begin_delete_image(self, image_id: str) -> Begun:
        """DELETE a managed image; versions made from it stay."""
        ...


class Graph(Protocol):
    """Azure Resource Graph: selection only, never truth."""

    async def list_scope(self) -> Sequence[str]:
        """Ids of every VM whose tags put it in scope, all pages of the configured subscriptions or management group."""
        ...

    async def list_subscriptions(self) -> Sequence[str]:
        """The configured subscriptions; those of the management group when one is configured."""
        ...


class Tags(Protocol):
    """Tags of any resource; merges, never replaces."""

    async def merge_tags(self, resource_id: str, tags: Mapping[str, str]) -> None:
        """Set these tags, leave all others."""
        ...

    async def delete_tags(self, resource_id: str, tags: Mapping[str, str]) -> None:
        """Remove these tags (ARM wants name and value); what is not there is no error."""
        ...


class Guests(Protocol):
    """What can be learned of a VM's guest beside its instance view."""

    async def read_private_ip(self, nic_id: str) -> str | None:
        """The primary private address of a network interface, None when it has none. NotFound, Refused, Unavailable."""
        ...

    async def list_dynamic_ips(self, nic_id: str) -> Sequence[str]:
        """Names of the interface's public addresses that a deallocated VM loses. NotFound, Refused, Unavailable."""
        ...

    async def read_boot_log(self, vm_id: str) -> str | None:
        """The end of the VM's serial log; None where there is none to be had. Unavailable when there may be later."""
        ...

    async def read_resource_health(self, vm_id: str) -> Report | None:
        """What the platform says of the VM's availability; None where it does not say. Unavailable."""
        ...

    async def probe(self, address: str, probe: Probe) -> str | None:
        """Ask the VM at its private `address` once: None when it answers well, else what it did. Refused."""
        ...


class Topic(Protocol):
    """Where the world is told."""

    async def publish(self, cloud_event: Mapping[str, Any]) -> None:
        """Send one CloudEvent 1.0. Refused, Unavailable."""
        ...


class ArmClock(Protocol):
    """The only clock the app trusts."""

    async def now(self) -> str:
        """ARM's own time, from the Date header of a cheap read (ISO, UTC)."""
        ...


class Gateways(Protocol):
    """All of the outside world; `wiring` makes one per process and event loop."""

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
        """What image versions are made from."""
        ...

    @property
    def graph(self) -> Graph:
        """Selection."""
        ...

    @property
    def tags(self) -> Tags:
        """Tags of any resource."""
        ...

    @property
    def guests(self) -> Guests:
        """What guests say and what is said of them."""
        ...

    @property
    def access(self) -> Access:
        """The app's rights, and locks."""
        ...

    @property
    def topic(self) -> Topic | None:
        """Where the world is told; None where nobody is to be."""
        ...

    @property
    def temporary_groups(self) -> TemporaryGroups:
        """Where images are built and proved."""
        ...

    @property
    def clock(self) -> ArmClock:
        """ARM's own time."""
        ...
