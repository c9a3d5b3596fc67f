"""Defaults of a VM: what ARM adds to a new VM, and what a scenario can leave out.

Does not know operations.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import timedelta

from simulator.arm.core import durations
from simulator.arm.core.ids import ResourceId, parse_id
from simulator.arm.core.messages import stamp
from simulator.arm.core.services import Services
from simulator.arm.core.store import Json, Record
from simulator.arm.state.attachments import DISK_TYPE, attached_disk, disk_blocks, disk_id, sync_attachments
from simulator.arm.state.contents import copied
from simulator.arm.state.disk_bodies import complete_disk, identify
from simulator.arm.state.disk_sources import SourceFacts, image_data_disks, image_facts
from simulator.arm.state.edge_zones import complete_place
from simulator.arm.state.vm_state import VmState, vm_state
from simulator.arm.vms.vm_profiles import complete_os_profile
from simulator.arm.vms.vm_scenario_keys import take_scenario_keys

_LINUX = {"publisher": "Canonical", "offer": "0001-com-ubuntu-server-jammy", "sku": "22_04-lts-gen2",
          "version": "latest", "exactVersion": "22.04.202401010"}  # fmt: skip
_WINDOWS = {"publisher": "MicrosoftWindowsServer", "offer": "WindowsServer", "sku": "2022-datacenter-g2",
            "version": "latest", "exactVersion": "20348.2655.240810"}  # fmt: skip
# The SKU of a disk that a VM's model describes without one.
_NEW_DISK_SKU = "Premium_LRS"
_GUEST_KEYS = ("computerName", "osName", "osVersion", "extensions", "hyperVGeneration")


def add_image_disks(services: Services, record: Record) -> None:
    """Add to a new VM a block for each data disk of its image that its model does not name.

    Recorded by the .NET libraries' tests (`CanCreateVirtualMachineFromCustomImageWithManagedDisks`, 2019).
    """
    storage = record.properties.setdefault("storageProfile", {})
    blocks: list[Json] = storage.setdefault("dataDisks", [])
    image = services.store.get(str((storage.get("imageReference") or {}).get("id", "")))
    taken = {block.get("lun") for block in blocks}
    blocks += [disk for disk in (image_data_disks(image) if image else ()) if disk["lun"] not in taken]


def complete_model(services: Services, record: Record) -> None:
    """Add to a VM's model the defaults that ARM adds to every VM."""
    identify(record)
    complete_place(record.body)
    properties = record.properties
    properties.setdefault("vmId", services.guid("vmId", record.id))
    properties.setdefault("timeCreated", stamp(services.now()))
    properties.setdefault("hardwareProfile", {"vmSize": "Standard_D2s_v5"})
    storage = properties.setdefault("storageProfile", {})
    os_disk = storage.setdefault("osDisk", {})
    storage.setdefault("dataDisks", [])
    facts = boot_facts(services, record)
    os_disk.setdefault("osType", facts.os_type)
    os_disk.setdefault("createOption", "FromImage")
    os_disk.setdefault("caching", "ReadWrite")
    os_disk.setdefault("deleteOption", "Detach")
    if not os_disk.get("vhd"):
        managed = os_disk.setdefault("managedDisk", {})
        unique = services.guid("osDisk", record.id).replace("-", "")
        default = managed.get("id", "").rsplit("/", 1)[-1] or f"{record.id.name}_OsDisk_1_{unique}"
        os_disk.setdefault("name", default)
        managed.setdefault("id", f"{record.id.group_id}/providers/{DISK_TYPE}/{os_disk['name']}")
    for number, block in enumerate(storage["dataDisks"]):
        complete_data_disk(record, block, number)
    guest = vm_state(record).guest
    guest.setdefault("computerName", properties.get("osProfile", {}).get("computerName", record.id.name))
    vm_state(record).name = vm_state(record).name or guest["computerName"]
    windows = os_disk["osType"] == "Windows"
    guest.setdefault("osName", "Windows Server 2022 Datacenter" if windows else "ubuntu")
    guest.setdefault("osVersion", "10.0.20348.2655" if windows else "22.04")
    disk = attached_disk(services, os_disk)
    guest.setdefault("hyperVGeneration", disk.properties.get("hyperVGeneration") if disk else facts.generation)


