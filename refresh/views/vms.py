"""VM records: the disk a VM runs, the disk its tag names, what the app decides about it, and the next disk.

Decides the VM record and which VMs come first. Leaves the decision to `domain.swap.decision` and does not know how
facts were read. Disks are named as tags name them: by name within the VM's resource group, else by full id.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.vms import Power, Vm
from refresh.domain.fleet.freshness import Freshness
from refresh.domain.preflight.all_checks import CONDITIONS
from refresh.domain.preflight.check import Check, Condition
from refresh.domain.swap import plan
from refresh.domain.swap.decided_vm import DecidedVm
from refresh.domain.swap.decision import Decision, Refuse, Revive, Swap, is_intent_stale
from refresh.domain.terms import resource_id, tags, times
from refresh.domain.terms.decision_kind import DecisionKind
from refresh.domain.terms.stop_mode import StopMode
from refresh.domain.terms.swap_reason import Reason, Wait
from refresh.domain.vm.facts import Facts
from refresh.domain.vm.wish import disk_text, previous_text
from refresh.records.swap import OutcomeStatus
from refresh.views.dispatcher_state import DispatcherView

type Json = dict[str, Any]

RECORD = ("vm", "decision", "reason", "message", "current", "wanted", "previous", "next", "run")
STOP = ("stop_mode", "stop_why", "warnings")
FRESH = ("version", "latest", "disk_age_days", "days_behind")


class Rank(IntEnum):
    """The order of VMs in a list: those that need a person first."""

    NEEDS_ATTENTION = 0
    REFUSED = 1
    SWAP = 2
    SKIPPED = 3


@dataclass(frozen=True)
class MadeDisks:
    """The disks that the app has made, by the VM they are for; shown to people, never used for decisions."""

    by_vm: Mapping[tuple[str, str], tuple[Disk, ...]] = field(default_factory=dict)

    @classmethod
    def among(cls, disks: Iterable[Disk], galleries: Collection[str]) -> MadeDisks:
        """Those of `disks` that name a VM and come from one of `galleries` (lower-case ids)."""
        found: dict[tuple[str, str], tuple[Disk, ...]] = {}
        for disk in disks:
            vm_name, home = tags.text_of(disk.tags, tags.DISK_VM), resource_id.parse(disk.id)
            gallery = (disk.source_version or "").lower().split("/images/")[0]
            if vm_name and home is not None and gallery in galleries:
                key = (home.group_key, vm_name.lower())
                found[key] = (*found.get(key, ()), disk)
        return cls(found)

    def next_of(self, vm: Vm, current: Disk | None, rejected: Collection[str]) -> str | None:
        """The name of the newest free disk made for `vm` after the one it runs, unless it was found unhealthy."""
        home = resource_id.parse(vm.id)
        key = (home.group_key, vm.name.lower()) if home else ("", "")
        free = [disk for disk in self.by_vm.get(key, ()) if _is_free(disk) and not _is_rejected(disk, rejected)]
        newest = max(free, key=lambda disk: (disk.time_created or "", disk.name), default=None)
        older = newest and current and (times.seconds_between(current.time_created, newest.time_created) or 0.0) < 0
        return None if newest is None or older else newest.name


def _is_free(disk: Disk) -> bool:
    return disk.managed_by is None and disk.disk_state == "Unattached" and disk.provisioning_state == "Succeeded"


def _is_rejected(disk: Disk, rejected: Collection[str]) -> bool:
    return disk.id.lower() in rejected or (disk.source_version or "").lower() in rejected


def vm_record(decided: DecidedVm, dispatcher: DispatcherView, made: MadeDisks, current: Disk | None = None) -> Json:
    """The VM record; `current` is the VM's OS disk where its facts do not have it."""
    facts, vm = decided.facts, decided.facts.vm
    reason, message = _why(decided, dispatcher)
    record: Json = dict.fromkeys(RECORD)
    record |= {"vm": decided.vm_id, "decision": str(kind_of(decided.decision)), "reason": reason, "message": message}
    record["run"] = dispatcher.run_of(decided.vm_id)
    if dispatcher.running(decided.vm_id) is not None:
        record["decision"] = str(DecisionKind.SWAP)
    if vm is not None:
        record["current"] = vm.os_disk_name
        record["wanted"] = disk_text(vm.id, facts.wish.disk_id) if facts.wish.disk_id else facts.wish.text or None
        record["previous"] = previous_text(vm)
        record["next"] = made.next_of(vm, facts.current or current, set(facts.rejected))
    return record


def refusal_record(vm_id: str, refusal: Refuse) -> Json:
    """The VM record of a VM of which nothing but its id and a refusal can be shown."""
    found = {"vm": vm_id, "decision": str(DecisionKind.REFUSE), "reason": str(refusal.reason)}
    return dict.fromkeys(RECORD) | found | {"message": refusal.message}


def fresh_record(fresh: Freshness) -> Json:
    """The fields of a VM record that show how fresh the VM is."""
    return {name: getattr(fresh, name) for name in FRESH}


def rank_of(decided: DecidedVm, dispatcher: DispatcherView) -> Rank:
    """The position of the VM in a list."""
    if attention(decided, dispatcher) is not None:
        return Rank.NEEDS_ATTENTION
    if dispatcher.running(decided.vm_id) is not None:
        return Rank.SWAP
    kinds = {DecisionKind.REFUSE: Rank.REFUSED, DecisionKind.SWAP: Rank.SWAP}
    return kinds.get(kind_of(decided.decision), Rank.SKIPPED)


