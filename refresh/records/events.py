"""Outcomes as CloudEvents, made from the records that people see.

Decides types, ids, subjects and data of events. Leaves delivery to `publish_event`. A new event needs a type, a
function that makes it, and one `publish` in the orchestration where it happens. An event's id follows from its run, so
that a subscriber recognises an event that is published twice. Its data has no secret, because the records have none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from refresh.domain.terms.resource_id import id_hash
from refresh.records.month import CREATE, FAILED, REFUSE, SKIP
from refresh.records.record import JSON_KEY, Record
from refresh.records.swap import Intent, Outcome, OutcomeStatus

SOURCE = "/azure-vm-refresh"

# An event may have 1 MB and is billed by 64 KB; the run's own record lists every VM.
MAX_VMS_NAMED = 100


class EventType(StrEnum):
    """Every type of event that is published. Subscribers filter by it, so a value never changes its meaning."""

    SWAP_STARTING = "refresh.swap.starting"
    SWAP_SUCCEEDED = "refresh.swap.succeeded"
    SWAP_NOT_PROVEN = "refresh.swap.not-proven"
    SWAP_ROLLED_BACK = "refresh.swap.rolled-back"
    SWAP_REFUSED = "refresh.swap.refused"
    SWAP_NEEDS_ATTENTION = "refresh.swap.needs-attention"
    IMAGE_PUBLISHED = "refresh.image.published"
    IMAGE_FAILED = "refresh.image.failed"
    IMAGE_QUARANTINED = "refresh.image.quarantined"
    MONTH_COMPLETED = "refresh.month.completed"
    MONTH_HALTED = "refresh.month.halted"


@dataclass(frozen=True)
class Event(Record):
    """One event of `run` about `subject`: the id of a VM or of an image definition, or a month.

    `at` (ISO) is when it happened. `discriminator` distinguishes events of the same type and run; its JSON key is
    `turn`, because orchestrations under way have sent events with that key.
    """

    type: str
    run: str
    subject: str
    at: str
    data: dict[str, Any] = field(default_factory=dict)
    discriminator: str | None = field(default=None, metadata={JSON_KEY: "turn"})

    @property
    def id(self) -> str:
        """The same id whenever the same event is published again."""
        return "/".join(part for part in (self.run, self.type, self.discriminator) if part)

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
    """A swap is about to begin: nothing is written or stopped before `hold_until`."""
    data = {
        "vm": vm,
        "run": run,
        "message": message,
        "old_disk": intent.old_disk,
        "new_disk": intent.new_disk,
        "stop_mode": intent.stop_mode,
        **({"stop_why": intent.stop_why} if intent.stop_why else {}),
        "was_running": intent.was_running,
        "hold_until": hold_until,
        "warnings": [one.to_json() for one in intent.warnings],
    }
    return Event(EventType.SWAP_STARTING, run, vm, at, data)


def outcome_event(outcome: Outcome) -> Event | None:
    """How a swap ended, with the outcome as its data; None for a swap that had nothing to do.

    A skipped swap that has a new disk was announced by a `starting` event. It counts as refused, so that subscribers
    learn that the announced swap is over.
    """
    called_off = outcome.status is OutcomeStatus.SKIPPED and outcome.new_disk is not None
    kind = EventType.SWAP_REFUSED if called_off else f"refresh.swap.{outcome.status}"
    if kind not in EventType:
        return None
    return Event(kind, outcome.run, outcome.vm, outcome.ended or "", outcome.to_json())


def refusal_event(outcome: Outcome, look: str, at: str) -> Event:
    """The decision of a look not to swap a VM, which no swap publishes; `at` is the time of the decision."""
    data = {**outcome.to_json(), "ended": at}
    return Event(EventType.SWAP_REFUSED, look, outcome.vm, at, data, discriminator=id_hash(outcome.vm))


def attention_event(vm: str, run: str, step: str, reason: str, message: str, at: str) -> Event:
    """A person should look at `step` of a swap under way; the swap goes on, and its end is another event."""
    status = str(OutcomeStatus.NEEDS_ATTENTION)
    data = {"vm": vm, "run": run, "status": status, "step": step, "reason": str(reason), "message": message}
    return Event(EventType.SWAP_NEEDS_ATTENTION, run, vm, at, data, discriminator=f"{step}/{reason}")


def image_event(run: str, row: Mapping[str, Any], at: str, *, admitted: bool) -> Event | None:
    """How a build ended, with the image row as its data; None where its version existed and was published before.

    `admitted`: this build ended the exclusion from latest of a version that existed before, which is worth an event.
    """
    decision = row["decision"]
    if decision == SKIP and not admitted:
        return None
    kind = EventType.IMAGE_PUBLISHED if decision in (CREATE, SKIP) else EventType.IMAGE_FAILED
    return Event(kind, run, str(row["definition"]), at, {"run": run, **row})


def quarantined_event(run: str, version: str, vms: Sequence[str], message: str, at: str) -> Event:
    """An image version was quarantined by the rollback of swap `run`: no VM gets it any more."""
    data = {"run": run, "version": version, "message": message, "rolled_back": list(vms)[:MAX_VMS_NAMED]}
    return Event(EventType.IMAGE_QUARANTINED, run, version, at, data)


def month_event(run: str, result: Mapping[str, Any], at: str) -> Event:
    """How a month ended: counts by result, and the VMs that failed or were refused.

    A result with a message makes it halted: one of its steps could not be carried out.
    """
    period = str(result.get("period", ""))
    vms, images = result.get("vms", ()), result.get("images", ())
    data: dict[str, Any] = {
        "run": run,
        "period": period,
        "status": result.get("status"),
        "images": dict(Counter(str(row["decision"]) for row in images)),
        "vms": dict(Counter(map(_status, vms))),
        **_not_made(vms),
    }
    if result.get("message"):
        data["message"] = result["message"]
    kind = EventType.MONTH_HALTED if result.get("message") else EventType.MONTH_COMPLETED
    return Event(kind, run, f"months/{period}", at, data)


def _status(row: Mapping[str, Any]) -> str:
    """The status of a VM's swap, or the decision about its disk where it was not swapped."""
    return str(row.get("status") or row["decision"])


def _not_made(vms: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The VMs that do not run a proved new disk, worst first."""
    worst = (
        OutcomeStatus.NEEDS_ATTENTION,
        FAILED,
        OutcomeStatus.ROLLED_BACK,
        OutcomeStatus.REFUSED,
        REFUSE,
        OutcomeStatus.NOT_PROVEN,
    )
    found = sorted((row for row in vms if _status(row) in worst), key=lambda row: worst.index(_status(row)))
    rows = [
        {"vm": row["vm"], "status": _status(row), "reason": row["reason"], "message": row["message"]}
        for row in found[:MAX_VMS_NAMED]
    ]
    left = len(found) - len(rows)
    return {"not_made": rows, **({"not_named": left} if left else {})}
