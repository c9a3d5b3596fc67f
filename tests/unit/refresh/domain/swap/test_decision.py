"""The decision about a VM: swap, start, skip or refuse, with its reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.vms import Power, Vm
from refresh.domain.preflight.provenance import Policy
from refresh.domain.swap.decision import (
    Decision,
    Refuse,
    Revive,
    Skip,
    Swap,
    decide_swap,
    find_lost_swap,
    is_intent_stale,
)
from refresh.domain.terms import tags
from refresh.domain.terms.intent_tag import write_intent_tag
from refresh.domain.terms.resource_id import id_hash
from refresh.domain.terms.swap_reason import Reason
from refresh.domain.vm.facts import Facts
from refresh.domain.vm.wish import choose_wish
from tests.support.worlds.builders import (
    GALLERY,
    GROUP,
    VERSION_ID,
    VM_ID,
    disk_id,
    make_current,
    make_definition,
    make_disk,
    make_version,
    make_vm,
)

OTHER_GROUP = GROUP.replace("rg-app", "rg-other")
OTHER_VM = VM_ID.replace("web01", "web02")
WANTS = {"OsDiskName": "web01-202611"}
RUN = f"swap-{id_hash(VM_ID)}-7"


def decide(
    vm: Vm, wanted: Disk | None = None, *, force: bool = False, policy: Policy | None = None, **facts: Any
) -> Decision:
    policy = policy or Policy()
    given: dict[str, Any] = {"version": make_version(), "definition": make_definition(), "current": make_current()}
    wish = choose_wish(vm, policy.disk_groups)
    return decide_swap(Facts(vm, wish, wanted=wanted, **{**given, **facts}), policy, force=force)


@pytest.mark.parametrize(
    ("vm_tags", "kind", "reason"),
    [
        ({}, Skip, Reason.NO_WISH),
        ({"OsDiskName": ""}, Skip, Reason.NO_WISH),
        ({"OsDiskName": "   "}, Skip, Reason.NO_WISH),
        ({"OsDiskName": "web01-old"}, Skip, Reason.ALREADY_THERE),
        ({"osdiskname": "WEB01-OLD"}, Skip, Reason.ALREADY_THERE),
        ({"OsDiskName": disk_id("web01-old").upper()}, Skip, Reason.ALREADY_THERE),
        ({"AutoRefresh": "false", **WANTS}, Skip, Reason.NOT_IN_SCOPE),
        ({"AutoRefresh": "HOLD", **WANTS}, Skip, Reason.ON_HOLD),
        ({"OsDiskName": "no/such thing"}, Refuse, Reason.BAD_WISH),
        ({"OsDiskName": "null'; drop"}, Refuse, Reason.BAD_WISH),
        ({"OsDiskName": VM_ID}, Refuse, Reason.BAD_WISH),
        ({"OsDiskName": disk_id("x", OTHER_GROUP)}, Refuse, Reason.DISK_OUTSIDE_GROUP),
        ({"OsDiskName": "@previous"}, Refuse, Reason.NO_PREVIOUS),
        ({"OsDiskName": "gone"}, Refuse, Reason.DISK_NOT_FOUND),
        *(({**WANTS, name: "1"}, Refuse, Reason.TAG_NOT_BUILT) for name in tags.NOT_BUILT_YET),
    ],
)
def test_a_wish_that_needs_no_disk_is_settled_by_its_tags(vm_tags: dict[str, str], kind: type, reason: Reason) -> None:
    """A missing, empty, fulfilled, foreign, unreadable or not yet supported value has a reason of its own."""
    decision = decide(make_vm(vm_tags))
    assert (type(decision), decision.reason) == (kind, reason)
    assert decision.message


def test_a_free_disk_of_the_own_group_is_swapped_in() -> None:
    """A free disk that the tag names leads to a swap onto exactly that disk, with every check passed."""
    decision = decide(make_vm(WANTS), make_disk())
    assert isinstance(decision, Swap)
    assert decision.disk.name == "web01-202611"
    assert all(check.ok for check in decision.checks)


def test_tag_names_are_compared_without_case() -> None:
    """The app compares tag names without case, as ARM does."""
    assert isinstance(decide(make_vm({"AUTOREFRESH": "True", "osDISKname": "web01-202611"}), make_disk()), Swap)


def test_previous_names_the_disk_that_ran_before() -> None:
    """`@previous` means the disk in OsDiskPrevious."""
    vm = make_vm({"OsDiskName": "@Previous", "OsDiskPrevious": "web01-202610"})
    assert choose_wish(vm, ()).disk_id == disk_id("web01-202610")


def test_a_full_id_elsewhere_needs_a_setting() -> None:
    """A full disk id outside the VM's group is accepted only when REFRESH_DISK_GROUPS allows that group."""
    vm = make_vm({"OsDiskName": disk_id("shared", OTHER_GROUP)})
    allowed = Policy(disk_groups=(OTHER_GROUP.lower(),))
    assert isinstance(decide(vm, make_disk("shared", id=disk_id("shared", OTHER_GROUP)), policy=allowed), Swap)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"managed_by": OTHER_VM, "disk_state": "Attached"}, Reason.DISK_IN_USE),
        ({"managed_by": OTHER_VM, "disk_state": "Reserved"}, Reason.DISK_IN_USE),
        ({"disk_state": "ActiveSAS"}, Reason.DISK_IN_USE),
        ({"disk_state": None}, Reason.DISK_IN_USE),
        ({"provisioning_state": "Creating"}, Reason.DISK_NOT_READY),
        ({"provisioning_state": None}, Reason.DISK_NOT_READY),
        ({"location": "northeurope"}, Reason.OTHER_REGION),
        ({"zones": ("2",)}, Reason.OTHER_ZONE),
        ({"zones": ()}, Reason.OTHER_ZONE),
        ({"os_type": "Windows"}, Reason.OTHER_OS),
        ({"os_type": None}, Reason.OTHER_OS),
        ({"generation": "V1"}, Reason.OTHER_GENERATION),
        ({"generation": None}, Reason.OTHER_GENERATION),
    ],
)
def test_an_unsuitable_disk_is_refused_before_downtime(changed: dict[str, Any], reason: Reason) -> None:
    """A disk that cannot become this VM's OS disk, or cannot be read, is refused with a reason for each cause."""
    decision = decide(make_vm(WANTS), replace(make_disk(), **changed))
    assert isinstance(decision, Refuse)
    assert decision.reason is reason
    assert "web01-202611" in decision.message


