"""A virtual machine as a plain value.

Decides which parts of ARM's answers the app uses. A field that ARM does not give is None, and unknown counts as no.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from refresh.domain.azure.data_disks import DataDisk
from refresh.domain.azure.guests import NOTHING_KNOWN, Guest
from refresh.domain.azure.plans import Plan
from refresh.domain.azure.rhythm import READS_UNKNOWN, ReadsLeft
from refresh.domain.terms.vm_tags import VmTags, parse_vm_tags


class Power(StrEnum):
    """The VM's power state, from the instance view's `PowerState/*`.

    https://learn.microsoft.com/azure/virtual-machines/states-billing
    """

    RUNNING = "running"
    STARTING = "starting"
    STOPPING = "stopping"
    STOPPED = "stopped"
    DEALLOCATING = "deallocating"
    DEALLOCATED = "deallocated"
    UNKNOWN = "unknown"

    @property
    def settled(self) -> bool:
        """Whether the power state is not about to change."""
        return self in (Power.RUNNING, Power.STOPPED, Power.DEALLOCATED)


@dataclass(frozen=True)
class Agent:
    """The last report of the guest agent: ready or not, and when (ISO, the service's time)."""

    ready: bool
    at: str | None


@dataclass(frozen=True)
class Vm:
    """A virtual machine, read with its instance view or else without `power`, `agent`, `hibernated`, `generalized`.

    `unique_id` is ARM's `vmId`: a later VM with the same name, and so the same `id`, has another one.
    `encrypted_inside` means Azure Disk Encryption, by extension or settings; `scale_set` is the set's id; `settled_at`
    is when the last operation ended (ISO), None while one is under way; `reads_left` is from the answer's headers.
    `edge_zone` is None in the region itself; `hibernates` means that hibernation is enabled. `dedicated_host` is the id
    of the host or host group, `capacity_reservation` that of the reservation group, `placement_group` that of the
    proximity placement group.
    """

    id: str
    name: str
    location: str
    tags: Mapping[str, str]
    os_disk_id: str | None
    os_disk_name: str | None
    os_type: str | None
    provisioning_state: str | None
    unique_id: str | None = None
    zones: tuple[str, ...] = ()
    size: str | None = None
    availability_set: str | None = None
    security_type: str | None = None
    generation: str | None = None
    ephemeral_os_disk: bool = False
    disk_controller: str | None = None
    scale_set: str | None = None
    edge_zone: str | None = None
    plan: Plan | None = None
    hibernates: bool = False
    hibernated: bool = False
    generalized: bool = False
    encrypted_inside: bool = False
    data_disks: tuple[DataDisk, ...] = ()
    extension_publishers: tuple[str, ...] = ()
    os_disk_delete_option: str | None = None
    priority: str | None = None
    dedicated_host: str | None = None
    capacity_reservation: str | None = None
    placement_group: str | None = None
    power: Power = Power.UNKNOWN
    agent: Agent | None = None
    guest: Guest = NOTHING_KNOWN
    settled_at: str | None = None
    read_at: str | None = None
    reads_left: ReadsLeft = READS_UNKNOWN

    @cached_property
    def own_tags(self) -> VmTags:
        """The tags of the contract, parsed; `tags` are all of them as they are written."""
        return parse_vm_tags(self.tags)
