"""Every property of a disk in azure-mgmt-compute is carried over to a new disk, or has a reason why not."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterator
from typing import Any

import pytest
from azure.mgmt.compute import models

from refresh.arm.disks import disk_from_arm
from refresh.domain.azure.disk_properties import PROPERTIES, Origin, put_at, value_at
from refresh.domain.disks.new_disk import disk_body
from tests.support.worlds.builders import disk_id, make_definition, make_version, make_vm

# A property with parts of its own counts as a whole where it has one origin.
WHOLE = {path for path in PROPERTIES if not any(other.startswith(f"{path}.") for other in PROPERTIES)}
PLAN = {"publisher": "publisher", "product": "product", "name": "name"}
# A value for each carried property that differs from Azure's default, with what it needs beside it.
VALUES: dict[str, Any] = {
    "sku.name": "StandardSSD_LRS",
    "tags": {"owner": "team"},
    "properties.osType": "Windows",
    "properties.hyperVGeneration": "V1",
    "properties.diskSizeGB": 1024,
    "properties.tier": "P50",
    "properties.encryption.type": "EncryptionAtRestWithCustomerKey",
    "properties.encryption.diskEncryptionSetId": "/set",
    "properties.networkAccessPolicy": "AllowPrivate",
    "properties.publicNetworkAccess": "Disabled",
    "properties.diskAccessId": "/access",
    "properties.dataAccessAuthMode": "AzureActiveDirectory",
    "properties.burstingEnabled": True,
    "properties.maxShares": 2,
    "properties.optimizedForFrequentAttach": True,
    "properties.availabilityPolicy.actionOnDiskDelay": "AutomaticReattach",
    "properties.diskIOPSReadWrite": 4000,
    "properties.diskMBpsReadWrite": 200,
    "properties.diskIOPSReadOnly": 3000,
    "properties.diskMBpsReadOnly": 150,
    "properties.creationData.performancePlus": True,
    "properties.creationData.logicalSectorSize": 512,
    "properties.purchasePlan.promotionCode": "half",
    "properties.supportedCapabilities.diskControllerTypes": "SCSI, NVMe",
    "properties.supportedCapabilities.acceleratedNetwork": True,
    "properties.supportedCapabilities.architecture": "Arm64",
    "properties.supportedCapabilities.supportedSecurityOption": "TrustedLaunchSupported",
}
CARRIED = [path for path, (origin, _) in PROPERTIES.items() if origin in (Origin.DISK, Origin.IMAGE)]


def properties_of(model: type, prefix: str = "") -> Iterator[tuple[str, bool]]:
    """Path and "is read-only" of every property, down to those that the table has as a whole."""
    for owner in reversed(model.__mro__):
        for attribute, hint in inspect.get_annotations(owner).items():
            field = owner.__dict__.get(attribute)
            if attribute.startswith("_") or field is None:
                continue
            path = prefix + (field._rest_name_input or attribute)
            part = part_of(hint)
            if part is None or path in WHOLE:
                yield path, field._visibility == ["read"]
            else:
                yield from properties_of(part, f"{path}.")


def part_of(hint: Any) -> type | None:
    """The model that a property's type names; None for texts, numbers, lists and enumerations."""
    for argument in typing.get_args(hint) or (hint,):
        name = argument.__forward_arg__ if isinstance(argument, typing.ForwardRef) else str(argument)
        found = getattr(models, name.removeprefix("_models."), None) if name.startswith("_models.") else None
        if isinstance(found, type) and hasattr(found, "as_dict"):
            return found
    return None


LIBRARY = dict(properties_of(models.Disk))


def test_the_table_has_every_property_of_a_disk() -> None:
    """A property that Azure adds needs a line that says where a new disk takes it from."""
    assert set(LIBRARY) == set(PROPERTIES)


def test_what_only_azure_sets_is_what_the_library_reads_only() -> None:
    """A property that can be set has another origin, or a reason of its own."""
    by_azure = {path for path, (origin, _) in PROPERTIES.items() if origin is Origin.AZURE}
    read_only = {path for path, only in LIBRARY.items() if only} - {"id", "name"}
    assert by_azure - read_only == {"properties.completionPercent"}
    assert read_only <= by_azure
    assert all(why for origin, why in PROPERTIES.values() if origin not in (Origin.DISK, Origin.VM))


@pytest.mark.parametrize("path", CARRIED)
def test_a_property_of_the_os_disk_is_on_the_new_disk(path: str) -> None:
    """From the ARM body of the old disk to that of the new one."""
    sku = "UltraSSD_LRS" if "IOPS" in path or "MBps" in path else "Premium_LRS"
    old: dict[str, Any] = {"id": disk_id("web01-old"), "location": "westeurope", "sku": {"name": sku}}
    old["properties"] = {"diskSizeGB": 1024, "supportedCapabilities": {"diskControllerTypes": "SCSI, NVMe"}}
    old["properties"]["purchasePlan"] = dict(PLAN)
    put_at(old, path, VALUES[path])
    current = disk_from_arm(old)
    # An image definition from before Azure had these properties declares none of them.
    definition = make_definition(architecture=None)
    new = disk_body(make_vm(plan=current.plan), current, definition, make_version(), "202611")
    found = value_at(new, path)
    assert found == VALUES[path] or (path == "tags" and VALUES[path].items() <= found.items())


def test_the_values_of_this_test_are_no_defaults() -> None:
    """Each carried property has a value here."""
    assert set(CARRIED) == set(VALUES)
    assert set(VALUES) <= set(LIBRARY)
