"""What the world is told: outcomes as CloudEvents, made from the records that people see.

Decides types, ids, subjects and what stands in an event. Refuses to know where events go and whether they arrive: that
is `publish_event`. Whoever has more to tell adds a type, a function that makes its event, and one `publish` in the
orchestration where it happens. An event's id follows from its run, so that one published twice is recognised; its data
names no secret, because the records it is made from name none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from refresh.records.month import CREATE, SKIP
from refresh.records.record import Record
from refresh.records.swap import Intent, Outcome

SOURCE = "/azure-vm-refresh"

# An event may have 1 MB and is billed by 64 KB; the run itself lists every VM.
MAX_VMS_NAMED = 100


class EventType(StrEnum):
    """Every type of event that is published; subscribers filter by it, so a value never changes its meaning."""

    SWAP_STARTING = "refresh.swap.starting"
    SWAP_SUCCEEDED = "refresh.swap.succeeded"
    SWAP_NOT_PROVEN = "refresh.swap.not-proven"
    SWAP_ROLLED_BACK = "refresh.swap.rolled-back"
    SWAP_REFUSED = "refresh.swap.refused"
    SWAP_NEEDS_ATTENTION = "refresh.swap.needs-attention"
    IMAGE_PUBLISHED = "refresh.image.published"
    IMAGE_FAILED = "refresh.image.failed"
    MONTH_COMPLETED = "refresh.month.completed"
    MONTH_HALTED = "refresh.month.halted"


@dataclass(frozen=True)
class Event(Record):
    """One event of `run` about `subject`: the id of a VM or of an image definition, or a month.

    `at` (ISO) is when it happened; `turn` tells several events of one type and run apart.
    """

    type: str
    run: str
    subject: str
    at: str
    data: dict[str, Any] = field(default_factory=dict)
    turn: str | None = None

    @property
    def id(self) -> str:
        """The same for the same event, however often it is published."""
        return "/".join(part for part in (self.run, self.type, self.turn) if part)

    def to_cloud_event(self) -> dict[str, Any]:
        """The event as a CloudEvent 1.0: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md."""
        return {
            "specversion": "1.0",
            "id": self.id,
            "source": SOURCE,
            "type": self.type,
            "subject": self.subject,
            "time": self.at,
            "datacontenttype": "application/json",
            "data": self.data,
        }


def starting_event(vm: str, run: str, intent: Intent, message: str, at: str, hold_until: str) -> Event:
    """A swap is about to begin: nothing is written and nothing stopped before `hold_until`."""
    data = {
        "vm": vm,
        "run": run,
        "message": message,
        "old_disk": intent.old_disk,
        "new_disk": intent.new_disk,
        "stop_mode": intent.stop_mode,
        "was_running": intent.was_running,
        "hold_until": hold_until,
        "warnings": [one.to_json() for one in intent.warnings],
    }
    return Event(EventType.SWAP_STARTING, run, vm, at, data)


def outcome_event(outcome: Outcome) -> Event | None:
    """How a swap ended, with the outcome as its data; None for one that had nothing to do.

    One that was skipped after it had been announced, which its new disk tells, counts as refused: whoever made ready
    for it must know that it is over.
    """
    called_off = outcome.status == "skipped" and outcome.new_disk is not None
    kind = EventType.SWAP_REFUSED if called_off else f"refresh.swap.{outcome.status}"
    if kind not in EventType:
        return None
    return Event(kind, outcome.run, outcome.vm, outcome.ended or "", outcome.to_json())


def attention_event(vm: str, run: str, step: str, reason: str, message: str, at: str) -> Event:
    """`step` of a swap under way goes on, but a person should know; how the swap ends is told by another event."""
    data = {"vm": vm, "run": run, "status": "needs-attention", "step": step, "reason": str(reason), "message": message}
    return Event(EventType.SWAP_NEEDS_ATTENTION, run, vm, at, data, turn=f"{step}/{reason}")


def image_event(run: str, row: Mapping[str, Any], at: str, *, admitted: bool) -> Event | None:
    """How a build ended, with the row people see as its data; None where its version had been told already.

    `admitted`: this build was to take the version out of its exclusion from latest, which makes a version that was
    there before news.
    """
    decision = row["decision"]
    if decision == SKIP and not admitted:
        return None
    kind = EventType.IMAGE_PUBLISHED if decision in (CREATE, SKIP) else EventType.IMAGE_FAILED
    return Event(kind, run, str(row["definition"]), at, {"run": run, **row})


def month_event(run: str, result: Mapping[str, Any], at: str) -> Event:
    """How a month ended: counts, and the VMs that did not make it.

    It was halted when its result has a message: a step of it could not be carried out. A VM's word is what became of
    its swap, or of its disk where it was not swapped.
    """
    period = str(result.get("period", ""))
    vms, images = result.get("vms", ()), result.get("images", ())
    data: dict[str, Any] = {
        "run": run,
        "period": period,
        "status": result.get("status"),
        "images": dict(Counter(str(row["decision"]) for row in images)),
        "vms": dict(Counter(map(_word, vms))),
        **_unwell(vms),
    }
    if result.get("message"):
        data["message"] = result["message"]
    kind = EventType.MONTH_HALTED if result.get("message") else EventType.MONTH_COMPLETED
    return Event(kind, run, f"months/{period}", at, data)


def _word(row: Mapping[str, Any]) -> str:
    return str(row.get("status") or row["decision"])


def _unwell(vms: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The VMs that did not make it, worst first."""
    worst = ("needs-attention", "failed", "rolled-back", "refused", "refuse", "not-proven")
    unwell = sorted((row for row in vms if _word(row) in worst), key=lambda row: worst.index(_word(row)))
    rows = [
        {"vm": row["vm"], "status": _word(row), "reason": row["reason"], "message": row["message"]}
        for row in unwell[:MAX_VMS_NAMED]
    ]
    left = len(unwell) - len(rows)
    return {"not_made": rows, **({"not_named": left} if left else {})}
