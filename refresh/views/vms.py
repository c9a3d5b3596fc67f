"""A VM as people see it: what it runs, what is asked for, what the app makes of that, and what comes next.

Decides the VM record and which VMs come first. Refuses to judge (`domain.decision`) and to know how facts were read.
Disks are named as tags name them: by name within the VM's group, else by full id.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.vms import Power, Vm
from refresh.domain.fleet.freshness import Freshness
from refresh.domain.preflight.all_checks import PROMISES
from refresh.domain.preflight.check import Check, Promise
from refresh.domain.swap import plan
from refresh.domain.swap.decided_vm import Seen
from refresh.domain.swap.decision import Decision, Refuse, Revive, Swap, is_intent_stale
from refresh.domain.terms import resource_id, tags, times
from refresh.domain.terms.swap_reason import Reason, Wait
from refresh.domain.vm.stop_mode import StopMode, choose_stop_mode
from refresh.domain.vm.warnings import warnings_of
from refresh.domain.vm.wish import disk_text, previous_text
from refresh.records.swap import OutcomeStatus
from refresh.views.dispatcher_state import Book

type Json = dict[str, Any]

RECORD = ("vm", "decision", "reason", "message", "current", "wanted", "previous", "next", "run")
FRESH = ("version", "latest", "disk_age_days", "days_behind")


class Rank(IntEnum):
    """Who comes first in a list: whoever needs a person."""

    NEEDS_ATTENTION = 0
    REFUSED = 1
    SWAP = 2
    SKIPPED = 3


@dataclass(frozen=True)
class MadeDisks:
    """The disks that the app has made, by the VM they were made for; for people to see, never for decisions."""

    by_vm: Mapping[tuple[str, str], tuple[Disk, ...]] = field(default_factory=dict)

    @classmethod
    def among(cls, disks: Iterable[Disk], galleries: Collection[str]) -> MadeDisks:
        """Those of `disks` that name a VM and come from one of `galleries` (lower-case ids)."""
        found: dict[tuple[str, str], tuple[Disk, ...]] = {}
        for disk in disks:
            vm_name, home = tags.value_of(disk.tags, tags.DISK_VM), resource_id.parse(disk.id)
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


def vm_record(seen: Seen, book: Book, made: MadeDisks, current: Disk | None = None) -> Json:
    """The VM record; `current` is the VM's OS disk where `facts` need not have it."""
    facts, vm = seen.facts, seen.facts.vm
    reason, message = _why(seen, book)
    record: Json = dict.fromkeys(RECORD)
    record |= {"vm": seen.vm_id, "decision": kind_of(seen.decision), "reason": reason, "message": message}
    record["run"] = book.run_of(seen.vm_id)
    if seen.vm_id.lower() in book.running:
        record["decision"] = "swap"
    if vm is not None:
        record["current"] = vm.os_disk_name
        record["wanted"] = disk_text(vm.id, facts.wish.disk_id) if facts.wish.disk_id else facts.wish.text or None
        record["previous"] = previous_text(vm)
        record["next"] = made.next_of(vm, facts.current or current, set(facts.rejected))
    return record


def fresh_record(fresh: Freshness) -> Json:
    """How fresh the VM is: what its record gains where it was found out."""
    return {name: getattr(fresh, name) for name in FRESH}


def rank_of(seen: Seen, book: Book) -> Rank:
    """Where the VM belongs in a list."""
    if attention(seen, book) is not None:
        return Rank.NEEDS_ATTENTION
    if seen.vm_id.lower() in book.running:
        return Rank.SWAP
    kinds = {"refuse": Rank.REFUSED, "swap": Rank.SWAP}
    return kinds.get(kind_of(seen.decision), Rank.SKIPPED)


def attention(seen: Seen, book: Book) -> tuple[str, str] | None:
    """Why a person is needed (reason and sentence), None when none is.

    One is needed when the VM's last swap ended so and nothing has put it right since, or when the mark of an open
    swap stands on the VM and nobody works on it.
    """
    vm = seen.facts.vm
    row = book.running.get(seen.vm_id.lower())
    if row is not None and row.get("attention"):
        return str(row.get("attention_reason", Reason.NO_CAPACITY)), str(row["attention"])
    if vm is None or row is not None:
        return None
    left = tags.value_of(vm.tags, tags.REFRESH_STATE) is not None and not _is_leftover(seen, vm)
    outcome = book.outcome(seen.vm_id) or {}
    right_again = seen.decision.reason is Reason.ALREADY_THERE and not left
    if outcome.get("status") == OutcomeStatus.NEEDS_ATTENTION and not right_again:
        return str(outcome.get("reason", "")), str(outcome.get("message", ""))
    if left:
        message = f"{tags.REFRESH_STATE} tells of a swap that nobody works on; the next sweep takes it up"
        return str(Reason.RECOVER), message
    return None


