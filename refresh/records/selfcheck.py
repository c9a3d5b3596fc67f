"""What crosses Durable for the self-check: names, times, and the record of one check.

Decides how these are spelled, as `messages` does for everything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from refresh.records.record import Record

# Orchestrations.
SELFCHECK = "selfcheck"
ANSWER_SELFCHECK = "answer_selfcheck"

# Activities.
BEGIN_SELFCHECK = "begin_selfcheck"
CHECK_INSTANCES = "check_instances"
CHECK_SUBSCRIPTION = "check_subscription"
KEEP_TIME = "keep_time"

ANSWER_EVENT = "selfcheck-answer"
"""What the orchestration that the dispatcher starts sends back."""

NOBODY = "selfcheck"
"""Who claims in a self-check: no VM's id, so that no claim can ever be its."""

COLLECT_S = 45
"""Seconds after its begin at which a self-check waits for no further answer."""
ANSWER_S = 20
"""Seconds that every check has to answer: later none is begun."""
REMEMBER_S = 10
"""Seconds that the dispatcher has to take the result: all ends before `domain.selfcheck.STUCK_AFTER_S`."""
_ARM = "arm "

WAITING_FOR = "waiting_for"
"""In the custom status of a self-check: the names of the checks under way."""


@dataclass(frozen=True)
class CheckRow(Record):
    """One check: whether it passed, one sentence, what to do when it did not, and how long it took in seconds.

    `skipped`: time did not allow it, so `ok` says nothing about what it would have found.
    """

    name: str
    ok: bool
    message: str
    cure: str | None = None
    took_s: float | None = None
    skipped: bool | None = None


def arm_check(subscription: str) -> str:
    """The name of the check that lists the VMs of a subscription."""
    return f"{_ARM}{subscription}"


def first_not_reached(result: Mapping[str, Any] | None) -> str | None:
    """The first subscription that the self-check with this result did not reach; None when there is none."""
    rows = result.get("checks", ()) if result else ()
    return next((str(row["name"]).removeprefix(_ARM) for row in rows if row.get("skipped")), None)


def answer_id(run: str) -> str:
    """The instance id of the orchestration that answers the self-check `run`."""
    return f"answer-{run}"


def verdict(here: Mapping[str, Any], rows: Iterable[CheckRow], run: str, began: str) -> dict[str, Any]:
    """What is remembered of a self-check: of which package and bundle, when it began (ISO), and whether it passed."""
    checks = [row.to_json() for row in rows]
    return {
        "package": str(here.get("package") or ""),
        "bundle": str(here.get("bundle") or ""),
        "ok": all(row["ok"] for row in checks),
        "run": run,
        "began": began,
        "checks": checks,
    }
