"""Edge zones: the `extendedLocation` of VMs, disks and snapshots, and that it never changes.

Decides when two resources are in the same place of a region. Rejects no name: Azure's edge zones are not listed.
https://learn.microsoft.com/azure/extended-zones/overview
"""

from __future__ import annotations

from collections.abc import Iterable

from simulator.arm.core import errors
from simulator.arm.core.store import Json, Record, normal_location


def edge_zone(body: Json) -> str:
    """The edge zone of a body, in lower case; empty for one that is in its region itself."""
    return str((body.get("extendedLocation") or {}).get("name") or "").lower()


def complete_place(body: Json) -> None:
    """Add the type that Azure adds to an `extendedLocation`."""
    if edge_zone(body):
        body["extendedLocation"].setdefault("type", "EdgeZone")


def check_place_kept(record: Record, sent: Json) -> None:
    """Refuse another edge zone for a resource that exists (documented: it cannot be changed; message not known).

    https://learn.microsoft.com/rest/api/compute/disks/create-or-update#disk
    """
    if sent.get("extendedLocation") and edge_zone(sent) != edge_zone(record.body):
        raise errors.change_not_allowed("extendedLocation")


def other_edge_zone(vm: Record, disk: Record) -> errors.ArmError:
    """The refusal of a disk in another edge zone than its VM: by analogy with zones, message not known."""
    return errors.provider_error(
        400,
        "BadRequest",
        f"Disk {disk.id.name} cannot be attached to the VM because it is not in the same extended location as the VM. "
        f"VM extended location: '{edge_zone(vm.body)}'. Disk extended location: '{edge_zone(disk.body)}'.",
    )


def place_name(location: str, edge: str) -> str:
    """A place of a region, for messages and as a key: `westus`, `westus/microsoftlosangeles1`."""
    return f"{normal_location(location)}/{edge}" if edge else normal_location(location)


def edge_targets(profile: Json) -> Iterable[tuple[str, str, Json]]:
    """Location, edge zone and block of each target edge zone in an image version's publishing profile."""
    for target in profile.get("targetExtendedLocations") or []:
        yield normal_location(str(target.get("name", ""))), edge_zone(target), target
