"""Failures around a fleet: faults of Azure, disordered events, and a worker that crashes.

Decides which failures can be drawn. Does not know the fleet's state or what must hold afterwards.
"""

from __future__ import annotations

from typing import Any, override

from hypothesis import strategies as st

from simulator.durable.worker import Interruptions, WorkerDied
from simulator.eventgrid import Chaos
from tests.support.chaos.fleet import NAMES

# Kinds of random faults. `refused` is a 409 of Azure, so with it a conflict of the app's own writes is not detectable.
KINDS = (
    "refused",
    "throttled",
    "error500",
    "error503",
    "reset",
    "nothing",
    "slowRead",
    "failed",
    "slow",
    "hang",
)
_STEPS = ("start", "deallocate", "powerOff", "update")
_PATHS = (
    "/(deallocate|powerOff)$",
    "/start$",
    "/virtualMachines/web0.$",
    "/tags/default$",
    "/disks/",
    "/permissions$",
    "/instanceView$",
    ".",
)
_FAILURES = (
    ("InternalExecutionError", "An internal execution error occurred."),
    ("VMStartTimedOut", "VM did not start in the allotted time."),
    ("AllocationFailed", "Allocation failed. We do not have sufficient capacity for the requested VM size."),
    ("ZonalAllocationFailed", "Allocation failed. We do not have sufficient capacity in this zone."),
)
_REFUSALS = (
    (403, "AuthorizationFailed"),
    (403, "RequestDisallowedByPolicy"),
    (409, "ScopeLocked"),
    (429, "SubscriptionRequestsThrottled"),
    (429, "OperationNotAllowed"),
    (500, "InternalServerError"),
    (503, "ServerTimeout"),
)


class WorkerCrashes(Interruptions):
    """Crashes the worker at planned moments: before or after its next work, with that work's messages sent or not.

    `sent_twice` is True once a turn's messages were sent and then sent again.
    """

    def __init__(self) -> None:
        self._planned: set[int] = set()
        self._done = 0
        self.sent_twice = False

    def plan(self, moments: int) -> None:
        """Crash the worker at that many moments from now."""
        self._planned.add(self._done + moments)

    def end(self) -> None:
        """Plan no more crashes."""
        self._planned.clear()

    def _moment(self, *, sent: bool = False, after_s: float | None = None) -> None:
        self._done += 1
        if self._done in self._planned:
            self.sent_twice |= sent and after_s is None
            raise WorkerDied(sent=sent, after_s=after_s)

    @override
    def before_activity(self, name: str, instance_id: str, task_id: int, attempt: int) -> None:
        self._moment()

    @override
    def after_activity(self, name: str, instance_id: str, task_id: int, attempt: int) -> None:
        self._moment()

    @override
    def after_orchestrator_turn(self, name: str, instance_id: str, attempt: int) -> None:
        self._moment(sent=self._done % 2 == 0)

    @override
    def after_entity_batch(self, entity_id: str, operations: list[str], attempt: int) -> None:
        self._moment(sent=True, after_s=1 + self._done % 30)


def disorders() -> st.SearchStrategy[Chaos]:
    """How late, how often and in which order events arrive."""
    return st.builds(
        Chaos,
        st.sampled_from((0, 0, 30, 600)),
        st.sampled_from((0, 0.5, 1)),
        st.sampled_from((0, 0.5)),
        st.integers(0, 9),
    )


def faults() -> st.SearchStrategy[dict[str, Any]]:
    """One fault rule: an operation or a request that fails, is slow, hangs or does nothing."""
    resource = st.sampled_from(("*", *(f"*/{name}" for name in NAMES)))
    operation = st.fixed_dictionaries({"operation": st.sampled_from(_STEPS), "resource": resource})
    fail = st.sampled_from(_FAILURES).map(lambda drawn: {"code": drawn[0], "message": drawn[1]})
    times = st.integers(1, 4)
    match = st.fixed_dictionaries({"path": st.sampled_from(_PATHS)})
    writes = st.fixed_dictionaries({"path": st.sampled_from(_PATHS[:4]), "method": st.sampled_from(("POST", "PATCH"))})
    many = st.integers(1, 12)
    return st.one_of(
        st.fixed_dictionaries({"match": operation, "times": times, "fail": fail}),
        st.fixed_dictionaries({"match": operation, "times": times, "duration_s": st.sampled_from((0.1, 120.0, 700.0))}),
        st.fixed_dictionaries({"match": operation, "times": times, "hang": st.just(True)}),
        st.fixed_dictionaries({"match": operation, "times": times, "nothing": st.just(True)}),
        st.fixed_dictionaries({"match": match, "times": many, "respond": _answers()}),
        st.fixed_dictionaries({"match": match, "times": many, "reset": st.sampled_from(("before", "after"))}),
        st.fixed_dictionaries({"match": match, "times": times, "delay_s": st.sampled_from((5.0, 45.0, 300.0))}),
        st.fixed_dictionaries({"match": writes, "times": times, "nothing": st.just(True)}),
    )


def _answers() -> st.SearchStrategy[dict[str, Any]]:
    def answer(refusal: tuple[int, str], headers: dict[str, str]) -> dict[str, Any]:
        status, code = refusal
        body = {"error": {"code": code, "message": "planned"}}
        return {"status": status, "headers": headers if status in (429, 503) else {}, "body": body}

    return st.builds(
        answer, st.sampled_from(_REFUSALS), st.sampled_from(({}, {"Retry-After": "3"}, {"Retry-After": "40"}))
    )
