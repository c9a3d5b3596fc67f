"""The format of fault rules.

Decides the keys and values of a rule, and rejects an unknown one by name. Leaves which rule applies to `faults.py`,
and its effect to the server, the operations and the guests.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

from simulator.arm.core.history import LONGEST_S

OPERATIONS = frozenset(
    {"start", "deallocate", "powerOff", "restart", "redeploy", "update", "create", "delete", "tags", "groupDelete"}
    | {f"{what}{change}" for what in ("disk", "version") for change in ("Create", "Update", "Delete")}
    | {"imageCreate", "imageDelete", "galleryCreate", "galleryUpdate", "galleryDelete", "galleryShare"}
    | {f"{what}{change}" for what in ("snapshot", "extension") for change in ("Create", "Update", "Delete")}
)

# When the connection breaks: before ARM handles the request, or after ARM handled it and before it answers.
Reset = Literal["before", "after"]

# What the serial console shows when a guest does not boot.
Serial = Literal["panic", "emergency", "setup", "silent"]

# How a VM's custom data ends: without errors, with errors, without console output, or not at all.
Ending = Literal["ok", "failed", "silent", "never"]

About = Literal["request", "operation", "disk", "cloudInit"]

_OUTCOMES = {
    "respond",
    "fail",
    "after_s",
    "duration_s",
    "disk",
    "boots",
    "serial",
    "cloudInit",
    "ends",
    "takes_s",
    "reset",
    "nothing",
    "hang",
    "delay_s",
    "stale_s",
    "held_s",
    "reboots_after_s",
}
_REQUEST_OUTCOMES = {"respond", "reset", "delay_s", "stale_s"}
_OPERATION_OUTCOMES = {"fail", "duration_s", "hang", "held_s"}
_RULE_KEYS = {"match", "times"} | _OUTCOMES
_MATCH_KEYS = {"method", "path", "operation", "resource"}
_RESPOND_KEYS = {"status", "headers", "body"}
_FAIL_KEYS = {"code", "message", "target"}
_NUMBERS = ("after_s", "duration_s", "delay_s", "takes_s", "stale_s", "held_s", "reboots_after_s")
_READS = ("GET", "HEAD")
# The status and result URLs of operations: a replica that lags behind does not answer them.
_OF_OPERATIONS = re.compile(r"/locations/[^/]+/\w*operations/", re.IGNORECASE)


class RuleError(ValueError):
    """A rule has an unknown key or a bad value; the text names it."""


@dataclass
class Rule:
    """One rule, with the number of times it still applies (None: always).

    `about`: what the rule decides: one request, one operation, whether a disk boots, or how custom data ends.
    """

    id: str
    about: About
    method: str | None = None
    path: re.Pattern[str] | None = None
    operation: str | None = None
    resource: str | None = None
    times: int | None = None
    respond: dict[str, Any] | None = None
    fail: dict[str, str] | None = None
    after_s: float | None = None
    duration_s: float | None = None
    delay_s: float = 0.0
    disk: str | None = None
    boots: bool = True
    serial: Serial = "silent"
    cloud_init: str | None = None
    ends: Ending = "ok"
    takes_s: float | None = None
    reset: Reset | None = None
    nothing: bool = False
    hang: bool = False
    stale_s: float = 0.0
    held_s: float = 0.0
    reboots_after_s: float | None = None

    def matches_request(self, method: str, path: str) -> bool:
        """Whether the rule applies to a request. Only reads of resources are stale."""
        return (
            self._is("request")
            and (not self.stale_s or can_be_stale(method, path))
            and self.method in (None, method)
            and (self.path is None or bool(self.path.search(path)))
        )

    def matches_operation(self, operation: str, resource_id: str) -> bool:
        """Whether the rule applies to an operation on a resource."""
        return self._is("operation") and self.operation in (None, operation) and _names(self.resource, resource_id)

    def matches_disk(self, disk_id: str) -> bool:
        """Whether the rule decides if a disk boots."""
        return self._is("disk") and _names(self.disk, disk_id)

    def matches_custom_data(self, vm_id: str) -> bool:
        """Whether the rule decides how a VM's custom data ends."""
        return self._is("cloudInit") and _names(self.cloud_init, vm_id)

    def count_use(self) -> None:
        """Count one application of the rule against `times`."""
        if self.times is not None:
            self.times -= 1

    def _is(self, about: str) -> bool:
        return self.about == about and self.times != 0


def can_be_stale(method: str, path: str) -> bool:
    """Whether a replica that lags behind can answer a request: it reads a resource, not the status of an operation."""
    return method in _READS and not _OF_OPERATIONS.search(path)


