"""Planned misfortune: rules that make requests, operations and disks misbehave.

This room decides what a rule may say and which rule applies: in order, the first match wins, a rule with `times` wears
out. It refuses to carry a rule out: the server and the operations ask.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

OPERATIONS = frozenset(
    {"start", "deallocate", "powerOff", "restart", "redeploy", "update", "create", "delete", "tags"}
    | {f"{what}{change}" for what in ("disk", "version") for change in ("Create", "Update", "Delete")}
)

_RULE_KEYS = {"match", "times", "respond", "fail", "after_s", "duration_s", "disk", "boots"}
_MATCH_KEYS = {"method", "path", "operation", "resource"}
_RESPOND_KEYS = {"status", "headers", "body"}
_FAIL_KEYS = {"code", "message"}


class RuleError(ValueError):
    """A rule says something nobody understands; the text names it."""


@dataclass
class Rule:
    """One rule, as given, with the number of times it still applies (None: always)."""

    id: str
    method: str | None = None
    path: re.Pattern[str] | None = None
    operation: str | None = None
    resource: str | None = None
    times: int | None = None
    respond: dict[str, Any] | None = None
    fail: dict[str, str] | None = None
    after_s: float | None = None
    duration_s: float | None = None
    disk: str | None = None
    boots: bool = True


@dataclass(frozen=True)
class Fate:
    """What the rules say about one operation: its duration and its error, each None when they say nothing."""

    duration_s: float | None = None
    error: dict[str, str] | None = None


@dataclass
class Faults:
    """The rules in force, in the order they were given."""

    rules: list[Rule] = field(default_factory=list)
    _made: int = 0

    def add(self, rules: list[Mapping[str, Any]]) -> list[str]:
        """Add `rules` after those in force and return their ids; RuleError, and none is added, when one is wrong."""
        parsed = []
        for rule in rules:
            self._made += 1
            parsed.append(_parse(rule, f"fault-{self._made}"))
        self.rules.extend(parsed)
        return [rule.id for rule in parsed]

    def clear(self) -> None:
        """Drop every rule."""
        self.rules.clear()

    def answer_to(self, method: str, path: str) -> dict[str, Any] | None:
        """The answer a rule gives to a request before anything happens, or None."""
        for rule in self.rules:
            if rule.respond is None or rule.times == 0:
                continue
            if rule.method not in (None, method) or (rule.path and not rule.path.search(path)):
                continue
            _wear(rule)
            return rule.respond
        return None

    def fate_of(self, operation: str, resource_id: str) -> Fate:
        """What the first matching rule says about an operation on a resource."""
        for rule in self.rules:
            if rule.respond is not None or rule.disk is not None or rule.times == 0:
                continue
            if rule.operation not in (None, operation) or not _names(rule.resource, resource_id):
                continue
            _wear(rule)
            return Fate(rule.duration_s if rule.duration_s is not None else rule.after_s, rule.fail)
        return Fate()

    def boots(self, disk_id: str) -> bool:
        """Whether a VM boots from the disk: the first rule naming it decides, otherwise it does."""
        for rule in self.rules:
            if rule.disk is not None and rule.times != 0 and _names(rule.disk, disk_id):
                _wear(rule)
                return rule.boots
        return True


def _wear(rule: Rule) -> None:
    if rule.times is not None:
        rule.times -= 1


def _names(glob: str | None, resource_id: str) -> bool:
    """Whether `glob` matches the id or its last segment, without case."""
    if glob is None:
        return True
    resource_id = resource_id.lower()
    return any(fnmatchcase(text, glob.lower()) for text in (resource_id, resource_id.rsplit("/", 1)[-1]))


def _parse(rule: Mapping[str, Any], rule_id: str) -> Rule:
    if not isinstance(rule, Mapping):
        raise RuleError(f"a fault rule is an object, not {rule!r}")
    _check_keys(rule, _RULE_KEYS, "rule")
    match = rule.get("match", {})
    _check_keys(match, _MATCH_KEYS, "match")
    if "disk" in rule:
        if rule.get("boots") is not False and rule.get("boots") is not True:
            raise RuleError("a rule with 'disk' needs 'boots': true or false")
    elif sum(key in rule for key in ("respond", "fail", "duration_s")) == 0:
        raise RuleError("a rule needs one of 'respond', 'fail', 'duration_s' or 'disk'")
    elif "respond" in rule:
        _check_keys(rule["respond"], _RESPOND_KEYS, "respond")
    elif match.get("operation") is not None and match["operation"] not in OPERATIONS:
        raise RuleError(f"unknown operation {match['operation']!r}")
    if "fail" in rule:
        _check_keys(rule["fail"], _FAIL_KEYS, "fail")
    return _rule(rule, match, rule_id)


def _rule(rule: Mapping[str, Any], match: Mapping[str, Any], rule_id: str) -> Rule:
    try:
        path = re.compile(match["path"], re.IGNORECASE) if "path" in match else None
    except re.error as error:
        raise RuleError(f"match.path is not a regular expression: {error}") from error
    fail = rule.get("fail")
    return Rule(
        id=rule_id,
        method=str(match["method"]).upper() if "method" in match else None,
        path=path,
        operation=match.get("operation"),
        resource=match.get("resource"),
        times=int(rule["times"]) if rule.get("times") is not None else None,
        respond=dict(rule["respond"]) if "respond" in rule else None,
        fail={"code": str(fail.get("code", "InternalExecutionError")), "message": str(fail.get("message", ""))}
        if fail is not None
        else None,
        after_s=float(rule["after_s"]) if rule.get("after_s") is not None else None,
        duration_s=float(rule["duration_s"]) if rule.get("duration_s") is not None else None,
        disk=rule.get("disk"),
        boots=rule.get("boots", True),
    )


def _check_keys(value: object, known: set[str], where: str) -> None:
    if not isinstance(value, Mapping):
        raise RuleError(f"{where} is an object, not {value!r}")
    for key in value:
        if key not in known:
            raise RuleError(f"unknown key {key!r} in {where}")
