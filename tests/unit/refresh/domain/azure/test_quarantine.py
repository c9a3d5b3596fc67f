"""When rollbacks quarantine an image version: number, share and resource groups."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from refresh.domain.azure.quarantine import QuarantineRule, decide_quarantine, find_vms_of_version
from tests.support.worlds.builders import VERSION_ID, make_disk

RULE = QuarantineRule(2, 0.10)


def vms(group: str, *numbers: int) -> list[str]:
    return [
        f"/subscriptions/s/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/vm{n}" for n in numbers
    ]


@pytest.mark.parametrize(
    ("rejecting", "had", "due"),
    [
        (vms("a", 1), vms("a", 2), False),
        (vms("a", 1, 2), [], True),
        (vms("a", 1, 2), vms("a", *range(3, 21)), True),
        (vms("a", 1, 2), vms("a", *range(3, 22)), False),
        (vms("a", 1, 2, 3), vms("a", *range(4, 31)), True),
        (vms("a", 1, 1), vms("a", 2), False),
        (vms("a", 1, 2), vms("b", 3), False),
        (vms("a", 1) + vms("b", 2), vms("b", 3), True),
        (vms("a", 1) + vms("A", 2), vms("b", 3), False),
        (vms("a", 1, 2), None, True),
    ],
)
def test_number_share_and_groups_must_all_be_reached(
    rejecting: Sequence[str], had: Sequence[str] | None, due: bool
) -> None:
    """Two VMs of a fleet of hundreds, or of one group of several, quarantine no version."""
    verdict = decide_quarantine(RULE, rejecting, had)
    assert verdict.due is due, verdict
    assert verdict.message


def test_only_vms_that_got_the_version_this_month_have_it() -> None:
    """A disk of an earlier month, of another version, or without a VM does not count."""
    vm = vms("a", 1)[0]
    this_month = {"source_version": VERSION_ID, "managed_by": vm, "time_created": "2026-11-02T00:00:00+00:00"}
    found = [
        make_disk("one", **this_month),
        make_disk("two", **{**this_month, "managed_by": vms("a", 2)[0], "time_created": "2026-10-31T00:00:00+00:00"}),
        make_disk("three", **{**this_month, "managed_by": None}),
        make_disk("four", **{**this_month, "managed_by": vms("a", 4)[0], "source_version": f"{VERSION_ID}0"}),
    ]
    assert find_vms_of_version(found, VERSION_ID, "2026-11-21T12:00:00+00:00") == {vm.lower()}
