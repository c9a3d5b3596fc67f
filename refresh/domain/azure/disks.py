"""A managed disk as a plain value.

Decides which parts of ARM's answers the app uses. A field that ARM does not give is None, and unknown counts as no.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from refresh.domain.azure.plans import Plan


@dataclass(frozen=True)
class Disk:
    """A managed disk. `source_version` is the gallery image version that its immutable `creationData` names.

    `disk_controllers` are those that its OS supports, comma-separated; `encrypted_inside` means Azure Disk Encryption.
    `shared_by` are all VMs that a shared disk is attached to. `owned_since` is the time of the last change of its owner
    or of the owner's power; None for a disk that was never attached. `plan` is that of the image that the disk comes
    from; disks from before 2020 show none. `edge_zone` is None in the region itself. `settings` are the properties, by
    path in the ARM body, that only a new disk like this one needs (`disk_properties.py`).
    """

    id: str
    name: str
    location: str
    provisioning_state: str | None
    disk_state: str | None
    managed_by: str | None
    os_type: str | None
    generation: str | None
    zones: tuple[str, ...] = ()
    size_gb: int | None = None
    sku: str | None = None
    tier: str | None = None
    architecture: str | None = None
    disk_controllers: str | None = None
    encrypted_inside: bool = False
    security_type: str | None = None
    encryption: Mapping[str, Any] | None = None
    network_access_policy: str | None = None
    public_network_access: str | None = None
    disk_access_id: str | None = None
    bursting_enabled: bool | None = None
    source_version: str | None = None
    time_created: str | None = None
    shared_by: tuple[str, ...] = ()
    owned_since: str | None = None
    edge_zone: str | None = None
    supports_hibernation: bool = False
    plan: Plan | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