@pytest.mark.parametrize("power", [Power.STARTING, Power.STOPPING, Power.DEALLOCATING, Power.UNKNOWN])
def test_a_vm_that_is_moving_is_left_alone(power: Power) -> None:
    """A VM in a transitional or unknown power state is refused as busy."""
    assert decide(make_vm(WANTS, power=power), make_disk()).reason is Reason.VM_BUSY


@pytest.mark.parametrize(
    ("changed", "reason"),
    [({"os_disk_id": None}, Reason.UNMANAGED_DISK), ({"ephemeral_os_disk": True}, Reason.EPHEMERAL_DISK)],
)
def test_an_os_disk_that_cannot_be_swapped_is_refused(changed: dict[str, Any], reason: Reason) -> None:
    """Unmanaged and ephemeral OS disks are refused with reasons of their own."""
    assert decide(make_vm(WANTS, **changed), make_disk()).reason is reason


def test_a_clone_needs_refresh_personalizes() -> None:
    """A disk from an image that serves several VMs is refused until its definition has RefreshPersonalizes=true."""
    vm, plain = make_vm(WANTS), make_definition({})
    assert decide(vm, make_disk(), definition=plain).reason is Reason.NOT_PERSONALIZED
    assert decide(vm, make_disk(), definition=None).reason is Reason.NOT_PERSONALIZED
    own = make_version(source_id=VM_ID.upper())
    assert isinstance(decide(vm, make_disk(), definition=plain, version=own), Swap)
    ran = frozenset({id_hash(disk_id("web01-202611"))})
    assert isinstance(decide(vm, make_disk(), definition=plain, ran=ran), Swap)


