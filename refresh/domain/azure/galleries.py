"""Facts about Compute Galleries: what ARM says now of image definitions and their versions, in our own words.

Decides which parts of ARM's answers anybody may decide on. Refuses to know how they were fetched (`gateway`) and what
follows from them (`images`, `replication`). A field that ARM did not answer is None: unknown means no.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Definition:
    """An image definition of a Compute Gallery."""

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


@dataclass(frozen=True)
class Region:
    """One target region of an image version and how far its replication is; `details` where it failed.

    `encrypted` means with keys of the owner's.
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
    """An image version of a Compute Gallery; `regions` say where disks can be made from it.

    `source_id` is the VM, version, image or disk it was made from; `os_disk_size_gb` the smallest disk it fits on.
    `targets` are its target regions word for word, for a change that must leave them as they are.
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
    tags: Mapping[str, str] = field(default_factory=dict)
