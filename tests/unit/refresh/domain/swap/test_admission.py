"""Which queued VMs are admitted to a swap, and why the others wait."""

from __future__ import annotations

from refresh.domain.swap.admission import AdmissionRow, choose_admissions
from refresh.domain.terms.swap_reason import Wait


def test_swaps_in_flight_are_capped_in_queue_order() -> None:
    """VMs are admitted in queue order, and never more than the budget allows."""
    chosen = choose_admissions({vm: AdmissionRow() for vm in "abcd"}, {"x": AdmissionRow()}, max_swaps=3, paused=False)
    assert chosen.admitted == ("a", "b")
    assert chosen.waiting == {"c": Wait.SWAPS_IN_FLIGHT, "d": Wait.SWAPS_IN_FLIGHT}


def test_one_vm_of_an_availability_set_at_a_time() -> None:
    """While a VM of a set is swapped or just admitted, the other VMs of that set wait, and no others."""
    queue = {"a": AdmissionRow("set1"), "b": AdmissionRow("set1"), "c": AdmissionRow("set2"), "d": AdmissionRow()}
    chosen = choose_admissions(queue, {"x": AdmissionRow("set2")}, max_swaps=9, paused=False)
    assert chosen.admitted == ("a", "d")
    assert chosen.waiting == {"b": Wait.AVAILABILITY_SET, "c": Wait.AVAILABILITY_SET}


def test_a_vm_left_down_uses_up_its_sets_budget() -> None:
    """While a VM of a set is down the others of the set wait; only that VM is admitted, so that it is started."""
    queue = {"a": AdmissionRow("set1"), "b": AdmissionRow("set1")}
    chosen = choose_admissions(queue, {}, max_swaps=9, paused=False, down={"b": AdmissionRow("set1")})
    assert (chosen.admitted, chosen.waiting) == (("b",), {"a": Wait.AVAILABILITY_SET})


def test_a_disk_is_in_one_swap_at_a_time() -> None:
    """A VM waits while a swap that is under way, or was just admitted, can end on the same disk."""
    x, y = frozenset({"x"}), frozenset({"y"})
    queue = {"a": AdmissionRow(disks=x), "b": AdmissionRow(disks=y), "c": AdmissionRow(disks=y)}
    chosen = choose_admissions(queue, {"d": AdmissionRow(disks=x)}, max_swaps=9, paused=False)
    assert (chosen.admitted, chosen.waiting) == (("b",), {"a": Wait.SAME_DISK, "c": Wait.SAME_DISK})


def test_a_pause_admits_no_vm() -> None:
    """During a pause every VM waits with reason `paused`."""
    chosen = choose_admissions({"a": AdmissionRow()}, {}, max_swaps=9, paused=True)
    assert (chosen.admitted, chosen.waiting) == ((), {"a": Wait.PAUSED})


def test_a_vm_is_never_swapped_twice_at_once() -> None:
    """A queued VM that is being swapped waits for its own swap."""
    chosen = choose_admissions({"a": AdmissionRow()}, {"a": AdmissionRow()}, max_swaps=9, paused=False)
    assert chosen.waiting == {"a": Wait.SWAPPING}


def test_without_a_passed_self_check_no_further_vm_is_stopped() -> None:
    """New swaps wait with reason `selfcheck`; a VM whose swap has begun, or that is down, is admitted."""
    queue = {"a": AdmissionRow(), "b": AdmissionRow(urgent=True)}
    chosen = choose_admissions(queue, {}, max_swaps=9, paused=False, unchecked=True)
    assert (chosen.admitted, chosen.waiting) == (("b",), {"a": Wait.SELFCHECK})
    chosen = choose_admissions(queue, {}, max_swaps=9, paused=True, unchecked=True)
    assert chosen.waiting == {"a": Wait.PAUSED, "b": Wait.PAUSED}
