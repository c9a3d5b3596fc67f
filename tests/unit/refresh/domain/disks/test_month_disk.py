"""Which existing disk is the month's, and which OS disk cannot be renewed."""

from __future__ import annotations

from typing import Any

import pytest

from refresh.domain.disks.month_disk import check_os_disk, is_months_disk
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


def test_a_disk_in_another_edge_zone_is_not_the_months() -> None:
    """The place of the disk is the VM's, compared without case."""
    vm = make_vm(zones=(), edge_zone="attatlanta1")
    found = make_disk(zones=(), edge_zone="AttAtlanta1")
    assert is_months_disk(found, vm, make_current(zones=()), make_version())
    assert not is_months_disk(make_disk(zones=()), vm, make_current(zones=()), make_version())


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
    ("current", "reason"),
    [
        (None, MonthReason.NO_DISK),
        ({"security_type": "ConfidentialVM_DiskEncryptedWithCustomerKey"}, MonthReason.CONFIDENTIAL_KEY),
        ({}, None),
    ],
)
def test_a_disk_that_cannot_be_renewed_is_refused(current: dict[str, Any] | None, reason: MonthReason | None) -> None:
    """Missing and customer-key confidential OS disks are refused before anything is made."""
    found = check_os_disk(make_vm(), None if current is None else make_current(**current))
    assert (found.reason if found else None) == reason