def parse(rule: Mapping[str, Any], rule_id: str) -> Rule:
    """Parse `rule`; RuleError names an unknown key or a bad value."""
    if not isinstance(rule, Mapping):
        raise RuleError(f"a fault rule is an object, not {rule!r}")
    _check_keys(rule, _RULE_KEYS, "rule")
    match = rule.get("match", {})
    _check_keys(match, _MATCH_KEYS, "match")
    about = _about(rule, match)
    if match.get("operation") is not None and match["operation"] not in OPERATIONS:
        raise RuleError(f"unknown operation {match['operation']!r}")
    for key, allowed in (("respond", _RESPOND_KEYS), ("fail", _FAIL_KEYS)):
        if key in rule:
            _check_keys(rule[key], allowed, key)
    fail = rule.get("fail")
    numbers = {key: _seconds(rule, key) for key in _NUMBERS}
    if (numbers["stale_s"] or 0.0) > LONGEST_S:
        raise RuleError(f"'stale_s' is at most {LONGEST_S:g}")
    if numbers["stale_s"] and str(match.get("method", "GET")).upper() not in _READS:
        raise RuleError("'stale_s' has no meaning for a write")
    return Rule(
        id=rule_id,
        about=about,
        method=str(match["method"]).upper() if "method" in match else None,
        path=_pattern(match),
        operation=match.get("operation"),
        resource=match.get("resource"),
        times=int(rule["times"]) if rule.get("times") is not None else None,
        respond=dict(rule["respond"]) if "respond" in rule else None,
        fail=_error(fail) if fail is not None else None,
        after_s=numbers["after_s"],
        duration_s=numbers["duration_s"],
        delay_s=numbers["delay_s"] or 0.0,
        disk=rule.get("disk"),
        boots=rule.get("boots", True),
        serial=_serial(rule),
        cloud_init=rule.get("cloudInit"),
        ends=_ending(rule),
        takes_s=numbers["takes_s"],
        reset=_reset(rule),
        nothing=_flag(rule, "nothing"),
        hang=_flag(rule, "hang"),
        stale_s=numbers["stale_s"] or 0.0,
        held_s=numbers["held_s"] or 0.0,
        reboots_after_s=numbers["reboots_after_s"],
    )


def _error(fail: Mapping[str, Any]) -> dict[str, str]:
    target = {"target": str(fail["target"])} if fail.get("target") is not None else {}
    return {
        "code": str(fail.get("code", "InternalExecutionError")),
        "message": str(fail.get("message", "")),
        **target,
    }


def _about(rule: Mapping[str, Any], match: Mapping[str, Any]) -> About:
    if "cloudInit" in rule:
        if not rule.keys() & {"ends", "takes_s"}:
            raise RuleError("a rule with 'cloudInit' needs 'ends' or 'takes_s'")
        return "cloudInit"
    if "disk" in rule:
        if not isinstance(rule.get("boots"), bool):
            raise RuleError("a rule with 'disk' needs 'boots': true or false")
        for key in ("takes_s", "reboots_after_s"):
            if key in rule and not rule["boots"]:
                raise RuleError(f"{key!r} has no meaning for a disk that does not boot")
        return "disk"
    if not rule.keys() & (_REQUEST_OUTCOMES | _OPERATION_OUTCOMES | {"nothing"}):
        raise RuleError(
            "a rule needs one of 'respond', 'reset', 'delay_s', 'stale_s', 'fail', 'duration_s', 'held_s', 'hang', "
            "'nothing', 'disk', 'cloudInit'"
        )
    by_request, by_operation = match.keys() & {"method", "path"}, match.keys() & {"operation", "resource"}
    if rule.keys() & _REQUEST_OUTCOMES or ("nothing" in rule and by_request):
        about: Literal["request", "operation"] = "request"
        misplaced = by_operation | (rule.keys() & _OPERATION_OUTCOMES)
    else:
        about = "operation"
        misplaced = by_request
    if misplaced:
        raise RuleError(f"{sorted(misplaced)[0]!r} has no meaning in a rule about one {about}")
    return about


def _pattern(match: Mapping[str, Any]) -> re.Pattern[str] | None:
    try:
        return re.compile(match["path"], re.IGNORECASE) if "path" in match else None
    except re.error as error:
        raise RuleError(f"match.path is not a regular expression: {error}") from error


def _serial(rule: Mapping[str, Any]) -> Serial:
    serial = rule.get("serial", "silent")
    if serial not in get_args(Serial):
        raise RuleError(f"'serial' is one of {', '.join(get_args(Serial))}, not {serial!r}")
    valid: Serial = serial
    return valid


def _ending(rule: Mapping[str, Any]) -> Ending:
    ending = rule.get("ends", "ok")
    if ending not in get_args(Ending):
        raise RuleError(f"'ends' is one of {', '.join(get_args(Ending))}, not {ending!r}")
    valid: Ending = ending
    return valid


def _reset(rule: Mapping[str, Any]) -> Reset | None:
    reset = rule.get("reset", False)
    if reset is False:
        return None
    if reset not in (True, *get_args(Reset)):
        raise RuleError(f"'reset' is true, 'before' or 'after', not {reset!r}")
    return "after" if reset == "after" else "before"


def _flag(rule: Mapping[str, Any], key: str) -> bool:
    if not isinstance(rule.get(key, False), bool):
        raise RuleError(f"{key!r} is true or false")
    return bool(rule.get(key, False))


def _seconds(rule: Mapping[str, Any], key: str) -> float | None:
    value = rule.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise RuleError(f"{key!r} is a number of seconds, not less than 0")
    return float(value)


def _names(glob: str | None, resource_id: str) -> bool:
    """Whether `glob` matches the id or its last segment, without case."""
    if glob is None:
        return True
    resource_id = resource_id.lower()
    return any(fnmatchcase(text, glob.lower()) for text in (resource_id, resource_id.rsplit("/", 1)[-1]))


def _check_keys(value: object, allowed: set[str], where: str) -> None:
    if not isinstance(value, Mapping):
        raise RuleError(f"{where} is an object, not {value!r}")
    for key in value:
        if key not in allowed:
            raise RuleError(f"unknown key {key!r} in {where}")
