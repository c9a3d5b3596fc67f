"""The steps of a swap, the failures at them, and the fault rules that cause each failure.

Decides the simulator's rules for one failure at one step. Leaves the moment to `fault_runs.py`, the expected end to
`fault_table.py`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from tests.support.worlds.builders import GROUP


class Step(StrEnum):
    """The step of a swap that fails; `back-*` is on the way back from a disk that never boots."""

    CHECK = "check"
    INTENT = "intent"
    DEALLOCATE = "deallocate"
    POWER_OFF = "power-off"
    NEW_DISK = "new-disk"
    START = "start"
    HEALTH = "health"
    REJECTION = "rejection"
    BACK_STOP = "back-stop"
    BACK_DISK = "back-disk"
    BACK_START = "back-start"
    BACK_HEALTH = "back-health"


class Failure(StrEnum):
    """The kind of failure."""

    RIGHTS = "authorization-failed"
    LINKED_RIGHTS = "linked-authorization-failed"
    POLICY = "disallowed-by-policy"
    LOCKED = "scope-locked"
    CONFLICT = "conflict"
    BAD_REQUEST = "bad-request"
    OPERATION_FAILS = "operation-fails"
    HANGS = "operation-hangs"
    SLOW = "operation-takes-614-s"
    NO_ANSWER = "no-answer"
    THROTTLED = "throttled"
    RESET_BEFORE = "reset-before"
    RESET_AFTER = "reset-after"
    NOTHING = "success-that-did-nothing"
    CRASH_BEFORE = "crash-before"
    CRASH_DURING = "crash-during"
    CRASH_AFTER = "crash-after"
    VM_DELETED = "vm-deleted"


READS = frozenset({Step.CHECK, Step.HEALTH, Step.BACK_HEALTH})
TAG_WRITES = frozenset({Step.INTENT, Step.REJECTION})
# How often a failure happens that passes by itself; the others last until their rules are removed.
_TIMES = {
    Failure.CONFLICT: 5,
    Failure.NO_ANSWER: 1,
    Failure.THROTTLED: 6,
    Failure.RESET_BEFORE: 3,
    Failure.RESET_AFTER: 1,
    Failure.SLOW: 1,
    Failure.HANGS: 1,
}
OPERATION = {
    Step.INTENT: "tags",
    Step.REJECTION: "tags",
    Step.DEALLOCATE: "deallocate",
    Step.BACK_STOP: "deallocate",
    Step.POWER_OFF: "powerOff",
    Step.NEW_DISK: "update",
    Step.BACK_DISK: "update",
    Step.START: "start",
    Step.BACK_START: "start",
}
OTHER = f"{GROUP}/providers/Microsoft.Compute/disks/other"
POLICY = f"{GROUP}/providers/Microsoft.Authorization/policyAssignments/no-restarts"


def vm_id(step: Step) -> str:
    return f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm-{step}"


def answer_of(failure: Failure, vm: str, action: str) -> dict[str, Any]:
    """Azure's answer for a refused request; the texts are quoted from real answers where one is known."""
    who = "The client 'app' with object id 'app'"
    match failure:
        case Failure.RIGHTS:
            text = f"{who} does not have authorization to perform action '{action}' over scope '{vm}' or the scope is "
            return _error(403, "AuthorizationFailed", f"{text}invalid. If access was recently granted, please refresh.")
        case Failure.LINKED_RIGHTS:
            text = f"{who} has permission to perform action '{action}' on scope '{vm}'; however, it does not have "
            text += f"permission to perform action(s) 'Microsoft.Compute/disks/write' on the linked scope(s) '{OTHER}' "
            text += "(respectively) or the linked scope(s) are invalid."
            return _error(403, "LinkedAuthorizationFailed", text)
        case Failure.POLICY:
            text = "Resource 'vm' was disallowed by policy. See error details for policy resource IDs."
            info = {"policyAssignmentName": "no-restarts", "policyAssignmentId": POLICY}
            answer = _error(403, "RequestDisallowedByPolicy", text)
            answer["body"]["error"]["additionalInfo"] = [{"type": "PolicyViolation", "info": info}]
            return answer
        case Failure.LOCKED:
            text = f"The scope '{vm}' cannot perform write operation because following scope(s) are locked: '{GROUP}'. "
            return _error(409, "ScopeLocked", f"{text}Please remove the lock and try again.")
        case Failure.CONFLICT:
            return _error(409, "Conflict", "The request failed due to conflict with a concurrent request.")
        case Failure.BAD_REQUEST:
            return _error(400, "InvalidParameter", "planned")
    return {**_error(429, "SubscriptionRequestsThrottled", "planned"), "headers": {"Retry-After": "7"}}


def _error(status: int, code: str, message: str) -> dict[str, Any]:
    return {"status": status, "body": {"error": {"code": code, "message": message}}}


def rules(step: Step, failure: Failure) -> list[dict[str, Any]]:
    """The fault rules that cause `failure` at `step`, from the start of that step on."""
    times = {"times": _TIMES[failure]} if failure in _TIMES else {}
    match = {"match": _request_of(step), **times}
    operation = {"match": {"operation": OPERATION.get(step), "resource": vm_id(step)}, **times}
    error = {"code": "InternalExecutionError", "message": "planned"}
    match failure:
        case Failure.OPERATION_FAILS:
            return [{**operation, "fail": error}]
        case Failure.HANGS:
            return [{**operation, "hang": True}]
        case Failure.SLOW:
            return [{**operation, "duration_s": 614}]
        case Failure.NO_ANSWER:
            return [{**match, "delay_s": 7200}]
        case Failure.RESET_BEFORE:
            return [{**match, "reset": "before"}]
        case Failure.RESET_AFTER:
            return [{**match, "reset": "after"}]
        case Failure.NOTHING:
            return [{**(match if step in TAG_WRITES else operation), "nothing": True}]
        case Failure.CRASH_DURING:
            return [{"match": _request_of(step), "times": 1, "delay_s": 5}]
        case Failure.CRASH_BEFORE | Failure.CRASH_AFTER | Failure.VM_DELETED:
            return []
    return [{**match, "respond": answer_of(failure, vm_id(step), f"Microsoft.Compute/{step}")}]


def _request_of(step: Step) -> dict[str, str]:
    path = f"/vm-{step}"
    if step in READS:
        return {"method": "GET", "path": f"{path}$"}
    if step in TAG_WRITES:
        return {"method": "PATCH", "path": f"{path}/providers/Microsoft.Resources/tags/default$"}
    if OPERATION[step] == "update":
        return {"method": "PATCH", "path": f"{path}$"}
    return {"method": "POST", "path": f"{path}/{OPERATION[step]}$"}
