"""The decision about a VM that runs another disk than the one with which its tag was last fulfilled."""

from __future__ import annotations

from typing import Any

import pytest

from refresh.domain.azure.vms import Power, Vm
from refresh.domain.preflight.provenance import Policy
from refresh.domain.swap.adoption import Adopt, plan_adoption
from refresh.domain.swap.decision import Decision, Refuse, Skip, decide_settled, decide_swap
from refresh.domain.terms.intent_tag import write_intent_tag
from refresh.domain.terms.resource_id import id_hash
from refresh.domain.terms.swap_reason import Reason
from refresh.domain.vm.facts import Facts, Fulfilled, disk_key
from refresh.domain.vm.wish import choose_wish
from tests.support.worlds.builders import GROUP, VM_ID, disk_id, make_current, make_vm

RUN = f"swap-{id_hash(VM_ID)}-7"
FULFILLED = Fulfilled(disk_key("vm-1", disk_id("web01-new")), "2026-11-06T10:00:00Z")
OF_OUR_SWAP = write_intent_tag(RUN, True, "web01-old", "web01-new")


def restored(name: str = "web01-restored", **tags: str) -> Vm:
    """A VM that others have given a disk, with the tag that the app fulfilled before."""
    disk = {"os_disk_id": disk_id(name), "os_disk_name": name}
    return make_vm({"OsDiskName": "web01-new", **tags}, unique_id="vm-1", **disk)


def decide(vm: Vm, **facts: Any) -> Decision | None:
    given: dict[str, Any] = {"fulfilled": FULFILLED, **facts}
    return decide_settled(vm, Facts(vm, choose_wish(vm, ()), **given))


@pytest.mark.parametrize("runs", ["web01-restored", "web01-old"])
@pytest.mark.parametrize("wish", ["web01-new", "WEB01-NEW", disk_id("web01-new")])
@pytest.mark.parametrize("power", list(Power))
def test_the_last_fulfilled_value_is_no_edit(runs: str, wish: str, power: Power) -> None:
    """In every spelling and power state, also where the VM runs the disk that it had before the swap."""
    vm = make_vm({"OsDiskName": wish}, unique_id="vm-1", os_disk_id=disk_id(runs), os_disk_name=runs, power=power)
    current = make_current(time_created="2026-11-20T07:00:00Z")
    decision = decide_swap(Facts(vm, choose_wish(vm, ()), current=current, fulfilled=FULFILLED), Policy(), force=True)
    assert isinstance(decision, Refuse)
    assert decision.reason is Reason.CHANGED_BY_OTHERS
    for part in ("web01-new", runs, "2026-11-06T10:00:00Z", "2026-11-20T07:00:00Z", "/api/adopt", "/api/swap"):
        assert part in decision.message.replace("WEB01-NEW", "web01-new")


@pytest.mark.parametrize(
    ("vm", "facts"),
    [
        (restored(), {"fulfilled": None}),
        (restored(OsDiskName="web01-other"), {}),
        (restored(OsDiskName="@previous", OsDiskPrevious="web01-new"), {}),
        (restored(OsDiskName=disk_id("web01-new", GROUP.replace("rg-app", "rg-other"))), {}),
        (make_vm({"OsDiskName": "web01-new"}, unique_id="vm-2"), {}),
        (restored("web01-old", RefreshState=OF_OUR_SWAP), {}),
    ],
    ids=["no memory", "another value", "@previous", "another group", "another VM with its name", "our own swap"],
)
def test_anything_else_is_decided_as_before(vm: Vm, facts: dict[str, Any]) -> None:
    """Nothing but the same value on the same VM, outside a swap of the app, is a change by others."""
    decision = decide(vm, **facts)
    assert decision is None or decision.reason is not Reason.CHANGED_BY_OTHERS


@pytest.mark.parametrize(
    ("vm", "over"),
    [(restored("web01-old", RefreshState=OF_OUR_SWAP), [RUN]), (restored(RefreshState=OF_OUR_SWAP), [])],
    ids=["the swap is over", "the tag is about other disks"],
)
def test_a_leftover_tag_hides_no_change(vm: Vm, over: list[str]) -> None:
    """`RefreshState` that Terraform writes back does not make a restore an unfinished swap."""
    decision = decide(vm, over=frozenset(over))
    assert decision is not None
    assert decision.reason is Reason.CHANGED_BY_OTHERS


def test_a_vm_on_hold_is_left_alone_first() -> None:
    """`hold` and a missing scope are named before."""
    for value, reason in (("hold", Reason.ON_HOLD), ("false", Reason.NOT_IN_SCOPE)):
        decision = decide(restored(AutoRefresh=value))
        assert decision is not None
        assert decision.reason is reason


@pytest.mark.parametrize(
    ("vm", "kind", "text"),
    [
        (restored(), Adopt, "web01-restored"),
        (restored("web01-new"), Adopt, None),
        (restored("web01-new", OsDiskName="@previous", OsDiskPrevious="web01-new"), Adopt, "web01-new"),
        (restored(OsDiskName=""), Adopt, "web01-restored"),
        (restored(AutoRefresh="hold"), Skip, None),
        (restored(AutoRefresh="no"), Skip, None),
        (restored("web01-old", RefreshState=OF_OUR_SWAP), Refuse, None),
        (make_vm({"OsDiskName": "web01-new"}, os_disk_id=None), Refuse, None),
    ],
)
def test_an_adoption_names_the_disk_that_runs(vm: Vm, kind: type, text: str | None) -> None:
    """Nothing is written where the tag is right; `@previous` becomes a name; a VM in a swap is refused."""
    planned = plan_adoption(vm)
    assert type(planned) is kind
    assert getattr(planned, "text", None) == text


def test_a_disk_of_another_group_is_adopted_by_its_id() -> None:
    """A restore may leave its disk in another group."""
    other = disk_id("web01-restored", GROUP.replace("rg-app", "rg-restore"))
    planned = plan_adoption(make_vm(os_disk_id=other, os_disk_name="web01-restored"))
    assert isinstance(planned, Adopt)
    assert planned.text == other