def _is_leftover(seen: Seen, vm: Vm) -> bool:
    # A list does not tell that the VM runs, which alone would make the mark one.
    known = seen.facts if seen.exact else replace(seen.facts, vm=replace(vm, power=Power.UNKNOWN))
    return is_intent_stale(known)


def _why(seen: Seen, book: Book) -> tuple[str, str]:
    row = book.running.get(seen.vm_id.lower())
    if row is not None and not row.get("attention"):
        return str(Wait.SWAPPING), f"{book.run_of(seen.vm_id)} is under way: {row.get('step') or 'about to begin'}"
    found = attention(seen, book)
    if found is not None:
        return found
    message = seen.decision.message
    if _is_unproven(seen, book):
        return str(Reason.NOT_PROVEN), f"{message}; no signal from its guest has proved its health"
    if seen.vm_id.lower() in book.queue:
        message = f"{message}; waits: {book.why_waiting(seen.vm_id)}"
    return str(seen.decision.reason), message


def _is_unproven(seen: Seen, book: Book) -> bool:
    """Whether the VM has what it asks for, and the swap that gave it that disk proved nothing of its guest."""
    vm, outcome = seen.facts.vm, book.outcome(seen.vm_id) or {}
    if vm is None or seen.decision.reason is not Reason.ALREADY_THERE:
        return False
    same = resource_id.same(outcome.get("new_disk"), vm.os_disk_id)
    return same and outcome.get("status") == OutcomeStatus.NOT_PROVEN


def kind_of(decision: Decision) -> str:
    """`swap`, `skip` or `refuse`."""
    if isinstance(decision, Swap | Revive):
        return "swap"
    return "refuse" if isinstance(decision, Refuse) else "skip"


def plan_record(
    seen: Seen, book: Book, made: MadeDisks, current: Disk | None = None, *, stop_mode: str = StopMode.DEALLOCATE
) -> Json:
    """The VM record of a dry run: with checks, warnings, steps, the seconds down and the disk that would come.

    A VM whose power state was not read is taken to run: its downtime is the most that it can be. `stop_mode` is the
    setting's, for VMs whose tag says nothing.
    """
    decision, vm = seen.decision, seen.facts.vm
    steps: tuple[plan.Step, ...] = ()
    if isinstance(decision, Swap) and vm is not None:
        steps = plan.plan_swap(not seen.exact or vm.power in (Power.RUNNING, Power.STARTING))
    elif isinstance(decision, Revive):
        steps = plan.plan_revival()
    mode = (choose_stop_mode(vm, stop_mode) if vm is not None else None) or StopMode.DEALLOCATE
    checks = decision.checks if isinstance(decision, Swap | Refuse) else ()
    warnings = seen.facts.warnings or (warnings_of(vm, seen.facts.wanted, mode) if vm is not None and checks else ())
    return vm_record(seen, book, made, current) | {
        "checks": _check_records(checks),
        "warnings": [{"code": str(one.code), "message": one.message} for one in warnings],
        "steps": [str(step) for step in steps],
        "down_s": plan.expected_down_s(steps, mode),
        "new_disk": decision.disk.id if isinstance(decision, Swap) else None,
    }


def _check_records(checks: Collection[Check]) -> list[Json]:
    """Every promise with its result, in order; those that the facts at hand are not enough for are not checked."""
    judged = {one.promise: one for one in checks}
    return [check_record(promise, judged.get(promise)) for promise in PROMISES]


def check_record(promise: Promise, judged: Check | None) -> Json:
    """A check as people see it: `result` is `passed`, `failed` or `not-checked`, the rest says how it is known."""
    result = "not-checked" if judged is None else "passed" if judged.ok else "failed"
    return {
        "name": promise.name,
        "result": result,
        "ok": judged.ok if judged is not None else None,
        "reason": str(promise.reason),
        "message": judged.message if judged is not None else "",
        "evidence": str(promise.evidence),
        "source": promise.source or None,
        "azure_code": promise.azure_code,
    }