def test_generalised_windows_is_always_refused() -> None:
    """A generalised Windows disk is refused even with RefreshPersonalizes: it would stop at Windows setup."""
    windows = make_definition(os_state="Generalized", os_type="Windows")
    decision = decide(
        make_vm(WANTS, os_type="Windows"), make_disk(os_type="Windows"), definition=windows, current=make_current()
    )
    assert decision.reason is Reason.GENERALIZED_WINDOWS


def test_trust_gallery_accepts_only_gallery_images_and_disks_that_ran() -> None:
    """With REFRESH_DISK_TRUST=gallery a hand-made disk is refused unless this VM is known to have run it."""
    strict = Policy(trust="gallery", galleries=(GALLERY.lower(),))
    handmade = make_disk(source_version=None)
    assert decide(make_vm(WANTS), handmade, policy=strict).reason is Reason.DISK_NOT_TRUSTED
    assert isinstance(decide(make_vm(WANTS), handmade), Swap)
    assert isinstance(decide(make_vm(WANTS), make_disk(), policy=strict), Swap)
    ran = frozenset({id_hash(handmade.id)})
    assert isinstance(decide(make_vm(WANTS), handmade, policy=strict, ran=ran), Swap)
    lookalike = make_disk(source_version=VERSION_ID.replace("/gal/", "/gal2/"))
    assert decide(make_vm(WANTS), lookalike, policy=strict).reason is Reason.DISK_NOT_TRUSTED


@pytest.mark.parametrize("name", [disk_id("web01-202611").lower(), VERSION_ID.lower()])
def test_a_rejected_disk_is_tried_once(name: str) -> None:
    """A disk, or another from the same version, found unhealthy on this VM is refused; force alone overrides it."""
    vm, rejected = make_vm(WANTS), frozenset({name})
    assert decide(vm, make_disk(), rejected=rejected).reason is Reason.REJECTED_BEFORE
    assert isinstance(decide(vm, make_disk(), rejected=rejected, force=True), Swap)
    busy = make_disk(managed_by=OTHER_VM)
    assert decide(vm, busy, rejected=rejected, force=True).reason is Reason.DISK_IN_USE


def test_what_cannot_be_read_is_refused() -> None:
    """An unreadable VM or disk is refused with the reason; a deleted VM is skipped."""
    vm = make_vm(WANTS)
    assert decide(vm, make_disk(), unreadable="throttled").reason is Reason.UNREADABLE
    gone = decide_swap(Facts(None, choose_wish(vm, ())), Policy())
    assert (type(gone), gone.reason) == (Skip, Reason.VM_GONE)
    unknown = decide_swap(Facts(None, choose_wish(vm, ()), unreadable="no answer"), Policy())
    assert (type(unknown), unknown.reason) == (Refuse, Reason.UNREADABLE)


def test_a_vm_left_stopped_by_a_lost_swap_is_brought_up() -> None:
    """A stopped VM with the RefreshState of a VM that ran is started, even when it has the disk its tag names."""
    left = {"RefreshState": f"run={RUN};ran=yes", "OsDiskName": "web01-old"}
    assert isinstance(decide(make_vm(left, power=Power.DEALLOCATED)), Revive)
    assert decide(make_vm(left, power=Power.RUNNING)).reason is Reason.ALREADY_THERE
    stayed = {**left, "RefreshState": f"run={RUN};ran=no"}
    assert decide(make_vm(stayed, power=Power.DEALLOCATED)).reason is Reason.ALREADY_THERE
    held = {**left, "AutoRefresh": "hold"}
    assert decide(make_vm(held, power=Power.DEALLOCATED)).reason is Reason.ON_HOLD


