"""Checks before an OS disk swap.

Decides which swaps Azure refuses and with which message. A message is recorded or reported; where a comment states that
it is not known, it is a guess. Leaves the swap to `vms.py`.
https://learn.microsoft.com/azure/virtual-machines/linux/os-disk-swap
"""

from __future__ import annotations

from typing import Any

from simulator.arm.core import errors
from simulator.arm.core.ids import ResourceId, parse_id
from simulator.arm.core.services import Services
from simulator.arm.core.store import Json, Record
from simulator.arm.state.attachments import attached_disk, disk_id
from simulator.arm.state.edge_zones import edge_zone, other_edge_zone
from simulator.arm.state.vm_sizes import size_of
from simulator.arm.vms.vm_hibernation import check_os_disk_hibernates
from simulator.arm.vms.vm_plans import check_swapped_plan
from simulator.arm.vms.vm_size_rules import check_disk_sku

# Extensions of Azure Disk Encryption: https://learn.microsoft.com/azure/virtual-machines/extensions/azure-disk-enc-linux
_ENCRYPTING = ("azurediskencryption", "azurediskencryptionforlinux")


def is_swap(current: Json, wanted: Json) -> bool:
    """Whether `wanted` (an `osDisk` block) names another managed disk than `current`."""
    new_id = disk_id(wanted)
    return new_id is not None and new_id.lower() != (disk_id(current) or "").lower()


def check_os_disk(services: Services, vm: Record, current: Json, wanted: Json) -> None:
    """Refuse an `osDisk` block that Azure refuses for this VM; a block without a change passes."""
    _check_fixed(current, wanted)
    if not is_swap(current, wanted):
        if "name" in wanted and str(wanted["name"]).lower() != str(current.get("name", "")).lower():
            raise errors.change_not_allowed("osDisk.name")
        return
    new_id = _new_disk_id(current, wanted)
    disk = _existing_disk(services, new_id)
    _check_free(vm, disk)
    _check_place(vm, disk)
    _check_kind(services, vm, current, disk)


def _check_fixed(current: Json, wanted: Json) -> None:
    for name in ("createOption", "osType"):
        if name in wanted and str(wanted[name]).lower() != str(current.get(name, wanted[name])).lower():
            raise errors.change_not_allowed(f"osDisk.{name}")


def _new_disk_id(current: Json, wanted: Json) -> ResourceId:
    try:
        new_id = parse_id(str(disk_id(wanted)))
    except ValueError as error:
        raise errors.invalid_parameter(
            f"The value '{disk_id(wanted)}' of parameter 'osDisk.managedDisk.id' is invalid.", "osDisk.managedDisk.id"
        ) from error
    if str(wanted.get("name", "")).lower() in ("", str(current.get("name", "")).lower()):
        # Azure requires the name beside the id; its message is only known as "osDisk.name also needs to be set".
        raise errors.change_not_allowed("osDisk.managedDisk.id")
    if current.get("vhd") or not disk_id(current):
        raise errors.change_not_allowed("osDisk.vhd")
    if current.get("diffDiskSettings"):
        # Message not known.
        raise errors.not_allowed("Swapping OS Disk is not supported for VMs with an ephemeral OS disk.", "osDisk")
    return new_id


def _existing_disk(services: Services, new_id: ResourceId) -> Record:
    disk = services.store.get(new_id)
    if disk is None:
        # Message not known for a swap; this is the front end's for any id that does not exist.
        raise errors.resource_not_found(new_id.path_name, new_id.group)
    if disk.properties.get("provisioningState") not in ("Succeeded", None):
        raise errors.conflict()
    return disk


def _check_free(vm: Record, disk: Record) -> None:
    owner = str(disk.body.get("managedBy", ""))
    if owner and owner.lower() != vm.id.key:
        raise errors.provider_error(
            409,
            "ConflictingUserInput",
            f"Cannot attach the disk {disk.id.name} to VM {vm.id.text} because it is already attached to VM {owner}. "
            "A disk can be attached to only one VM at a time.",
            disk.id.text,
        )
    if owner:
        # The VM's own data disk as its OS disk: message not known.
        raise errors.invalid_parameter(f"Disk '{disk.id.name}' is already attached to the VM as a data disk.", "osDisk")


def _check_place(vm: Record, disk: Record) -> None:
    if disk.location != vm.location:
        # Message not known.
        raise errors.provider_error(
            400,
            "BadRequest",
            f"Disk {disk.id.name} cannot be attached to the VM because it is not in the same location as the VM. "
            f"VM location: '{vm.location}'. Disk location: '{disk.location}'.",
        )
    if edge_zone(disk.body) != edge_zone(vm.body):
        raise other_edge_zone(vm, disk)
    vm_zones, disk_zones = vm.body.get("zones") or [], disk.body.get("zones") or []
    # A zonal disk fits only a VM in its zone; a disk without a zone (such as a zone-redundant one) fits any VM.
    if disk_zones and vm_zones[:1] != disk_zones[:1]:
        if not vm_zones:
            text = f"Zonal Disk {disk.id.name} cannot be attached to the VM because the VM is not in a zone."
        else:
            text = (
                f"Disk {disk.id.name} cannot be attached to the VM because it is not in the same zone as the VM. "
                f"VM zone: '{vm_zones[0]}'. Disk zone: '{disk_zones[0]}'."
            )
        raise errors.provider_error(400, "BadRequest", text)
    if vm_zones and not disk_zones and not str(disk.body.get("sku", {}).get("name", "")).endswith("_ZRS"):
        text = f"Disk {disk.id.name} cannot be attached to the VM because it is not in zone '{vm_zones[0]}'."
        raise errors.provider_error(400, "BadRequest", text)


