"""The model that a PUT or a PATCH gives to an existing VM.

Decides which parts of the old model stay, what ARM adds to the new one, and whether the two differ in more than tags.
Does not apply a model. The rules are those of azure-cli's recorded live tests (`test_vm_disk_attach_detach`,
`test_vm_update_size`, `test_vm_create_no_wait`, 2023).
"""

from __future__ import annotations

import copy
from typing import Any

from simulator.arm.core.bodies import merged, without
from simulator.arm.core.services import Services
from simulator.arm.core.store import Json, Record
from simulator.arm.state.attachments import attached_disk, disk_blocks
from simulator.arm.vms.vm_defaults import complete_data_disk
from simulator.arm.vms.vm_profiles import complete_applications, complete_identity

READ_ONLY = ("id", "name", "type", "etag", "resources")
_READ_ONLY_PROPERTIES = ("vmId", "timeCreated", "provisioningState", "instanceView")
_KEPT_BY_PUT = ("vmId", "timeCreated", "provisioningState", "virtualMachineScaleSet", "userData")


def model_of_put(record: Record, body: Json) -> Json:
    """The model after a PUT. One without image, disks, zones, identity or tags keeps those of the VM."""
    model = without(body, READ_ONLY)
    given = without(model.get("properties", {}), _READ_ONLY_PROPERTIES)
    kept = {key: record.properties[key] for key in _KEPT_BY_PUT if key in record.properties and key not in given}
    storage, old_storage = given.setdefault("storageProfile", {}), record.properties.get("storageProfile", {})
    for key in ("imageReference", "osDisk", "dataDisks"):
        # A PUT without one of these keys keeps it: the CLI always leaves imageReference out.
        if key not in storage and key in old_storage:
            storage[key] = copy.deepcopy(old_storage[key])
    storage["osDisk"] = merged(old_storage.get("osDisk", {}), storage.get("osDisk", {}))
    model["properties"] = given | kept
    for key in ("zones", "identity", "tags"):
        if key not in model and key in record.body:
            model[key] = copy.deepcopy(record.body[key])
    return model


def model_of_patch(record: Record, body: Json) -> Json:
    """The model after a PATCH: objects merge, tags are replaced."""
    change = without(body, (*READ_ONLY, "tags", "location"))
    change["properties"] = without(change.get("properties", {}), _READ_ONLY_PROPERTIES)
    model = merged(record.body, change)
    if "tags" in body:
        model["tags"] = dict(body["tags"] or {})
    return model


def complete_update(services: Services, record: Record, model: Json) -> Record:
    """The VM with `model` and what ARM adds to it.

    A new data disk has no id before the update has ended, and one that is taken off stays until then, `toBeDetached`.
    """
    after = Record(record.id, {**record.body, **model}, state=record.state, content=record.content)
    old, new = (each.properties.get("storageProfile", {}) for each in (record, after))
    image, old_image = new.get("imageReference") or {}, old.get("imageReference") or {}
    if image and all(_same(old_image.get(key), value) for key, value in image.items()):
        new["imageReference"] = copy.deepcopy(old_image)
    for block in disk_blocks(after):
        if attached_disk(services, block) is not None:
            # Size and SKU that a client sends for an existing managed disk belong to the disk.
            block.pop("diskSizeGB", None)
            block["managedDisk"].pop("storageAccountType", None)
    before = {block.get("lun"): block for block in old.get("dataDisks", [])}
    blocks: list[Json] = new.setdefault("dataDisks", [])
    for number, block in enumerate(blocks):
        for key, value in before.get(block.get("lun", number), {}).items():
            if _same(before[block.get("lun", number)].get("name"), block.get("name")):
                block.setdefault(key, copy.deepcopy(value))
        complete_data_disk(record, block, number)
    luns = {block["lun"] for block in blocks}
    leaving = [{**copy.deepcopy(block), "toBeDetached": True} for lun, block in before.items() if lun not in luns]
    new["dataDisks"] = sorted([*blocks, *leaving], key=lambda block: int(block["lun"])) if leaving else blocks
    complete_applications(after)
    complete_identity(services, after, record.body.get("identity") or {})
    return after


def settle_data_disks(record: Record) -> None:
    """Drop the data disks that an update has taken off."""
    storage = record.properties.get("storageProfile", {})
    storage["dataDisks"] = [each for each in storage.get("dataDisks", []) if not each.get("toBeDetached")]


def first_answer(body: Json, sent: Json) -> Json:
    """A new VM as its PUT answers it: disks that do not exist yet have no id, and only a name that was sent.

    Their size is known only from the request, or from an image with an id.

    Recorded by the .NET libraries' tests (VM PUT, 2019).
    """
    answer = copy.deepcopy(body)
    asked, storage = (each.get("properties", {}).get("storageProfile", {}) for each in (sent, answer))
    blocks: list[Json] = [storage["osDisk"], *storage["dataDisks"]]
    requested: list[Json] = [asked.get("osDisk", {}), *asked.get("dataDisks", [])]
    requested += [{} for _ in blocks[len(requested) :]]
    sized = set() if "id" in (asked.get("imageReference") or {}) else {"diskSizeGB"}
    for block, request in zip(blocks, requested, strict=True):
        if "managedDisk" in block and not (request.get("managedDisk") or {}).get("id"):
            block["managedDisk"].pop("id", None)
            for key in ({"name"} | sized) - request.keys():
                block.pop(key, None)
    return answer


def only_tags_differ(before: Record, after: Record) -> bool:
    """Whether two states of a VM are the same but for tags: Azure then needs no operation."""
    return bool(_comparable(before) == _comparable(after))


def _comparable(vm: Record) -> Any:
    body = without(vm.body, (*READ_ONLY, "tags", "location"))
    return _plain({**body, "properties": without(vm.properties, _READ_ONLY_PROPERTIES)})


def _plain(value: Any) -> Any:
    """`value` without empty parts, and with texts in lower case: neither makes a difference to Azure."""
    if isinstance(value, dict):
        plain = {key.lower(): _plain(child) for key, child in value.items()}
        return {key: child for key, child in plain.items() if child not in (None, {}, [])}
    if isinstance(value, list):
        return [_plain(child) for child in value]
    return value.lower() if isinstance(value, str) else value


def _same(left: Any, right: Any) -> bool:
    return str(left).lower() == str(right).lower()
