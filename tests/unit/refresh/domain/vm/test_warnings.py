"""Warnings about a swap: each appears where it applies."""

from __future__ import annotations

from typing import Any

import pytest

from refresh.domain.terms.stop_mode import StopMode
from refresh.domain.vm.warnings import WarningKind, warnings_of
from tests.support.worlds.builders import make_disk, make_vm

RECOVERY = "Microsoft.Azure.RecoveryServices"
OCTOBER, NOVEMBER = "2026-10-01T00:00:00+00:00", "2026-11-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("vm", "disk", "mode", "names"),
    [
        ({}, {}, StopMode.DEALLOCATE, []),
        ({"os_type": "Linux"}, {"time_created": OCTOBER}, StopMode.DEALLOCATE, []),
        ({}, {"os_type": "Windows", "time_created": NOVEMBER}, StopMode.DEALLOCATE, []),
        ({}, {"os_type": "Windows", "time_created": OCTOBER}, StopMode.DEALLOCATE, [WarningKind.OLD_WINDOWS_DISK]),
        ({"read_at": None}, {"os_type": "Windows", "time_created": OCTOBER}, StopMode.DEALLOCATE, []),
        ({"extension_publishers": (RECOVERY,)}, {}, StopMode.DEALLOCATE, [WarningKind.BACKUP]),
        ({"extension_publishers": (f"{RECOVERY}.SiteRecovery",)}, {}, StopMode.DEALLOCATE, [WarningKind.SITE_RECOVERY]),
        ({"extension_publishers": ("Microsoft.Azure.Monitor",)}, {}, StopMode.DEALLOCATE, []),
        ({"os_disk_delete_option": "Delete"}, {}, StopMode.DEALLOCATE, [WarningKind.DELETED_WITH_VM]),
        ({"os_disk_delete_option": "Detach"}, {}, StopMode.DEALLOCATE, []),
        ({"priority": "Spot"}, {}, StopMode.DEALLOCATE, [WarningKind.SPOT]),
        ({"priority": "Spot"}, {}, StopMode.POWER_OFF, []),
        ({"priority": "Regular"}, {}, StopMode.DEALLOCATE, []),
    ],
)
def test_a_warning_appears_where_it_applies(
    vm: dict[str, Any], disk: dict[str, Any], mode: StopMode, names: list[WarningKind]
) -> None:
    """Each warning appears where it applies and nowhere else, with its own message."""
    found = warnings_of(make_vm(**vm), make_disk(**disk), mode)
    assert [one.code for one in found] == names
    assert all(len(one.message) > 20 for one in found)


def test_a_disk_still_to_be_made_gets_no_warning() -> None:
    """A disk without a creation time gets no warning about its age."""
    assert warnings_of(make_vm(), make_disk(os_type="Windows", time_created=None), StopMode.DEALLOCATE) == ()
    assert warnings_of(make_vm(), None, StopMode.DEALLOCATE) == ()
