"""Linked rights: rights on the resources that a write refers to, which Azure requires beside the right to write.

Decides which ids in a body are checked and for which action. Only ids in the body are checked, so a small PATCH needs
fewer rights than a PUT of the whole model. Reported: encryption sets, images, identities and copied disks; documented:
joining subnets; by analogy, without a quoted error: network interfaces, and `disks/write` on a VM's disks. Leaves who
has which right to `roles.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from simulator.arm.core.messages import Request
from simulator.arm.core.store import Json, Store
from simulator.arm.state.attachments import DISK_TYPE, disk_id

_COMPUTE = "Microsoft.Compute"
_READ_SET = f"{_COMPUTE}/diskEncryptionSets/read"
_READ_VERSION = f"{_COMPUTE}/galleries/images/versions/read"

# An action and the id of the resource that it is checked on.
Linked = tuple[str, str]


def linked_to(request: Request, store: Store) -> Iterator[Linked]:
    """The actions that a PUT or PATCH needs on other resources, with their ids."""
    find = _FINDERS.get(request.id.type.lower())
    if find is None or request.method not in ("PUT", "PATCH"):
        return
    seen = set()
    for action, resource_id in find(request.body, store):
        if isinstance(resource_id, str) and resource_id and (action, resource_id.lower()) not in seen:
            seen.add((action, resource_id.lower()))
            yield action, resource_id


def _of_vm(body: Json, store: Store) -> Iterator[tuple[str, Any]]:
    properties = _object(body, "properties")
    storage = _object(properties, "storageProfile")
    for block in (_object(storage, "osDisk"), *_objects(storage, "dataDisks")):
        disk = disk_id(block)
        yield f"{DISK_TYPE}/write", disk
        yield _READ_SET, _object(_object(block, "managedDisk"), "diskEncryptionSet").get("id")
        if disk and (record := store.get(disk)) is not None:
            yield _READ_SET, _object(record.properties, "encryption").get("diskEncryptionSetId")
    yield _READ_VERSION, _object(storage, "imageReference").get("id")
    for interface in _objects(_object(properties, "networkProfile"), "networkInterfaces"):
        yield "Microsoft.Network/networkInterfaces/join/action", interface.get("id")
    for identity in _object(_object(body, "identity"), "userAssignedIdentities"):
        yield "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action", identity


def _of_disk(body: Json, _store: Store) -> Iterator[tuple[str, Any]]:
    properties = _object(body, "properties")
    creation = _object(properties, "creationData")
    yield _READ_SET, _object(properties, "encryption").get("diskEncryptionSetId")
    yield _READ_VERSION, _object(creation, "galleryImageReference").get("id")
    source = str(creation.get("sourceResourceId") or "")
    kind = "snapshots" if "/snapshots/" in source.lower() else "disks"
    yield f"{_COMPUTE}/{kind}/beginGetAccess/action", source


def _of_version(body: Json, _store: Store) -> Iterator[tuple[str, Any]]:
    storage = _object(_object(body, "properties"), "storageProfile")
    source = _object(storage, "source")
    yield f"{_COMPUTE}/virtualMachines/write", source.get("virtualMachineId")
    image = str(source.get("id") or "")
    yield (_READ_VERSION if "/galleries/" in image.lower() else f"{_COMPUTE}/images/read"), image
    for block in (_object(storage, "osDiskImage"), *_objects(storage, "dataDiskImages")):
        source = _object(block, "source")
        disk = str(source.get("id") or "")
        if source.get("uri"):
            yield "Microsoft.Storage/storageAccounts/listKeys/action", source.get("storageAccountId") or disk
        else:
            yield f"{_COMPUTE}/{'snapshots' if '/snapshots/' in disk.lower() else 'disks'}/write", disk
    for region in _objects(_object(_object(body, "properties"), "publishingProfile"), "targetRegions"):
        keys = _object(region, "encryption")
        for block in (_object(keys, "osDiskImage"), *_objects(keys, "dataDiskImages")):
            yield _READ_SET, block.get("diskEncryptionSetId")


def _of_interface(body: Json, _store: Store) -> Iterator[tuple[str, Any]]:
    for configuration in _objects(_object(body, "properties"), "ipConfigurations"):
        subnet = _object(_object(configuration, "properties"), "subnet").get("id")
        yield "Microsoft.Network/virtualNetworks/subnets/join/action", subnet


_FINDERS: dict[str, Callable[[Json, Store], Iterator[tuple[str, Any]]]] = {
    "microsoft.compute/virtualmachines": _of_vm,
    "microsoft.compute/disks": _of_disk,
    "microsoft.compute/galleries/images/versions": _of_version,
    "microsoft.network/networkinterfaces": _of_interface,
}


def _object(body: Mapping[str, Any], key: str) -> Json:
    """The object under `key`; an empty one when the value is not an object."""
    value = body.get(key)
    return value if isinstance(value, dict) else {}


def _objects(body: Mapping[str, Any], key: str) -> list[Json]:
    value = body.get(key)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
