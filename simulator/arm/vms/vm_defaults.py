"""Defaults of a VM: what ARM adds to a new VM, and what a scenario can leave out.

Does not know operations.
"""

from __future__ import annotations

import copy
from typing import Any

from simulator.arm.core.ids import ResourceId, parse_id
from simulator.arm.core.messages import stamp
from simulator.arm.core.services import Services
from simulator.arm.core.store import Json, Record
from simulator.arm.state.attachments import DISK_TYPE, attached_disk, disk_blocks, disk_id, sync_attachments
from simulator.arm.state.contents import copied
from simulator.arm.state.disk_bodies import complete_disk, identify
from simulator.arm.state.disk_sources import SourceFacts, image_facts
from simulator.arm.state.edge_zones import complete_place
from simulator.arm.state.vm_state import VmState, vm_state
from simulator.arm.vms.vm_scenario_keys import take_scenario_keys

_LINUX = {"publisher": "Canonical", "offer": "0001-com-ubuntu-server-jammy", "sku": "22_04-lts-gen2",
          "version": "latest", "exactVersion": "22.04.202401010"}  # fmt: skip
_WINDOWS = {"publisher": "MicrosoftWindowsServer", "offer": "WindowsServer", "sku": "2022-datacenter-g2",
            "version": "latest", "exactVersion": "20348.2655.240810"}  # fmt: skip
_GUEST_KEYS = ("computerName", "osName", "osVersion", "extensions", "hyperVGeneration")


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
        _complete_data_disk(record, block, number)
    guest = vm_state(record).guest
    guest.setdefault("computerName", properties.get("osProfile", {}).get("computerName", record.id.name))
    vm_state(record).name = vm_state(record).name or guest["computerName"]
    windows = os_disk["osType"] == "Windows"
    guest.setdefault("osName", "Windows Server 2022 Datacenter" if windows else "ubuntu")
    guest.setdefault("osVersion", "10.0.20348.2655" if windows else "22.04")
    disk = attached_disk(services, os_disk)
    guest.setdefault("hyperVGeneration", disk.properties.get("hyperVGeneration") if disk else facts.generation)


def make_disks(services: Services, record: Record) -> None:
    """Make every managed disk that the model names and that does not exist yet."""
    storage = record.properties["storageProfile"]
    for block in disk_blocks(record):
        text = disk_id(block)
        if text is None or services.store.get(text) is not None:
            continue
        sku = block.get("managedDisk", {}).get("storageAccountType", "Premium_LRS")
        body: Json = {"location": record.body["location"], "tags": {}, "sku": {"name": sku}}
        for key in ("zones", "extendedLocation"):
            if record.body.get(key):
                body[key] = copy.deepcopy(record.body[key])
        properties: Json = body.setdefault("properties", {})
        if block is storage["osDisk"]:
            properties |= _os_disk_properties(services, record)
        else:
            properties["creationData"] = {"createOption": "Empty"}
        if block.get("diskSizeGB"):
            properties["diskSizeGB"] = block["diskSizeGB"]
        disk = Record(parse_id(text), body, content=copied(services, storage.get("imageReference") or {}))
        services.store.put(disk)
        complete_disk(services, disk)
    for block in disk_blocks(record):
        if disk_id(block):
            block.pop("diskSizeGB", None)
            block["managedDisk"].pop("storageAccountType", None)


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
    make_disks(services, record)
    if is_new:
        _add_profiles(services, record)
    if etag := str(body.pop("etag", "")).strip('"'):
        state.etag = int(etag) if etag.isdigit() else state.etag
    properties.setdefault("provisioningState", "Succeeded")
    take_scenario_keys(services, record, _power_in(view))
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


def _platform_image_id(record: Record, reference: Json) -> str:
    version = reference.get("exactVersion") or reference.get("version", "latest")
    return (
        f"/Subscriptions/{record.id.subscription}/Providers/Microsoft.Compute/Locations/{record.location}"
        f"/Publishers/{reference.get('publisher')}/ArtifactTypes/VMImage/Offers/{reference.get('offer')}"
        f"/Skus/{reference.get('sku')}/Versions/{version}"
    )


def _complete_data_disk(record: Record, block: Json, number: int) -> None:
    block.setdefault("lun", number)
    block.setdefault("createOption", "Empty")
    block.setdefault("caching", "None")
    block.setdefault("deleteOption", "Detach")
    block.setdefault("toBeDetached", False)
    if not block.get("vhd"):
        managed = block.setdefault("managedDisk", {})
        block.setdefault("name", managed.get("id", "").rsplit("/", 1)[-1] or f"{record.id.name}_disk{number + 2}")
        managed.setdefault("id", f"{record.id.group_id}/providers/{DISK_TYPE}/{block['name']}")


def _take_guest(state: VmState, view: Json) -> None:
    """Keep what a recorded instance view contains about the guest, so that later views contain it too."""
    agent = view.get("vmAgent", {})
    state.guest |= {key: view[key] for key in _GUEST_KEYS if key in view}
    state.guest |= {key: agent[key] for key in ("vmAgentVersion", "extensionHandlers") if key in agent}


def _power_in(view: Json) -> str | None:
    codes = [str(status.get("code", "")) for status in view.get("statuses", [])]
    return next((code.split("/")[1] for code in codes if code.startswith("PowerState/")), None)


def _add_profiles(services: Services, record: Record) -> None:
    properties, name = record.properties, record.id.name
    os_type = properties["storageProfile"]["osDisk"]["osType"]
    profile: dict[str, Any] = {"computerName": name[:15], "adminUsername": "azureuser", "secrets": []}
    key = "windowsConfiguration" if os_type == "Windows" else "linuxConfiguration"
    profile[key] = {"provisionVMAgent": True}
    properties.setdefault("osProfile", {**profile, "allowExtensionOperations": True})
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