def _check_kind(services: Services, vm: Record, current: Json, disk: Record) -> None:
    properties = disk.properties
    old = attached_disk(services, current)
    facts: dict[str, Any] = old.properties if old else {}
    os_type, new_os_type = current.get("osType") or facts.get("osType"), properties.get("osType")
    if os_type and new_os_type != os_type:
        # Azure documents the refusal; message not known.
        raise errors.change_not_allowed("osDisk.osType")
    generation = facts.get("hyperVGeneration", "V1")
    if properties.get("hyperVGeneration", "V1") != generation:
        raise errors.provider_error(
            409,
            "PropertyChangeNotAllowed",
            "Swapping OS Disk is not supported since HyperVisor property on the OSDisk and VM do not match. Please "
            f"make sure the HyperVisor property on the OSDisk is HyperVisor Generation '{generation}'",
        )
    _check_hardware(vm, facts, properties)
    size = size_of(vm.properties.get("hardwareProfile", {}).get("vmSize"))
    check_disk_sku(size, str(disk.body.get("sku", {}).get("name", "")), disk.id.name)
    _check_encryption(vm, current, facts, properties)
    # Disk sizes may differ: the documentation requires equal sizes, but users report accepted swaps with other sizes,
    # and no error is known for a request without a size: https://github.com/MicrosoftDocs/azure-docs/issues/108499
    if _security(vm.properties) != _security(properties):
        text = "Security type of VM is not compatible with the security type of attached OS Disk."
        raise errors.provider_error(400, "BadRequest", text)
    check_os_disk_hibernates(vm.properties, disk)
    check_swapped_plan(vm, facts, disk)


def _check_hardware(vm: Record, facts: Json, properties: Json) -> None:
    controller = vm.properties.get("storageProfile", {}).get("diskControllerType") or "SCSI"
    capabilities = properties.get("supportedCapabilities", {})
    supported = capabilities.get("diskControllerTypes", "SCSI")
    if controller.lower() not in [each.strip().lower() for each in supported.split(",")]:
        raise errors.provider_error(
            409,
            "PropertyChangeNotAllowed",
            f"Swapping OS Disk is not allowed since Disk Controller Type property '{controller}' is not supported by "
            f"the OS Disk. Disk Controller Types supported by the OS Disk are '{supported}'.",
        )
    known = size_of(vm.properties.get("hardwareProfile", {}).get("vmSize"))
    architecture = known.architecture if known else facts.get("supportedCapabilities", {}).get("architecture", "x64")
    if capabilities.get("architecture", "x64") != architecture:
        size = vm.properties.get("hardwareProfile", {}).get("vmSize", "")
        raise errors.provider_error(
            409,
            "PropertyChangeNotAllowed",
            f"Swapping OS Disk is not allowed since CPU Architecture property '{capabilities.get('architecture')}' "
            f"for the VM size '{size}' is not supported.",
        )


def _check_encryption(vm: Record, current: Json, facts: Json, properties: Json) -> None:
    extensions = {str((each.get("properties") or {}).get("type", "")).lower() for each in vm.body.get("resources", [])}
    settings = [current.get("encryptionSettings") or {}]
    settings += [each.get("encryptionSettingsCollection") or {} for each in (facts, properties)]
    if any(each.get("enabled") for each in settings) or not extensions.isdisjoint(_ENCRYPTING):
        # Only the code is known: https://github.com/MicrosoftDocs/azure-docs/pull/56181
        raise errors.provider_error(
            409,
            "OSDiskSwapNotSupportedForVMsUsingDiskEncryption",
            "Swapping OS Disk is not supported for VMs using Azure Disk Encryption.",
        )
    old_set, new_set = ((each.get("encryption") or {}).get("diskEncryptionSetId") or "" for each in (facts, properties))
    if old_set.lower() != new_set.lower():
        # Documented: both disks must use the same set; message not known.
        raise errors.not_allowed(
            "Swapping OS Disk is not supported since the OS Disk and the VM's current OS Disk do not use the same "
            f"disk encryption set: '{new_set}' and '{old_set}'.",
            "osDisk",
        )


def _security(properties: Json) -> str:
    """The security type of a VM or disk, such as `TrustedLaunch`; `ConfidentialVM_…` becomes `ConfidentialVM`."""
    return str((properties.get("securityProfile") or {}).get("securityType", "Standard")).split("_", maxsplit=1)[0]
