"""Which properties a new disk takes from the VM, its current OS disk and the image."""

from __future__ import annotations

from typing import Any

import pytest

from refresh.domain.azure.plans import Plan
from refresh.domain.disks.new_disk import disk_body
from tests.support.worlds.builders import VERSION_ID, make_current, make_definition, make_version, make_vm

PLAN = Plan("publisher", "product", "name")


def body_of(
    version_gb: int | None = 30,
    vm: dict[str, Any] | None = None,
    definition: dict[str, Any] | None = None,
    **current: Any,
) -> dict[str, Any]:
    version = make_version(os_disk_size_gb=version_gb)
    return disk_body(
        make_vm(**(vm or {})), make_current(**current), make_definition(**(definition or {})), version, "202611"
    )


def test_a_disk_is_like_the_current_one() -> None:
    """Everything a disk made from an image would lose is carried over from the current OS disk."""
    body = body_of(
        vm={"security_type": "TrustedLaunch", "plan": PLAN},
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
        plan=PLAN,
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
    body = body_of(None, vm={"zones": ()}, size_gb=None, sku=None, bursting_enabled=False)
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


@pytest.mark.parametrize(
    ("vm", "current", "image", "expected"),
    [
        (True, False, None, True),
        (False, True, None, True),
        (False, False, None, None),
        (True, True, True, True),
        (True, True, False, None),
    ],
)
def test_a_disk_supports_hibernation_like_the_vm(
    vm: bool, current: bool, image: bool | None, expected: bool | None
) -> None:
    """Hibernation can be enabled on a VM after its disk was made; an image that declares no support is believed."""
    body = body_of(vm={"hibernates": vm}, supports_hibernation=current, definition={"hibernates": image})
    assert body["properties"].get("supportsHibernation") is expected


@pytest.mark.parametrize(
    ("vm", "current", "expected"),
    [
        ("TrustedLaunch", None, "TrustedLaunch"),
        ("TrustedLaunch", "TrustedLaunch", "TrustedLaunch"),
        ("Standard", "TrustedLaunch", None),
        (None, None, None),
        ("ConfidentialVM", "ConfidentialVM_VMGuestStateOnly", "ConfidentialVM_VMGuestStateOnly"),
    ],
)
def test_a_disk_has_the_security_type_of_the_vm(vm: str | None, current: str | None, expected: str | None) -> None:
    """A VM is upgraded to Trusted Launch in place, and its OS disk does not change."""
    body = body_of(vm={"security_type": vm}, security_type=current)
    assert body["properties"].get("securityProfile", {}).get("securityType") == expected


@pytest.mark.parametrize(
    ("vm", "current", "image", "expected"),
    [
        ("NVMe", "SCSI, NVMe", None, "SCSI, NVMe"),
        ("NVMe", "SCSI", None, "SCSI, NVMe"),
        ("NVMe", None, None, "SCSI, NVMe"),
        ("SCSI", "SCSI, NVMe", None, "SCSI, NVMe"),
        ("NVMe", "SCSI, NVMe", "SCSI", None),
        ("NVMe", "SCSI, NVMe", "SCSI, NVMe", None),
        (None, None, None, None),
    ],
)
def test_a_disk_has_the_controller_of_the_vm(
    vm: str | None, current: str | None, image: str | None, expected: str | None
) -> None:
    """What the image definition declares counts; what it leaves open is sent as the VM and its OS disk have it."""
    body = body_of(vm={"disk_controller": vm}, disk_controllers=current, definition={"disk_controllers": image})
    assert body["properties"].get("supportedCapabilities", {}).get("diskControllerTypes") == expected


def test_capabilities_are_sent_whole() -> None:
    """What the definition declares is repeated beside what it leaves open."""
    body = body_of(
        definition={"disk_controllers": "SCSI, NVMe"},
        settings={"properties.supportedCapabilities.acceleratedNetwork": True},
    )
    assert body["properties"]["supportedCapabilities"] == {
        "architecture": "x64",
        "diskControllerTypes": "SCSI, NVMe",
        "acceleratedNetwork": True,
    }


def test_a_disk_has_the_plan_of_the_vm() -> None:
    """A VM's plan never changes; a promotion code belongs to the plan that it is for."""
    code = {"properties.purchasePlan.promotionCode": "half"}
    body = body_of(vm={"plan": PLAN}, plan=PLAN, settings=code)
    assert body["properties"]["purchasePlan"] == {**PLAN.body(), "promotionCode": "half"}
    body = body_of(vm={"plan": PLAN}, plan=Plan("publisher", "product", "older"), settings=code)
    assert body["properties"]["purchasePlan"] == PLAN.body()
    assert "purchasePlan" not in body_of(plan=PLAN, settings=code)["properties"]


def test_a_disk_of_a_vm_in_an_edge_zone_is_made_there() -> None:
    """The disk's place is the VM's."""
    body = body_of(vm={"zones": (), "edge_zone": "attatlanta1"}, zones=(), edge_zone="attatlanta1")
    assert body["extendedLocation"] == {"name": "attatlanta1", "type": "EdgeZone"}
    assert "extendedLocation" not in body_of()


def test_a_disk_never_has_more_than_50_tags() -> None:
    """The current disk's tags come first; the app's tags about the origin use the remaining places."""
    tags = body_of(tags={f"t{n}": "x" for n in range(48)})["tags"]
    assert len(tags) == 50
    assert tags["RefreshVm"] == "web01"
    assert "RefreshVersion" not in tags
    assert len(body_of(tags={f"t{n}": "x" for n in range(50)})["tags"]) == 50
