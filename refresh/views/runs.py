"""Run records: what a run was started with, its status, and the result of every VM.

Decides the run record and what Durable's own states are called. Does not know how instances are queried. An exception's
text is never shown: the cause is in the app's log under the run's id.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from refresh.domain.terms import times
from refresh.domain.terms.decision_kind import DecisionKind
from refresh.domain.terms.swap_reason import Reason, Wait
from refresh.domain.vm.wish import disk_text
from refresh.records.swap import OutcomeStatus
from refresh.views.dispatcher_state import DispatcherView
from refresh.views.removals import removal_rows
from refresh.views.vms import RECORD

type Json = dict[str, Any]

# A run's id begins with its kind.
KINDS = (
    "month",
    "images",
    "disks",
    "tags",
    "swaps",
    "adopt",
    "swap",
    "retention",
    "selfcheck",
    "build",
    "recipe",
    "machine",
    "proof",
    "look",
)
# Steps of other runs: listed only when the query names their kind.
INNER_KINDS = ("build", "recipe", "machine", "proof", "look")
RUNNING, FAILED, CANCELLED = "running", "failed", "cancelled"
"""The statuses of a run that are no outcome of a swap."""
STATUSES = (
    RUNNING,
    OutcomeStatus.SUCCEEDED,
    OutcomeStatus.ROLLED_BACK,
    OutcomeStatus.NEEDS_ATTENTION,
    OutcomeStatus.REFUSED,
    FAILED,
    OutcomeStatus.NOT_PROVEN,
    CANCELLED,
)
ROW = (*RECORD, "old_disk", "new_disk", "down_s")
_WORST_FIRST = (
    OutcomeStatus.NEEDS_ATTENTION,
    FAILED,
    OutcomeStatus.ROLLED_BACK,
    OutcomeStatus.REFUSED,
    OutcomeStatus.NOT_PROVEN,
    OutcomeStatus.SUCCEEDED,
    OutcomeStatus.SKIPPED,
    RUNNING,
)
# The decision of a row that has none, by its status.
_DECISIONS: Mapping[str, DecisionKind] = {
    OutcomeStatus.SKIPPED: DecisionKind.SKIP,
    OutcomeStatus.REFUSED: DecisionKind.REFUSE,
}
# Which disk a VM has after its swap.
_DISK_AFTER: Mapping[str, str] = {
    OutcomeStatus.SUCCEEDED: "new_disk",
    OutcomeStatus.NOT_PROVEN: "new_disk",
    OutcomeStatus.ROLLED_BACK: "old_disk",
}

_RUN_ID = re.compile(rf"^({'|'.join(KINDS)})-[A-Za-z0-9._-]{{1,90}}\Z", re.ASCII)
_INPUT = ("period", "disk", "force", "rollout", "force_rebuild", "vm", "n", "definition", "delete", "of_run")
_RETENTION = ("deleted", "deletable", "size_gb", "monthly_usd", "in_use")


@dataclass(frozen=True)
class Instance:
    """An instance of Durable: `state` is `running`, `completed`, `failed` or `terminated`; times are ISO.

    `progress` is its custom status.
    """

    id: str
    state: str
    started: str
    ended: str | None
    input: Json
    output: Json
    progress: Json = field(default_factory=dict)


def kind_of_run(run_id: str) -> str | None:
    """The kind of run an id names; None when it cannot be the id of a run."""
    found = _RUN_ID.match(run_id)
    return found.group(1) if found else None


def has_outcome(instance: Instance) -> bool:
    """Whether the output of a swap's instance is the whole outcome of its swap.

    It is not where the instance is that of a late second start, and where only the dispatcher's state shows it.
    """
    output = instance.output
    return instance.state == "completed" and "evidence" in output and output.get("reason") != Reason.NOT_CLAIMED


def shows_builds(instance: Instance) -> bool:
    """Whether the run record shows the progress of builds of image versions."""
    return instance.state == "running" and kind_of_run(instance.id) in ("month", "images", "build", "recipe")


def run_record(instance: Instance, dispatcher: DispatcherView, builds: Iterable[Instance] = ()) -> Json:
    """The run record of an instance; a running one lists the state of its VMs and of the `builds` so far."""
    running = instance.state == "running"
    rows = _rows(instance.output) or _rows(instance.input)
    record: Json = {
        "id": instance.id,
        "kind": kind_of_run(instance.id),
        "status": _status(instance),
        "started": instance.started,
        "ended": instance.ended,
        "input": _input(instance.input),
    }
    message = _message(instance)
    if message:
        record["message"] = message
    images = _images(instance.output)
    if images is None and shows_builds(instance):
        images = [_build_row(build) for build in builds if _is_part(build, instance)]
    if images is not None:
        record["images"] = images
    if record["kind"] == "retention":
        record |= {name: instance.output.get(name) for name in _RETENTION}
        record["resources"] = removal_rows(instance.output.get("resources") or instance.input.get("told") or ())
    if record["kind"] == "selfcheck":
        record |= {name: instance.output.get(name) for name in ("package", "bundle", "checks")}
    record["vms"] = [vm_row(row) for row in rows]
    if running and record["kind"] in ("swaps", "adopt", "swap"):
        record["vms"] += _not_done(instance, rows, dispatcher)
    return {**record, "counts": count_statuses(record["vms"])}


def count_statuses(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """How many VMs have each status, worst first; `not-proven` does not count as `succeeded`."""
    found = Counter(str(row["status"]) for row in rows if row.get("status"))
    return {str(status): found[status] for status in _WORST_FIRST if found[status]}


def outcome_record(run_id: str, outcome: Mapping[str, Any]) -> Json:
    """The run record of one VM's swap from its outcome."""
    return {
        "id": run_id,
        "kind": "swap",
        "status": _run_status(outcome.get("status")),
        "started": outcome.get("started"),
        "ended": outcome.get("ended"),
        "input": {"vms": [outcome.get("vm")]},
        "vms": [vm_row(outcome)],
        "counts": count_statuses([outcome]),
        "evidence": list(outcome.get("evidence", ())),
        "by_hand": list(outcome.get("by_hand", ())),
        "warnings": list(outcome.get("warnings", ())),
    }


