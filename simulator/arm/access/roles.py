"""Role assignments of the simulator.

Decides whether an action is granted at a scope. Without any role, every caller has all rights. A role is a
`Microsoft.Authorization/roleAssignments` resource with the scenario keys `_actions` and `_notActions`; a role with
`properties.principalId` (an object id or a client id) applies only to that principal. Role assignments without those
keys are stored and grant nothing: role definitions are not simulated.
https://learn.microsoft.com/azure/role-based-access-control/role-definitions
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from simulator.arm.core.ids import parse_id
from simulator.arm.core.resource_types import ResourceType
from simulator.arm.core.services import Services
from simulator.arm.core.store import Json, Record
from simulator.arm.platform.generic import Generic
from simulator.identity import object_id

ROLE_TYPE = "Microsoft.Authorization/roleAssignments"
_BELOW = f"/providers/{ROLE_TYPE}/".lower()
_EVERYTHING = {"actions": ["*"], "notActions": [], "dataActions": [], "notDataActions": []}
_KEYS = {"scope", "actions", "notActions", "principal"}


class RoleError(ValueError):
    """An invalid role; the text has the reason."""


@dataclass(frozen=True)
class Grant:
    """The actions that a role assignment grants."""

    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()

    def allows(self, action: str) -> bool:
        """Whether the role grants an action: in `actions` and not in `not_actions`."""
        return _named(action, self.actions) and not _named(action, self.not_actions)


class Roles:
    """The role assignments of one simulated Azure."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._generic = Generic(services)

    def resource_type(self) -> ResourceType:
        """The router's view of role assignments."""
        stored = self._generic.resource_type(ROLE_TYPE)
        return ResourceType(
            name=ROLE_TYPE,
            render=stored.render,
            put=stored.put,
            patch=stored.patch,
            delete=stored.delete,
            fill=self.fill,
            scenario_keys=lambda record: _scenario_keys(record.state),
        )

    def fill(self, record: Record) -> None:
        """Move the grant from a body of a scenario into the state; ValueError for an invalid one."""
        actions, not_actions = record.body.pop("_actions", None), record.body.pop("_notActions", None)
        if actions is not None or not_actions is not None:
            record.state = Grant(_texts(actions or [], "_actions"), _texts(not_actions or [], "_notActions"))
        self._generic.fill(record)
        record.body.pop("location", None)

    def replace(self, roles: Iterable[Mapping[str, Any]]) -> int:
        """Make `roles` the only ones; an empty list gives every caller all rights. RoleError changes nothing.

        Each has a `scope`, `actions` and optionally `notActions` and the `principal` (default: every caller).
        """
        records = [self._record(number, role) for number, role in enumerate(roles)]
        for record in [record for record, _ in self._all()]:
            self._services.store.delete(record, self._services.clock.time())
        for record in records:
            self._services.store.put(record)
        return len(records)

    def listing(self) -> list[Json]:
        """The roles in the form that `replace` accepts."""
        return [
            {
                "scope": _scope_text(record),
                "actions": list(grant.actions),
                "notActions": list(grant.not_actions),
                **({"principal": each} if (each := record.properties.get("principalId")) else {}),
            }
            for record, grant in self._all()
        ]

    def permissions(self, principal: str, scope: str) -> list[Json]:
        """The answer of the permissions API: the rights of `principal` at `scope`, one entry for each role.

        https://learn.microsoft.com/rest/api/authorization/permissions/list-for-resource
        """
        if not self.in_force:
            return [_EVERYTHING]
        return [
            {
                "actions": list(grant.actions),
                "notActions": list(grant.not_actions),
                "dataActions": [],
                "notDataActions": [],
            }
            for grant in self._at(principal, scope)
        ]

    @property
    def in_force(self) -> bool:
        """Whether there is any role."""
        return next(self._all(), None) is not None

    def allows(self, principal: str, action: str, scope: str) -> bool:
        """Whether one of the principal's roles at `scope` or above grants the action."""
        return not self.in_force or any(grant.allows(action) for grant in self._at(principal, scope))

    def sees(self, principal: str, scope: str) -> bool:
        """Whether the principal has any role at, above or below a scope, so that ARM lists the subscription."""
        return not self.in_force or any(
            _within(scope.lower(), at) or _within(at, scope.lower())
            for record, _ in self._all()
            if _is_for(record, principal)
            for at in [_scope_text(record).lower()]
        )

    def _record(self, number: int, role: Mapping[str, Any]) -> Record:
        if not isinstance(role, Mapping):
            raise RoleError(f"a role is an object, not {role!r}")
        for key in role:
            if key not in _KEYS:
                raise RoleError(f"unknown key {key!r} in role")
        scope = str(role.get("scope", "/")).rstrip("/")
        try:
            resource_id = parse_id(f"{scope}/providers/{ROLE_TYPE}/sim-{number}")
            state = Grant(_texts(role.get("actions", []), "actions"), _texts(role.get("notActions", []), "notActions"))
        except ValueError as error:
            raise RoleError(str(error)) from error
        record = Record(resource_id, {}, state)
        if role.get("principal"):
            record.properties["principalId"] = str(role["principal"])
        record.properties["scope"] = scope or "/"
        self.fill(record)
        return record

    def _all(self) -> Iterator[tuple[Record, Grant]]:
        for record in self._services.store.of_type(ROLE_TYPE):
            if isinstance(record.state, Grant):
                yield record, record.state

    def _at(self, principal: str, scope: str) -> Iterator[Grant]:
        for record, grant in self._all():
            if _within(scope.lower(), _scope_text(record).lower()) and _is_for(record, principal):
                yield grant


def _is_for(record: Record, principal: str) -> bool:
    owner = record.properties.get("principalId")
    return (
        owner is None
        or str(owner).lower() in (principal.lower(), object_id(str(owner)))
        or (object_id(str(owner)) == principal.lower())
    )


def _scenario_keys(state: object) -> Json:
    if not isinstance(state, Grant):
        return {}
    return {"_actions": list(state.actions), "_notActions": list(state.not_actions)}


def _texts(value: object, name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise RoleError(f"{name} is a list of action names")
    return tuple(value)


def _scope_text(record: Record) -> str:
    return record.id.text[: record.id.key.rindex(_BELOW)]


def _within(scope: str, ancestor: str) -> bool:
    return not ancestor or scope == ancestor or scope.startswith(f"{ancestor}/")


def _named(action: str, patterns: Iterable[str]) -> bool:
    return any(_pattern(pattern).fullmatch(action) for pattern in patterns)


@lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str]:
    """`*` matches any text, slashes included; actions compare without case."""
    return re.compile(".*".join(re.escape(part) for part in text.split("*")), re.IGNORECASE)
