"""The records of the self-check that cross Durable: one check, its result, and the time limits.

Decides their fields and JSON names. Leaves what is checked to the orchestration `selfcheck`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from refresh.records.record import Record

ANSWER_EVENT = "selfcheck-answer"
"""The event that the orchestration started by the dispatcher sends back."""

NO_VM = "selfcheck"
"""The VM of the claim in a self-check: it is no VM's id, so the dispatcher never grants the claim."""

COLLECT_S = 45
"""Seconds after its begin at which a self-check stops waiting for answers."""
ANSWER_S = 20
"""Seconds that every check has to answer; no check begins when fewer are left."""
STORE_S = 10
"""Seconds that the dispatcher has to store the result. All limits end before `STUCK_AFTER_S` of the domain."""
_ARM = "arm "

WAITING_FOR = "waiting_for"
"""In the custom status of a self-check: the names of the checks under way."""


@dataclass(frozen=True)
class CheckRow(Record):
    """One check: whether it passed, one sentence, what to do when it did not, and how long it took in seconds.

    `skipped`: there was no time for the check, so its `ok` means nothing.
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
    """The result to store: package and bundle, when the check began (ISO), whether it passed, and its rows."""
    checks = [row.to_json() for row in rows]
    return {
        "package": str(here.get("package") or ""),
        "bundle": str(here.get("bundle") or ""),
        "ok": all(row["ok"] for row in checks),
        "run": run,
        "began": began,
        "checks": checks,
    }