def vm_row(row: Mapping[str, Any]) -> Json:
    """A run's row about a VM with every field it may have; `status` only where the VM has a result of its own."""
    decision = str(row.get("decision") or _DECISIONS.get(str(row.get("status")), DecisionKind.SWAP))
    full = {**dict.fromkeys(ROW), **{key: row[key] for key in ROW if key in row}, "decision": decision}
    # What was verified at the end replaces what an earlier step of the run saw.
    ran = _DISK_AFTER.get(str(row.get("status")))
    if ran is not None and row.get(ran):
        full["current"] = disk_text(str(row["vm"]), str(row[ran]))
    return {**full, "status": row["status"]} if "status" in row else full


def _rows(data: Mapping[str, Any]) -> list[Json]:
    """The rows of VMs in a result, or in the input with which bulk work was continued."""
    for name in ("vms", "rows", "done"):
        found = data.get(name)
        if isinstance(found, list) and found and all(isinstance(row, dict) for row in found):
            return found
    return [dict(data)] if "vm" in data and "status" in data else []


def _images(output: Mapping[str, Any]) -> list[Json] | None:
    """The rows of image definitions in a result; the result of one build is such a row itself."""
    found = [dict(output)] if "definition" in output else output.get("images")
    return found if isinstance(found, list) else None


def _is_part(build: Instance, run: Instance) -> bool:
    """Whether a run waits for this build: one of its month, or of its definition."""
    if run.id == build.id:
        return True
    definition, period = run.input.get("definition"), run.input.get("period") or run.id.split("-")[1]
    return build.input.get("definition" if definition else "period") == (definition or period)


def _build_row(build: Instance) -> Json:
    """The row of an image version that is being built, with its progress in each region."""
    regions = build.progress.get("regions") or {}
    step = str(build.progress.get("step") or "being planned")
    where = ", ".join(f"{name} {state}" for name, state in regions.items())
    return {
        "definition": build.input.get("definition"),
        "decision": "create",
        "reason": "under-way",
        "message": f"{step}: {where}" if where else step,
        "version": build.progress.get("version"),
        "regions": regions,
        "run": build.id,
    }


def _vms_of(data: Mapping[str, Any]) -> list[str]:
    """The VMs of a run's input, those that are done first."""
    done = [str(row["vm"]) for row in _rows(data)]
    rest = data.get("vms")
    single = [str(data["vm"])] if isinstance(data.get("vm"), str) else []
    return [*done, *single, *(vm for vm in rest or () if isinstance(vm, str))]


def _input(data: Mapping[str, Any]) -> Json:
    # Continued bulk work has its rows in its input; the record shows what the run was started with.
    shown = {key: data[key] for key in _INPUT if data.get(key) not in (None, False)}
    vms = _vms_of(data)
    return {**shown, "vms": vms} if vms else shown


def _status(instance: Instance) -> str:
    if instance.state == "running":
        return RUNNING
    if instance.state != "completed":
        return FAILED
    output = instance.output
    # A build's result is a row with a decision, that of its stages has a state.
    decision = str(output.get("decision") or output.get("state"))
    by_decision = {FAILED: FAILED, DecisionKind.REFUSE: OutcomeStatus.REFUSED}.get(decision, OutcomeStatus.SUCCEEDED)
    return _run_status(output.get("status", by_decision))


def _run_status(status: object) -> str:
    """The status of a run with this result: the run of one VM that was skipped counts as refused."""
    if status == OutcomeStatus.SKIPPED:
        return str(OutcomeStatus.REFUSED)
    return str(status) if status in STATUSES else FAILED


def _message(instance: Instance) -> str:
    if instance.state == "failed":
        return f"the run broke off before it could report; the app's log has the cause under {instance.id}"
    if instance.state == "terminated":
        return "the run was terminated by a person; what it had begun may be incomplete"
    return str(instance.output.get("message") or "") if "vm" not in instance.output else ""


def _not_done(instance: Instance, rows: Iterable[Mapping[str, Any]], dispatcher: DispatcherView) -> list[Json]:
    done = {str(row["vm"]).lower() for row in rows}
    return [_row_so_far(vm, instance.started, dispatcher) for vm in _vms_of(instance.input) if vm.lower() not in done]


def _row_so_far(vm: str, since: str, dispatcher: DispatcherView) -> Json:
    """The row of one VM of a running run, from the dispatcher's state."""
    row: Json = {"vm": vm, "decision": DecisionKind.SWAP, "status": "running", "run": dispatcher.run_of(vm)}
    swap = dispatcher.running(vm)
    if swap is not None:
        message = f"under way: {swap.step or 'about to begin'}"
        return vm_row({**row, "reason": str(Wait.SWAPPING), "message": message})
    if vm.lower() in dispatcher.state.queue:
        wait, why = dispatcher.waits.get(vm.lower()), dispatcher.why_waiting(vm)
        return vm_row({**row, "reason": str(wait) if wait else None, "message": why, "run": None})
    outcome = dispatcher.outcome(vm)
    if outcome is not None and times.not_before(outcome.ended, since):
        return vm_row(outcome.json)
    return vm_row({**row, "message": "about to be looked at", "run": None})
