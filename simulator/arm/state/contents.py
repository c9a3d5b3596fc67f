"""The content of disks and images: the facts that change how a guest from it behaves, and its marketplace plan.

Decides the scenario keys of disks, snapshots and images, and that copies inherit them. Does not know boots.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from simulator.arm.core.services import Services
from simulator.arm.core.store import Json, Record
from simulator.arm.state.attachments import disk_blocks, disk_id
from simulator.arm.state.vm_state import VmState

# The scenario key of disks, images and VMs for a guest that reboots itself.
REBOOTS_AFTER = "_reboots_after_s"


@dataclass(frozen=True)
class Content:
    """`hostname`: the computer name of a guest from this disk (None: the VM's own). `healthy`: its workload works;
    otherwise the guest boots and its agent reports, but no port listens. `plan`: the marketplace plan of the image that
    it comes from. It stays with every copy and image, also where no body shows it:
    https://github.com/Azure/azure-rest-api-specs/issues/22133, https://github.com/Azure/azure-cli/issues/4233
    `reboots_after_s`: seconds after the first boot from this disk at which the guest reboots itself (None: it does not,
    or has)."""

    hostname: str | None = None
    healthy: bool = True
    plan: Json | None = None
    reboots_after_s: float | None = None


def content_of(record: Record | None) -> Content:
    """The content of a disk, snapshot, managed image or image version."""
    if record is None:
        return Content()
    content = record.content if isinstance(record.content, Content) else Content()
    shown = record.properties.get("purchasePlan")
    return replace(content, plan=shown) if shown else content


def take_content(record: Record, inherited: Content) -> None:
    """Move the scenario keys from a body into its content; without them the content stays, or is `inherited`.

    ValueError for a value of the wrong type.
    """
    before = record.content if isinstance(record.content, Content) else inherited
    hostname, healthy = record.body.pop("_hostname", before.hostname), record.body.pop("_healthy", before.healthy)
    if hostname is not None and not isinstance(hostname, str):
        raise ValueError("_hostname is a string")
    if not isinstance(healthy, bool):
        raise ValueError("_healthy is true or false")
    reboots_after_s = checked_seconds(record.body.pop(REBOOTS_AFTER, before.reboots_after_s))
    record.content = replace(before, hostname=hostname, healthy=healthy, reboots_after_s=reboots_after_s)


def checked_seconds(value: Any, key: str = REBOOTS_AFTER) -> float | None:
    """A number of seconds in a scenario key, None where there is none; ValueError for another value."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or value < 0):
        raise ValueError(f"{key} is a number of seconds, not less than 0, not {value!r}")
    return None if value is None else float(value)


def content_keys(record: Record) -> Json:
    """The scenario keys of a record whose values differ from the defaults."""
    content = content_of(record)
    keys: Json = {"_hostname": content.hostname} if content.hostname is not None else {}
    if content.reboots_after_s is not None:
        keys[REBOOTS_AFTER] = content.reboots_after_s
    return keys if content.healthy else {**keys, "_healthy": False}


def copied(services: Services, creation: Json) -> Content:
    """The content that a disk made from `creationData` (or an image reference) gets from its source."""
    for key in ("galleryImageReference", "imageReference"):
        if text := (creation.get(key) or {}).get("id"):
            return content_of(services.store.get(str(text)))
    return content_of(services.store.get(str(creation.get("sourceResourceId") or creation.get("id") or "")))


def captured(services: Services, storage: Json) -> Content:
    """The content that an image version with that `storageProfile` gets from its source."""
    source = storage.get("source") or {}
    disk = (storage.get("osDiskImage") or {}).get("source") or {}
    record = services.store.get(str(source.get("virtualMachineId") or source.get("id") or disk.get("id") or ""))
    if record is not None and isinstance(record.state, VmState):
        os_disk = disk_id(next(disk_blocks(record), {}))
        record = services.store.get(os_disk) if os_disk else None
    return content_of(record)
