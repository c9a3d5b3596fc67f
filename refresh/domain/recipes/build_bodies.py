"""The ARM bodies of the resources on which versions are built and proved: network interface, VM, disk.

Decides their content. The VM has no public address, extension, port or secret: ARM requires a public key for a new VM,
and the private half of that key is never stored. Does not know when the resources are made.
"""

from __future__ import annotations

import base64
from typing import Any

from refresh.domain.azure.galleries import Definition
from refresh.domain.azure.plans import Plan
from refresh.domain.recipes.custom_data import BUILD_USER
from refresh.domain.recipes.marketplace import ImageFacts, wants_trusted_launch
from refresh.domain.recipes.recipe import Recipe
from refresh.domain.recipes.temporary_group import disk_id, nic_id

_PROOF_SIZES = {"arm64": "Standard_D2ps_v5"}
_PROOF_SIZE = "Standard_D2s_v5"


def nic_body(location: str, subnet: str) -> dict[str, Any]:
    """A network interface in `subnet`, with no public address."""
    configuration = {"subnet": {"id": subnet}, "privateIPAllocationMethod": "Dynamic"}
    return {
        "location": location,
        "properties": {"ipConfigurations": [{"name": "private", "properties": {**configuration, "primary": True}}]},
    }


def build_vm_body(
    definition: Definition, recipe: Recipe, image: ImageFacts, group: str, custom_data: bytes, public_key: str
) -> dict[str, Any]:
    """The VM on which `recipe` runs; `public_key` is used where the recipe names no admin.

    https://learn.microsoft.com/rest/api/compute/virtual-machines/create-or-update
    """
    user = recipe.admin.name if recipe.admin else BUILD_USER
    key = {
        "path": f"/home/{user}/.ssh/authorized_keys",
        "keyData": recipe.admin.public_key if recipe.admin else public_key,
    }
    os_disk: dict[str, Any] = {
        "createOption": "FromImage",
        "caching": "ReadWrite",
        "deleteOption": "Delete",
        "managedDisk": {"storageAccountType": "StandardSSD_LRS"},
    }
    if recipe.disk_gb:
        os_disk["diskSizeGB"] = recipe.disk_gb
    body = _vm_body(definition, recipe.size, group, os_disk)
    body["properties"]["storageProfile"]["imageReference"] = {
        "publisher": image.image.publisher,
        "offer": image.image.offer,
        "sku": image.image.sku,
        "version": image.image.version,
    }
    body["properties"]["osProfile"] = {
        "computerName": "machine",
        "adminUsername": user,
        "customData": base64.b64encode(custom_data).decode(),
        "allowExtensionOperations": False,
        "linuxConfiguration": {"disablePasswordAuthentication": True, "ssh": {"publicKeys": [key]}},
    }
    if image.plan:
        body["plan"] = image.plan.body()
    return body


def proof_disk_body(definition: Definition, version: str) -> dict[str, Any]:
    """An OS disk from `version`, made like the disks of VMs."""
    properties: dict[str, Any] = {
        "creationData": {"createOption": "FromImage", "galleryImageReference": {"id": version}},
        "osType": definition.os_type,
        "hyperVGeneration": definition.generation or "V1",
    }
    if wants_trusted_launch(definition):
        properties["securityProfile"] = {"securityType": "TrustedLaunch"}
    return {"location": definition.location, "sku": {"name": "StandardSSD_LRS"}, "properties": properties}


def proof_vm_body(definition: Definition, group: str, plan: Plan | None = None) -> dict[str, Any]:
    """A VM that boots the group's disk as a swapped VM does: attached, never provisioned.

    `plan` is the disk's, which Azure requires of a VM: https://github.com/Azure/azure-cli/issues/5949
    """
    os_disk = {
        "name": disk_id(group).rsplit("/", 1)[-1],
        "createOption": "Attach",
        "osType": definition.os_type,
        "caching": "ReadWrite",
        "deleteOption": "Delete",
        "managedDisk": {"id": disk_id(group)},
    }
    size = _PROOF_SIZES.get((definition.architecture or "").lower(), _PROOF_SIZE)
    return _vm_body(definition, size, group, os_disk) | ({"plan": plan.body()} if plan else {})


def _vm_body(definition: Definition, size: str, group: str, os_disk: dict[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "hardwareProfile": {"vmSize": size},
        "storageProfile": {"osDisk": os_disk},
        "networkProfile": {"networkInterfaces": [{"id": nic_id(group), "properties": {"deleteOption": "Delete"}}]},
        "diagnosticsProfile": {"bootDiagnostics": {"enabled": True}},
    }
    if wants_trusted_launch(definition):
        uefi = {"secureBootEnabled": True, "vTpmEnabled": True}
        properties["securityProfile"] = {"securityType": "TrustedLaunch", "uefiSettings": uefi}
    return {"location": definition.location, "properties": properties}
