"""Which queued VMs are admitted to a swap, and why the others wait."""

from __future__ import annotations

from refresh.domain.swap.admission import AdmissionRow, Limits, choose_admissions
from refresh.domain.terms.swap_reason import Wait


def test_swaps_in_flight_are_capped_in_queue_order() -> None:
    """VMs are admitted in queue order, and never more than the budget allows."""
    chosen = choose_admissions({vm: AdmissionRow() for vm in "abcd"}, {"x": AdmissionRow()}, Limits(3, 9))
    assert chosen.admitted == ("a", "b")
    assert chosen.waiting == {"c": Wait.SWAPS_IN_FLIGHT, "d": Wait.SWAPS_IN_FLIGHT}


def test_one_vm_of_an_availability_set_at_a_time() -> None:
    """While a VM of a set is swapped or just admitted, the other VMs of that set wait, and no others."""
    queue = {"a": AdmissionRow("set1"), "b": AdmissionRow("set1"), "c": AdmissionRow("set2"), "d": AdmissionRow()}
    chosen = choose_admissions(queue, {"x": AdmissionRow("set2")}, Limits(9, 9))
    assert chosen.admitted == ("a", "d")
    assert chosen.waiting == {"b": Wait.AVAILABILITY_SET, "c": Wait.AVAILABILITY_SET}


def test_a_vm_left_down_uses_up_its_sets_budget() -> None:
    """While a VM of a set is down the others of the set wait; only that VM is admitted, so that it is started."""
    queue = {"a": AdmissionRow("set1"), "b": AdmissionRow("set1")}
    chosen = choose_admissions(queue, {}, Limits(9, 9), down={"b": AdmissionRow("set1")})
    assert (chosen.admitted, chosen.waiting) == (("b",), {"a": Wait.AVAILABILITY_SET})


def test_a_disk_is_in_one_swap_at_a_time() -> None:
    """A VM waits while a swap that is under way, or was just admitted, can end on the same disk."""
    x, y = frozenset({"x"}), frozenset({"y"})
    queue = {"a": AdmissionRow(disks=x), "b": AdmissionRow(disks=y), "c": AdmissionRow(disks=y)}
    chosen = choose_admissions(queue, {"d": AdmissionRow(disks=x)}, Limits(9, 9))
    assert (chosen.admitted, chosen.waiting) == (("b",), {"a": Wait.SAME_DISK, "c": Wait.SAME_DISK})


def test_a_pause_admits_no_vm() -> None:
    """During a pause every VM waits with reason `paused`."""
    chosen = choose_admissions({"a": AdmissionRow()}, {}, Limits(9, 9, paused=True))
    assert (chosen.admitted, chosen.waiting) == ((), {"a": Wait.PAUSED})


def test_a_vm_is_never_swapped_twice_at_once() -> None:
    """A queued VM that is being swapped waits for its own swap."""
    chosen = choose_admissions({"a": AdmissionRow()}, {"a": AdmissionRow()}, Limits(9, 9))
    assert chosen.waiting == {"a": Wait.SWAPPING}


def test_without_a_passed_self_check_no_further_vm_is_stopped() -> None:
    """New swaps wait with reason `selfcheck`; a VM whose swap has begun, or that is down, is admitted."""
    queue = {"a": AdmissionRow(), "b": AdmissionRow(urgent=True)}
    chosen = choose_admissions(queue, {}, Limits(9, 9, unchecked=True))
    assert (chosen.admitted, chosen.waiting) == (("b",), {"a": Wait.SELFCHECK})
    chosen = choose_admissions(queue, {}, Limits(9, 9, paused=True, unchecked=True))
    assert chosen.waiting == {"a": Wait.PAUSED, "b": Wait.PAUSED}


def test_a_vm_that_is_down_waits_for_no_pause_self_check_swap_or_set() -> None:
    """Its start stops nothing, so neither a pause nor a budget of swaps delays it."""
    queue = {"a": AdmissionRow("set"), "down": AdmissionRow("set", urgent=True, down=True)}
    running = {"x": AdmissionRow("set"), "y": AdmissionRow()}
    for limits in (Limits(2, 1), Limits(9, 1, paused=True), Limits(9, 1, unchecked=True)):
        assert choose_admissions(queue, running, limits).admitted == ("down",)


def test_vms_that_are_down_have_a_limit_of_their_own() -> None:
    """Their starts do not use up the swaps in flight; a start that waits for capacity does not count."""
    down, idle = AdmissionRow(down=True), AdmissionRow(down=True, idle=True)
    running = {"x": down, "y": idle}
    chosen = choose_admissions({"a": down, "b": down, "c": AdmissionRow()}, running, Limits(1, 2))
    assert (chosen.admitted, chosen.waiting) == (("a", "c"), {"b": Wait.STARTS_IN_FLIGHT})


def test_a_vm_that_is_down_comes_first_and_swaps_back_come_next() -> None:
    """The order of the queue counts only among VMs of one kind."""
    queue = {"a": AdmissionRow(), "b": AdmissionRow(back=True), "c": AdmissionRow(down=True), "d": AdmissionRow()}
    assert choose_admissions(queue, {}, Limits(9, 9)).admitted == ("c", "b", "a", "d")
    assert choose_admissions(queue, {}, Limits(1, 9)).admitted == ("c", "b")


def test_a_vm_that_is_down_takes_no_disk_from_a_swap_under_way() -> None:
    """Of two VMs that wish for one disk, the one whose swap is under way is not stopped in vain."""
    x = frozenset({"x"})
    chosen = choose_admissions({"a": AdmissionRow(disks=x, down=True)}, {"b": AdmissionRow(disks=x)}, Limits(9, 9))
    assert chosen.waiting == {"a": Wait.SAME_DISK}
