"""Warnings about a swap: each appears where it applies."""

from __future__ import annotations

from typing import Any

import pytest

from refresh.domain.vm.warnings import WarningKind, warnings_of
from tests.support.worlds.builders import make_current, make_disk, make_vm

RECOVERY = "Microsoft.Azure.RecoveryServices"
OCTOBER, NOVEMBER = "2026-10-01T00:00:00+00:00", "2026-11-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("vm", "disk", "names"),
    [
        ({}, {}, []),
        ({"os_type": "Linux"}, {"time_created": OCTOBER}, []),
        ({}, {"os_type": "Windows", "time_created": NOVEMBER}, []),
        ({}, {"os_type": "Windows", "time_created": OCTOBER}, [WarningKind.OLD_WINDOWS_DISK]),
        ({"read_at": None}, {"os_type": "Windows", "time_created": OCTOBER}, []),
        ({"extension_publishers": (RECOVERY,)}, {}, [WarningKind.BACKUP]),
        ({"extension_publishers": (f"{RECOVERY}.SiteRecovery",)}, {}, [WarningKind.SITE_RECOVERY]),
        ({"extension_publishers": ("Microsoft.Azure.Monitor",)}, {}, []),
        ({"os_disk_delete_option": "Delete"}, {}, [WarningKind.DELETED_WITH_VM]),
        ({"os_disk_delete_option": "Detach"}, {}, []),
    ],
)
def test_a_warning_appears_where_it_applies(vm: dict[str, Any], disk: dict[str, Any], names: list[WarningKind]) -> None:
    """Each warning appears where it applies and nowhere else, with its own message."""
    found = warnings_of(make_vm(**vm), make_current(), make_disk(**disk))
    assert [one.code for one in found] == names
    assert all(len(one.message) > 20 for one in found)


def test_a_disk_still_to_be_made_gets_no_warning() -> None:
    """A disk without a creation time gets no warning about its age."""
    new = make_disk(os_type="Windows", time_created=None)
    assert warnings_of(make_vm(), make_current(), new) == ()
    assert warnings_of(make_vm(), make_current(), None) == ()


@pytest.mark.parametrize(
    ("has", "gets", "warned"),
    [(30, 30, False), (30, 64, True), (64, 30, True), (None, 64, False), (30, None, False)],
)
def test_disks_of_different_sizes_give_a_warning(has: int | None, gets: int | None, warned: bool) -> None:
    """A difference in either direction is named with both sizes; an unknown size is no difference."""
    found = warnings_of(make_vm(), make_current(size_gb=has), make_disk(size_gb=gets))
    assert [one.code for one in found] == ([WarningKind.OTHER_SIZE] if warned else [])
    assert all(f"{gets} GiB" in one.message and f"disk {has}" in one.message for one in found)


def test_an_os_disk_that_is_not_known_gives_no_warning_about_sizes() -> None:
    """The VM's disk may be unreadable."""
    assert warnings_of(make_vm(), None, make_disk(size_gb=64)) == ()
