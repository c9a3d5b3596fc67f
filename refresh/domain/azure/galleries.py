"""Image definitions and versions of Compute Galleries as plain values.

Decides which parts of ARM's answers the app uses. A field that ARM does not give is None, and unknown counts as no.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from refresh.domain.azure.plans import Plan


@dataclass(frozen=True)
class Definition:
    """An image definition of a Compute Gallery.

    `disk_controllers` (comma-separated), `accelerated_network` and `hibernates` are what it declares of its images,
    None where it does not; `plan` is the marketplace plan of its images.
    """

    id: str
    name: str
    location: str
    os_type: str | None
    os_state: str | None
    generation: str | None
    architecture: str | None
    security_type: str | None
    tags: Mapping[str, str] = field(default_factory=dict)
    provisioning_state: str | None = None
    disk_controllers: str | None = None
    accelerated_network: bool | None = None
    hibernates: bool | None = None
    plan: Plan | None = None


def declared_flag(feature: str | None) -> bool | None:
    """A feature of an image definition as a truth value; None for one that is absent or neither true nor false."""
    return {"true": True, "false": False}.get((feature or "").strip().lower())


@dataclass(frozen=True)
class Region:
    """One target region of an image version and the progress of its replication; `details` where it failed.

    `encrypted` means with customer-managed keys.
    """

    name: str
    state: str | None = None
    progress: int | None = None
    excluded_from_latest: bool = False
    details: str | None = None
    replicas: int | None = None
    storage: str | None = None
    encrypted: bool = False


@dataclass(frozen=True)
class Version:
    """An image version of a Compute Gallery; disks can be made from it in its `regions`.

    `source_id` is the VM, version, image or disk that it was made from; `os_disk_size_gb` the smallest disk that it
    fits on. `targets` are its target regions as ARM gives them, for a change that must not alter them. `edge_zones` are
    its target edge zones, each with its region.
    """

    id: str
    name: str
    location: str
    provisioning_state: str | None
    regions: tuple[Region, ...] = ()
    excluded_from_latest: bool = False
    source_id: str | None = None
    os_disk_size_gb: int | None = None
    published_at: str | None = None
    targets: tuple[Mapping[str, Any], ...] = ()
    edge_zones: tuple[tuple[str, str], ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
