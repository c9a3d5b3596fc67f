"""Which properties a new disk takes from the current one, and which existing disk is the month's."""

from __future__ import annotations

from typing import Any

import pytest

from refresh.domain.azure.plans import Plan
from refresh.domain.disks.month_disk import check_os_disk, disk_body, is_months_disk
from refresh.domain.terms.month_reason import MonthReason
from tests.support.worlds.builders import (
    DEFINITION_ID,
    VERSION_ID,
    VM_ID,
    make_current,
    make_disk,
    make_version,
    make_vm,
)


def body_of(version_gb: int | None = 30, zones: tuple[str, ...] = ("1",), **current: Any) -> dict[str, Any]:
    version = make_version(os_disk_size_gb=version_gb)
    return disk_body(make_vm(zones=zones), make_current(**current), version, "202611")


def test_a_disk_is_like_the_current_one() -> None:
    """Everything a disk made from an image would lose is carried over from the current OS disk."""
    body = body_of(
        size_gb=1024,
        sku="Premium_LRS",
        tier="P50",
        encryption={"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": "/des", "x": 1},
        security_type="TrustedLaunch",
        network_access_policy="AllowPrivate",
        public_network_access="Disabled",
        disk_access_id="/access",
        bursting_enabled=True,
        supports_hibernation=True,
        plan=Plan("publisher", "product", "name"),
        tags={"cost": "42", "AutoRefresh": "true", "refreshperiod": "202610"},
    )
    assert body == {
        "location": "westeurope",
        "zones": ["1"],
        "sku": {"name": "Premium_LRS"},
        "tags": {
            "cost": "42",
            "RefreshVm": "web01",
            "RefreshPeriod": "202611",
            "RefreshVersion": "gal/ubuntu/202611.1.0",
        },
        "properties": {
            "creationData": {"createOption": "FromImage", "galleryImageReference": {"id": VERSION_ID}},
            "osType": "Linux",
            "hyperVGeneration": "V2",
            "diskSizeGB": 1024,
            "tier": "P50",
            "encryption": {"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": "/des"},
            "securityProfile": {"securityType": "TrustedLaunch"},
            "networkAccessPolicy": "AllowPrivate",
            "publicNetworkAccess": "Disabled",
            "supportsHibernation": True,
            "purchasePlan": {"publisher": "publisher", "product": "product", "name": "name"},
            "diskAccessId": "/access",
            "burstingEnabled": True,
        },
    }


def test_a_property_the_current_disk_does_not_show_is_left_to_azure() -> None:
    """A property that ARM does not show is not sent."""
    body = body_of(None, zones=(), size_gb=None, sku=None, bursting_enabled=False)
    assert "zones" not in body
    assert "sku" not in body
    assert sorted(body["properties"]) == ["creationData", "hyperVGeneration", "osType"]


@pytest.mark.parametrize(
    ("current", "image", "expected"), [(30, 64, 64), (128, 30, 128), (None, 30, 30), (64, None, 64)]
)
def test_a_disk_is_never_smaller(current: int | None, image: int | None, expected: int) -> None:
    """The size is the greater of the current disk's and the image's."""
    assert body_of(image, size_gb=current)["properties"]["diskSizeGB"] == expected


@pytest.mark.parametrize(
    ("sku", "size_gb", "tier", "expected"),
    [
        ("Premium_LRS", 30, "P4", None),
        ("Premium_LRS", 128, "P10", None),
        ("Premium_LRS", 128, "P30", "P30"),
        ("Premium_ZRS", 30, "P50", "P50"),
        ("Premium_LRS", 30, "P60", None),
        ("Premium_LRS", 8192, "P80", "P80"),
        ("Premium_LRS", 1024, "P20", None),
        ("StandardSSD_LRS", 128, "E30", None),
        ("StandardSSD_LRS", 128, "P30", None),
        ("Premium_LRS", 128, None, None),
    ],
)
def test_a_tier_is_kept_where_one_was_chosen(sku: str, size_gb: int, tier: str | None, expected: str | None) -> None:
    """Only a premium disk above its size's own tier has a tier in its body."""
    assert body_of(sku=sku, size_gb=size_gb, tier=tier)["properties"].get("tier") == expected