def test_a_leftover_intent_never_starts_a_vm() -> None:
    """RefreshState of a swap that is over, or on a VM that runs, is stale: a VM its owner stopped stays stopped."""
    left = {"RefreshState": f"run={RUN};ran=yes", "OsDiskName": "web01-old"}
    stopped = make_vm(left, power=Power.DEALLOCATED)
    over = frozenset({RUN})
    assert decide(stopped, over=over).reason is Reason.ALREADY_THERE
    wish = choose_wish(stopped, ())
    assert is_intent_stale(Facts(stopped, wish, over=over))
    assert not is_intent_stale(Facts(stopped, wish))
    assert is_intent_stale(Facts(make_vm(left), wish))
    assert is_intent_stale(Facts(make_vm({"RefreshState": "what?"}, power=Power.DEALLOCATED), wish))
    assert not is_intent_stale(Facts(make_vm({}), wish))


def test_the_mark_of_a_swap_stays_where_the_os_disk_cannot_be_read() -> None:
    """A part of the OS disk that is unknown is not another disk: the VM is started, and its mark is no leftover."""
    left = {"RefreshState": write_intent_tag(RUN, was_running=True, old_disk="web01-old", new_disk="web01-new")}
    for unknown in ({"os_disk_name": None}, {"os_disk_id": None}, {"os_disk_name": "odd"}):
        vm = make_vm(left, power=Power.DEALLOCATED, **unknown)
        assert not is_intent_stale(Facts(vm, choose_wish(vm, ()))), unknown


@pytest.mark.parametrize(
    ("state", "stale"),
    [
        (write_intent_tag(RUN, True, "web01-old", "web01-new"), False),
        (write_intent_tag(RUN, True, "web01-before", "WEB01-OLD"), False),
        (write_intent_tag(RUN, True, "x" * 200, "y" * 200), False),
        (write_intent_tag(RUN, True, disk_id("WEB01-old"), "web01-new"), False),
        (write_intent_tag(RUN, False, "web01-old", "web01-new"), True),
        (write_intent_tag(RUN, True, "web01-before", "web01-then"), True),
        (write_intent_tag("swap-0123456789ab-7", True, "web01-old", "web01-new"), True),
    ],
    ids=["before", "after, other case", "too long to name disks", "by id", "did not run", "old plan", "another VM's"],
)
def test_only_this_vms_own_swap_has_it_started(state: str, stale: bool) -> None:
    """A RefreshState copied from another VM, or written back from an old plan, does not start a stopped VM."""
    stopped = make_vm({"RefreshState": state, "OsDiskName": "web01-old"}, power=Power.DEALLOCATED)
    assert isinstance(decide(stopped), Revive) is not stale
    assert is_intent_stale(Facts(stopped, choose_wish(stopped, ()))) is stale


def test_a_running_vm_with_a_lost_swap_gets_a_warning() -> None:
    """A running VM whose RefreshState names a swap without a record gets a warning: its disk may not be proved."""
    marked = make_vm({"RefreshState": write_intent_tag(RUN, True, "web01-before", "web01-old")})
    facts = Facts(marked, choose_wish(marked, ()))
    assert RUN in (find_lost_swap(facts) or "")
    assert find_lost_swap(replace(facts, over=frozenset({RUN}))) is None
    assert find_lost_swap(replace(facts, vm=replace(marked, power=Power.DEALLOCATED))) is None
    assert find_lost_swap(replace(facts, vm=replace(marked, tags={}))) is None
    assert find_lost_swap(replace(facts, vm=replace(marked, os_disk_name="third", os_disk_id=disk_id("third")))) is None
    assert find_lost_swap(replace(facts, vm=None)) is None


def test_an_unknown_stop_mode_is_refused() -> None:
    """RefreshStopMode is deallocate or power-off, in any case; any other value is refused with a reason of its own."""
    assert decide(make_vm({**WANTS, "RefreshStopMode": "halt"}), make_disk()).reason is Reason.BAD_STOP_MODE
    assert isinstance(decide(make_vm({**WANTS, "RefreshStopMode": "Power-Off"}), make_disk()), Swap)