def make_disks(services: Services, record: Record, *, is_seeded: bool = False) -> None:
    """Make every managed disk that the model names and that does not exist yet.

    The disks of a scenario (`is_seeded`) are as old as their VM: stale reads always have them.
    """
    storage = record.properties["storageProfile"]
    for number, block in enumerate(storage.get("dataDisks", [])):
        _name_data_disk(record, block, number)
    for block in disk_blocks(record):
        text = disk_id(block)
        if text is None or services.store.get(text) is not None:
            continue
        sku = block.get("managedDisk", {}).get("storageAccountType", _NEW_DISK_SKU)
        body: Json = {"location": record.body["location"], "tags": {}, "sku": {"name": sku}}
        for key in ("zones", "extendedLocation"):
            if record.body.get(key):
                body[key] = copy.deepcopy(record.body[key])
        properties: Json = body.setdefault("properties", {})
        if block is storage["osDisk"]:
            properties |= _os_disk_properties(services, record)
        else:
            properties["creationData"] = _data_disk_source(storage, block)
        if block.get("diskSizeGB"):
            properties["diskSizeGB"] = block["diskSizeGB"]
        disk = Record(parse_id(text), body, content=copied(services, storage.get("imageReference") or {}))
        if not is_seeded:
            services.history.remember(disk.id)
        services.store.put(disk)
        complete_disk(services, disk)
    for block in disk_blocks(record):
        if disk_id(block):
            block.pop("diskSizeGB", None)
            block["managedDisk"].pop("storageAccountType", None)


def show_unmanaged_size(services: Services, record: Record) -> None:
    """Add the size of an unmanaged OS disk, which Azure shows once the VM exists."""
    os_disk = record.properties["storageProfile"]["osDisk"]
    if os_disk.get("vhd"):
        os_disk.setdefault("diskSizeGB", boot_facts(services, record).size_gb)


def fill(services: Services, record: Record) -> None:
    """Complete a VM of a scenario: model, disks, power, guest, network."""
    body, properties = record.body, record.properties
    view: Json = properties.pop("instanceView", {})
    state = vm_state(record)
    _take_guest(state, view)
    is_new = "vmId" not in properties
    storage = properties.setdefault("storageProfile", {})
    block = storage.setdefault("osDisk", {})
    if is_new and not storage.get("imageReference") and block.get("createOption", "FromImage") == "FromImage":
        storage["imageReference"] = dict(_WINDOWS if block.get("osType") == "Windows" else _LINUX)
    complete_model(services, record)
    make_disks(services, record, is_seeded=True)
    if is_new:
        _add_profiles(services, record)
    if etag := str(body.pop("etag", "")).strip('"'):
        state.etag = int(etag) if etag.isdigit() else state.etag
    properties.setdefault("provisioningState", "Succeeded")
    take_scenario_keys(services, record, _power_in(view))
    _await_agent(services, record, view)
    state.changed_at = state.changed_at or services.now()
    state.disks_at = state.disks_at or services.now()
    sync_attachments(services, record)
    services.power_changed(record)


def boot_facts(services: Services, record: Record) -> SourceFacts:
    """Facts about the OS disk of a VM's model: from the disk if it exists, else from the image."""
    storage = record.properties["storageProfile"]
    disk = attached_disk(services, storage["osDisk"])
    if disk is not None:
        return SourceFacts.of_disk(disk)
    facts = image_facts(services, storage.get("imageReference") or {})
    if os_type := storage["osDisk"].get("osType"):
        facts = facts.with_os(os_type)
    security = (record.properties.get("securityProfile") or {}).get("securityType")
    return facts.with_security(security) if security else facts


def _os_disk_properties(services: Services, record: Record) -> Json:
    facts = boot_facts(services, record)
    reference = record.properties["storageProfile"].get("imageReference") or {}
    creation: Json = {"createOption": "FromImage"}
    if "id" in reference:
        creation |= {"imageReference": {"id": reference["id"]}, "galleryImageReference": {"id": reference["id"]}}
    elif reference:
        creation["imageReference"] = {"id": _platform_image_id(record, reference)}
    properties = facts.disk_properties() | {"creationData": creation}
    # An image that is not in the table shows neither; the VM then does.
    if (record.properties.get("additionalCapabilities") or {}).get("hibernationEnabled"):
        properties["supportsHibernation"] = True
    if record.body.get("plan"):
        properties.setdefault("purchasePlan", copy.deepcopy(record.body["plan"]))
    return properties