def test_a_zone_redundant_disk_names_no_zone() -> None:
    """A ZRS disk serves every zone and would be refused with one."""
    assert "zones" not in body_of(sku="StandardSSD_ZRS")


def test_a_disk_for_a_vm_with_hibernation_supports_it() -> None:
    """Azure requires it of the VM's OS disk, also where the current one does not show it."""
    for vm, current, expected in ((True, False, True), (False, True, True), (False, False, None)):
        body = disk_body(make_vm(hibernates=vm), make_current(supports_hibernation=current), make_version(), "202611")
        assert body["properties"].get("supportsHibernation") is expected


def test_a_disk_of_a_vm_in_an_edge_zone_is_made_there() -> None:
    """The disk's place is the VM's."""
    vm = make_vm(zones=(), edge_zone="attatlanta1")
    body = disk_body(vm, make_current(zones=(), edge_zone="attatlanta1"), make_version(), "202611")
    assert body["extendedLocation"] == {"name": "attatlanta1", "type": "EdgeZone"}
    assert "extendedLocation" not in body_of()
    found = make_disk(zones=(), edge_zone="AttAtlanta1")
    assert is_months_disk(found, vm, make_current(zones=()), make_version())
    assert not is_months_disk(make_disk(zones=()), vm, make_current(zones=()), make_version())


def test_a_disk_never_has_more_than_50_tags() -> None:
    """The current disk's tags come first; the app's tags about the origin use the remaining places."""
    tags = body_of(tags={f"t{n}": "x" for n in range(48)})["tags"]
    assert len(tags) == 50
    assert tags["RefreshVm"] == "web01"
    assert "RefreshVersion" not in tags
    assert len(body_of(tags={f"t{n}": "x" for n in range(50)})["tags"]) == 50


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, True),
        ({"source_version": VERSION_ID.upper()}, True),
        ({"provisioning_state": "Creating"}, True),
        ({"managed_by": VM_ID.lower(), "disk_state": "Attached"}, True),
        ({"source_version": None}, False),
        ({"source_version": f"{DEFINITION_ID}/versions/202610.1.0"}, False),
        ({"provisioning_state": "Failed"}, False),
        ({"managed_by": VM_ID.replace("web01", "web02")}, False),
        ({"location": "uksouth"}, False),
        ({"zones": ("2",)}, False),
    ],
)
def test_a_disk_counts_only_if_it_is_the_vms_own_from_the_version(fields: dict[str, Any], expected: bool) -> None:
    """A name is not enough: `creationData`, place and owner must be right."""
    assert is_months_disk(make_disk(**fields), make_vm(), make_current(), make_version()) == expected


@pytest.mark.parametrize(
    ("vm", "current", "reason"),
    [
        ({"os_disk_id": None}, {}, MonthReason.UNMANAGED_DISK),
        ({"ephemeral_os_disk": True}, {}, MonthReason.UNMANAGED_DISK),
        ({}, None, MonthReason.NO_DISK),
        ({}, {"security_type": "ConfidentialVM_DiskEncryptedWithCustomerKey"}, MonthReason.CONFIDENTIAL_KEY),
        ({}, {}, None),
    ],
)
def test_a_disk_that_cannot_be_renewed_is_refused(
    vm: dict[str, Any], current: dict[str, Any] | None, reason: MonthReason | None
) -> None:
    """Ephemeral, unmanaged, missing and customer-key confidential OS disks are refused before anything is made."""
    found = check_os_disk(make_vm(**vm), None if current is None else make_current(**current))
    assert (found.reason if found else None) == reason
