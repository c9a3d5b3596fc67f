"""Checks of a new VM's model, its secrets, and the effects of its custom data at the first boot.

Decides refusals of a new VM's model, except those of its size (`vm_size_rules.py`), and its first boot. No answer
contains custom data and passwords. Does not know requests.
https://learn.microsoft.com/rest/api/compute/virtual-machines/create-or-update
"""

from __future__ import annotations

from collections.abc import Callable

from simulator.arm.core import durations, errors
from simulator.arm.core.services import Services
from simulator.arm.core.store import Json, Record
from simulator.arm.guests.cloud_init import read_custom_data
from simulator.arm.state.attachments import attached_disk
from simulator.arm.state.edge_zones import edge_zone, other_edge_zone
from simulator.arm.state.marketplace import set_exact_version
from simulator.arm.state.vm_state import vm_state

_MAX_CUSTOM_DATA = 87_380
_SECRETS = ("customData", "adminPassword")


def check_model(services: Services, record: Record) -> None:
    """Refuse the images, disks and OS profiles of a new VM that Azure refuses."""
    properties = record.properties
    storage = properties.get("storageProfile") or {}
    if reference := storage.get("imageReference"):
        set_exact_version(reference)
    os_disk = storage.get("osDisk") or {}
    if str(os_disk.get("createOption", "")).lower() == "attach":
        _check_attached(services, record, os_disk)
    profile = properties.get("osProfile") or {}
    linux = profile.get("linuxConfiguration") or {}
    if linux.get("disablePasswordAuthentication") and not (linux.get("ssh") or {}).get("publicKeys"):
        # Reported in the sources of Terraform's provider.
        raise errors.invalid_parameter(
            "Authentication using either SSH or by user name and password must be enabled in Linux profile.",
            "linuxConfiguration",
        )
    custom_data = profile.get("customData") or ""
    try:
        read_custom_data(custom_data, "ok")
        fits = len(custom_data) <= _MAX_CUSTOM_DATA
    except ValueError:
        fits = False
    if not fits:
        # Reported in public logs.
        raise errors.invalid_parameter(
            f"Custom data in OSProfile must be in Base64 encoding and with a maximum length of {_MAX_CUSTOM_DATA} "
            "characters.",
            "customData",
        )


def take_secrets(record: Record) -> None:
    """Move the secrets, which no later answer of ARM contains, out of the model."""
    profile: Json = record.properties.get("osProfile") or {}
    vm_state(record).custom_data = profile.get("customData")
    for key in _SECRETS:
        profile.pop(key, None)


def begin_first_boot(services: Services, record: Record, power_off: Callable[[Record], None]) -> None:
    """Schedule the effects of the custom data, if there is any, after the first boot of a VM."""
    state = vm_state(record)
    boot = state.boot
    if state.custom_data is None or boot is None or boot.stuck is not None:
        return
    ending, takes_s = services.faults.custom_data(record.id.key)
    first = read_custom_data(state.custom_data, ending)
    if first is None:
        return
    natural_s = durations.draw("cloudInit", services.random("cloudInit", record.id))

    def end() -> None:
        if services.store.get(record.id) is not record or state.boot is not boot:
            return  # the VM was deleted or started again meanwhile
        now = services.now()
        state.console_lines += [(now, line) for line in first.lines]
        if first.powers_off:
            power_off(record)

    services.operations.later(takes_s if takes_s is not None else natural_s, end)


def _check_attached(services: Services, record: Record, os_disk: Json) -> None:
    if record.properties.get("osProfile"):
        # Reported: https://github.com/Azure/azure-sdk-for-python/issues/1380
        raise errors.invalid_parameter("Parameter 'osProfile' is not allowed.", "osProfile")
    disk = attached_disk(services, os_disk)
    if disk is None:
        text = str((os_disk.get("managedDisk") or {}).get("id", ""))
        raise errors.source_not_found("Disk", text)
    if edge_zone(disk.body) != edge_zone(record.body):
        raise other_edge_zone(record, disk)
    if owner := disk.body.get("managedBy"):
        # Reported: https://github.com/kubernetes-sigs/azuredisk-csi-driver/issues/1378
        raise errors.provider_error(
            409,
            "ConflictingUserInput",
            f"Cannot attach the disk {disk.id.name} to VM {record.id.name} because it is already attached to VM "
            f"{str(owner).rsplit('/', 1)[-1]}. A disk can be attached to only one VM at a time.",
        )