def attention(decided: DecidedVm, dispatcher: DispatcherView) -> tuple[str, str] | None:
    """Why a person is needed (reason and sentence), None when none is.

    One is needed when the VM's last swap ended with `needs-attention` and nothing has cured that since, or when
    `RefreshState` names a swap that has not ended and is not under way.
    """
    vm, row = decided.facts.vm, dispatcher.running(decided.vm_id)
    if row is not None and row.attention:
        return row.attention_reason or str(Reason.NO_CAPACITY), row.attention
    if vm is None or row is not None:
        return None
    left = vm.own_tags.refresh_state is not None and not _is_leftover(decided, vm)
    outcome = dispatcher.outcome(decided.vm_id)
    right_again = decided.decision.reason is Reason.ALREADY_THERE and not left
    if outcome is not None and outcome.status == OutcomeStatus.NEEDS_ATTENTION and not right_again:
        return outcome.reason, outcome.message
    if left:
        message = f"{tags.REFRESH_STATE} names a swap that is not under way; the next sweep recovers the VM"
        return str(Reason.RECOVER), message
    return None


def _is_leftover(decided: DecidedVm, vm: Vm) -> bool:
    # A list does not show that the VM runs, which alone would make the tag a leftover.
    known = decided.facts if decided.exact else replace(decided.facts, vm=replace(vm, power=Power.UNKNOWN))
    return is_intent_stale(known)


def _why(decided: DecidedVm, dispatcher: DispatcherView) -> tuple[str, str]:
    row = dispatcher.running(decided.vm_id)
    if row is not None and not row.attention:
        return str(Wait.SWAPPING), f"{dispatcher.run_of(decided.vm_id)} is under way: {row.step or 'about to begin'}"
    found = attention(decided, dispatcher)
    if found is not None:
        return found[0], _with_wait(found[1], decided, dispatcher)
    message = decided.decision.message
    if _is_unproven(decided, dispatcher):
        return str(Reason.NOT_PROVEN), f"{message}; no signal from its guest has proved its health"
    return str(decided.decision.reason), _with_wait(message, decided, dispatcher)


def _with_wait(message: str, decided: DecidedVm, dispatcher: DispatcherView) -> str:
    if decided.vm_id.lower() not in dispatcher.state.queue:
        return message
    return f"{message}; waits: {dispatcher.why_waiting(decided.vm_id)}"


def _is_unproven(decided: DecidedVm, dispatcher: DispatcherView) -> bool:
    """Whether the VM runs the disk its tag names, and the swap to that disk proved nothing about its guest."""
    vm, outcome = decided.facts.vm, dispatcher.outcome(decided.vm_id)
    if vm is None or outcome is None or decided.decision.reason is not Reason.ALREADY_THERE:
        return False
    return resource_id.same(outcome.new_disk, vm.os_disk_id) and outcome.status == OutcomeStatus.NOT_PROVEN


def kind_of(decision: Decision) -> DecisionKind:
    """`swap`, `skip` or `refuse`; a VM that is brought up counts as swapped."""
    if isinstance(decision, Swap | Revive):
        return DecisionKind.SWAP
    return DecisionKind.REFUSE if isinstance(decision, Refuse) else DecisionKind.SKIP


def stop_record(facts: Facts | None = None) -> Json:
    """The fields of a VM record about its stop for a swap: how and why so, and the warnings; nulls for no facts."""
    stop, warnings = (facts.stop, facts.warnings) if facts is not None else (None, None)
    return {
        "stop_mode": stop.shown_mode if stop is not None else None,
        "stop_why": stop.why if stop is not None else None,
        "warnings": [{"code": str(one.code), "message": one.message} for one in warnings or ()],
    }


def plan_record(decided: DecidedVm, dispatcher: DispatcherView, made: MadeDisks, current: Disk | None = None) -> Json:
    """The VM record of a dry run: with checks, warnings, steps, the seconds down and the new disk.

    A VM whose power state was not read counts as running: its downtime is the most that it can be.
    """
    decision, vm, stop = decided.decision, decided.facts.vm, decided.facts.stop
    steps: tuple[plan.Step, ...] = ()
    if isinstance(decision, Swap) and vm is not None:
        steps = plan.plan_swap(not decided.exact or vm.power in (Power.RUNNING, Power.STARTING))
    elif isinstance(decision, Revive):
        steps = plan.plan_revival()
    checks = decision.checks if isinstance(decision, Swap | Refuse) else ()
    return vm_record(decided, dispatcher, made, current) | {
        "checks": _check_records(checks),
        **stop_record(decided.facts if checks else replace(decided.facts, warnings=())),
        "steps": [str(step) for step in steps],
        "down_s": plan.expected_down_s(steps, stop.mode if stop is not None else StopMode.DEALLOCATE),
        "new_disk": decision.disk.id if isinstance(decision, Swap) else None,
    }


def refusal_plan_record(vm_id: str, refusal: Refuse) -> Json:
    """Like `refusal_record`, for a dry run."""
    planned = {"checks": _check_records(()), **stop_record(), "steps": [], "down_s": None, "new_disk": None}
    return refusal_record(vm_id, refusal) | planned


def _check_records(checks: Collection[Check]) -> list[Json]:
    """Every condition with its result, in order; those that the facts at hand are not enough for are not checked."""
    judged = {one.condition: one for one in checks}
    return [check_record(condition, judged.get(condition)) for condition in CONDITIONS]


def check_record(condition: Condition, judged: Check | None) -> Json:
    """A check as people see it: `result` is `passed`, `failed` or `not-checked`; the other fields name its evidence."""
    result = "not-checked" if judged is None else "passed" if judged.ok else "failed"
    return {
        "name": condition.name,
        "result": result,
        "ok": judged.ok if judged is not None else None,
        "reason": str(condition.reason),
        "message": judged.message if judged is not None else "",
        "evidence": str(condition.evidence),
        "source": condition.source or None,
        "azure_code": condition.azure_code,
    }