def _data_disk_source(storage: Json, block: Json) -> Json:
    image = (storage.get("imageReference") or {}).get("id")
    if block.get("createOption") != "FromImage" or not image:
        return {"createOption": "Empty"}
    reference = {"id": image, "lun": block["lun"]}
    return {"createOption": "FromImage", "imageReference": reference, "galleryImageReference": dict(reference)}


def _platform_image_id(record: Record, reference: Json) -> str:
    version = reference.get("exactVersion") or reference.get("version", "latest")
    return (
        f"/Subscriptions/{record.id.subscription}/Providers/Microsoft.Compute/Locations/{record.location}"
        f"/Publishers/{reference.get('publisher')}/ArtifactTypes/VMImage/Offers/{reference.get('offer')}"
        f"/Skus/{reference.get('sku')}/Versions/{version}"
    )


def complete_data_disk(record: Record, block: Json, number: int) -> None:
    """Add the defaults of a data disk's block, except the id of a disk that does not exist yet."""
    block.setdefault("lun", number)
    block.setdefault("createOption", "Empty")
    block.setdefault("caching", "None")
    block.setdefault("deleteOption", "Detach")
    block.setdefault("toBeDetached", False)
    if block.get("vhd"):
        return
    managed = block.setdefault("managedDisk", {})
    if "id" in managed:
        block.setdefault("name", str(managed["id"]).rsplit("/", 1)[-1])
    else:
        managed.setdefault("storageAccountType", _NEW_DISK_SKU)


def _name_data_disk(record: Record, block: Json, number: int) -> None:
    if not block.get("vhd"):
        block.setdefault("name", f"{record.id.name}_disk{number + 2}")
        block["managedDisk"].setdefault("id", f"{record.id.group_id}/providers/{DISK_TYPE}/{block['name']}")


def _take_guest(state: VmState, view: Json) -> None:
    """Keep what a recorded instance view contains about the guest, so that later views contain it too."""
    agent = view.get("vmAgent", {})
    state.guest |= {key: view[key] for key in _GUEST_KEYS if key in view}
    state.guest |= {key: agent[key] for key in ("vmAgentVersion", "extensionHandlers") if key in agent}


def _await_agent(services: Services, record: Record, view: Json) -> None:
    """Let the agent of a VM whose recorded view shows none yet report later, as after a start."""
    state, now = vm_state(record), services.now()
    codes = [str(status.get("code")) for status in view.get("vmAgent", {}).get("statuses", [])]
    if "ProvisioningState/Unavailable" not in codes or state.boot is None or state.boot.at != now:
        return
    wait_s = durations.draw("agentReady", services.random("seededAgent", record.id))
    state.boot = replace(state.boot, ready_at=now + timedelta(seconds=wait_s))
    state.console[-1] = (state.boot, None)


def _power_in(view: Json) -> str | None:
    codes = [str(status.get("code", "")) for status in view.get("statuses", [])]
    return next((code.split("/")[1] for code in codes if code.startswith("PowerState/")), None)


def _add_profiles(services: Services, record: Record) -> None:
    properties = record.properties
    properties.setdefault("osProfile", {"computerName": record.id.name[:15], "adminUsername": "azureuser"})
    complete_os_profile(record)
    if "networkProfile" not in properties:
        nic = _make_nic(services, record)
        properties["networkProfile"] = {"networkInterfaces": [{"id": nic.text}]}


def _make_nic(services: Services, record: Record) -> ResourceId:
    nic = parse_id(f"{record.id.group_id}/providers/Microsoft.Network/networkInterfaces/{record.id.name}-nic")
    if services.store.get(nic) is None:
        host = services.random("privateIPAddress", record.id).randrange(2**16)
        address = f"10.{host >> 8}.{host & 255}.4"
        configuration = {"name": "ipconfig1", "properties": {"privateIPAddress": address, "primary": True}}
        properties = {"provisioningState": "Succeeded", "ipConfigurations": [configuration]}
        body: Json = {"id": nic.text, "name": nic.name, "type": nic.type, "location": record.body["location"]}
        services.store.put(Record(nic, {**body, "properties": properties}))
    return nic
