"""Disks and images that a VM size does not support.

Decides which combinations Azure refuses and with which message; an unknown size refuses nothing. Does not know
requests.
"""

from __future__ import annotations

from simulator.arm.core import errors
from simulator.arm.core.services import Services
from simulator.arm.core.store import Json, Record
from simulator.arm.state.attachments import attached_disk, disk_blocks, disk_id
from simulator.arm.state.disk_sources import SourceFacts
from simulator.arm.state.vm_sizes import Size, size_of


def check_disk_sku(size: Size | None, sku: str, disk_name: str) -> None:
    """Refuse a premium disk on a size without premium storage (reported,
    https://github.com/google/cloud-forensics-utils/issues/488)."""
    if size is None or size.premium or not sku.startswith(("Premium", "UltraSSD")):
        return
    raise errors.invalid_parameter(
        f"Requested operation cannot be performed because the VM size {size.name} does not support the storage account "
        f"type {sku} of disk '{disk_name}'. Consider updating the VM to a size that supports Premium storage."
    )


def check_new_vm(vm: Record, facts: SourceFacts) -> None:
    """Refuse a new VM whose size cannot boot its OS disk (`facts`) or is not available."""
    size = size_of(size_name(vm.properties))
    if size is None:
        return
    if size.restricted:
        # Reported: https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-sku-not-available
        raise errors.provider_error(
            409,
            "SkuNotAvailable",
            f"The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: {size.name}' "
            f"is currently not available in location '{vm.location}'. Please try another size or deploy to a different "
            "location or different zone. See https://aka.ms/azureskunotavailable for details.",
        )
    _check_boot(size, facts)
    for block in disk_blocks(vm):
        sku = (block.get("managedDisk") or {}).get("storageAccountType", "")
        check_disk_sku(size, sku, str(block.get("name", "")))


def check_resize(services: Services, vm: Record, model: Json) -> None:
    """Refuse a new size that does not support the VM's disks or cannot boot its OS disk."""
    wanted = size_name(model.get("properties", {}))
    size = size_of(wanted)
    if size is None or wanted == size_name(vm.properties):
        return
    blocks = list(disk_blocks(vm))
    if blocks and (os_disk := attached_disk(services, blocks[0])) is not None:
        _check_boot(size, SourceFacts.of_disk(os_disk))
    for block in blocks:
        if disk_id(block) and (disk := attached_disk(services, block)) is not None:
            check_disk_sku(size, str(disk.body.get("sku", {}).get("name", "")), disk.id.name)


def _check_boot(size: Size, facts: SourceFacts) -> None:
    generation = facts.generation or "V1"
    if generation not in size.generations:
        # Reported: https://github.com/gardener/gardener-extension-provider-azure/issues/972
        number = generation.removeprefix("V")
        raise errors.provider_error(
            400,
            "BadRequest",
            f"The selected VM size '{size.name}' cannot boot Hypervisor Generation '{number}'. If this was a Create "
            "operation please check that the Hypervisor Generation of the Image matches the Hypervisor Generation of "
            f"the selected VM Size. If this was an Update operation please select a Hypervisor Generation '{number}' "
            "VM Size. For more information, see https://aka.ms/azuregen2vm",
        )
    if facts.architecture != size.architecture:
        # Message not known.
        raise errors.provider_error(
            400,
            "BadRequest",
            f"The selected VM size '{size.name}' has CPU Architecture '{size.architecture}', the OS disk "
            f"'{facts.architecture}'.",
        )


def size_name(properties: Json) -> str:
    """The name of the size in a VM's `properties`, in lower case; empty where there is none."""
    return str((properties.get("hardwareProfile") or {}).get("vmSize") or "").lower()
