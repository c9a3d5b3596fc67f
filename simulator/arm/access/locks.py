"""Microsoft.Authorization/locks: locks that block changes or deletes by every caller.

Decides which locks apply at a scope (its own, those above and, for a delete, those below) and which requests they
block. A read-only lock blocks POST actions too: start and deallocate are POSTs. Locks themselves can always be written
and deleted.
https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources
https://learn.microsoft.com/rest/api/resources/management-locks
"""

from __future__ import annotations

from collections.abc import Iterator

from simulator.arm.core import errors
from simulator.arm.core.bodies import without
from simulator.arm.core.messages import Answer, Request
from simulator.arm.core.resource_types import ResourceType
from simulator.arm.core.services import Services
from simulator.arm.core.store import Json, Record
from simulator.arm.state.disk_bodies import identify

LOCK_TYPE = "Microsoft.Authorization/locks"
_BELOW = f"/providers/{LOCK_TYPE}/".lower()
_LEVELS = {"cannotdelete": "CanNotDelete", "readonly": "ReadOnly"}
_READ_ONLY_KEYS = ("id", "name", "type")


class Locks:
    """The provider of locks, and their enforcement."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def resource_type(self) -> ResourceType:
        """The router's view of locks."""
        return ResourceType(
            name=LOCK_TYPE,
            render=lambda record, request: record.body,
            put=self.put,
            patch=self.patch,
            delete=self.delete,
            fill=_fill,
        )

    def put(self, request: Request) -> Answer:
        """Create or replace a lock."""
        record = Record(request.id, without(request.body, _READ_ONLY_KEYS))
        try:
            _fill(record)
        except ValueError as error:
            raise errors.invalid_content(str(error)) from error
        status = 201 if self._services.store.get(request.id) is None else 200
        self._services.store.put(record)
        self._services.notify_write(request, request.id, f"{LOCK_TYPE}/write", "write", request.id.text)
        return Answer(status, record.body)

    def patch(self, request: Request) -> Answer:
        """Refuse: locks can be replaced, not patched."""
        raise errors.method_not_allowed(request.method, request.id.text)

    def delete(self, request: Request) -> Answer:
        """Remove a lock."""
        record = self._services.store.get(request.id)
        if record is None:
            return Answer(204)
        self._services.store.delete(record, self._services.clock.time())
        self._services.notify_write(request, request.id, f"{LOCK_TYPE}/delete", "delete", request.id.text)
        return Answer(200)

    def at(self, scope: str, *, only_at_or_above: bool) -> list[Json]:
        """The locks in a list at `scope`: those at it and above, and without `$filter=atScope()` those below."""
        return [
            lock.body
            for lock, locked in self._all()
            if _within(scope.lower(), locked) or (not only_at_or_above and _within(locked, scope.lower()))
        ]

    def check(self, request: Request) -> None:
        """Refuse a request that a lock blocks; ArmError 409 ScopeLocked names the locked scopes."""
        if request.method in ("GET", "HEAD") or not request.id.text or request.id.type.lower() == LOCK_TYPE.lower():
            return
        scope, deletes = request.id.key, request.method == "DELETE"
        stopping = []
        for lock, locked in self._all():
            read_only = lock.properties["level"] == "ReadOnly"
            if (_within(scope, locked) and (deletes or read_only)) or (deletes and _within(locked, scope)):
                stopping.append(_scope_text(lock))
        if stopping:
            raise errors.scope_locked(request.id.text, "delete" if deletes else "write", stopping)

    def _all(self) -> Iterator[tuple[Record, str]]:
        for lock in self._services.store.of_type(LOCK_TYPE):
            yield lock, _scope_text(lock).lower()


def _fill(record: Record) -> None:
    """Complete a lock; ValueError for an unknown level."""
    identify(record)
    record.body.pop("location", None)  # a lock has no location
    level = str(record.properties.get("level", ""))
    if level.lower() not in _LEVELS:
        raise ValueError(f"properties.level of a lock is CanNotDelete or ReadOnly, not '{level}'")
    record.properties["level"] = _LEVELS[level.lower()]


def _scope_text(lock: Record) -> str:
    return lock.id.text[: lock.id.key.rindex(_BELOW)]


def _within(scope: str, ancestor: str) -> bool:
    """Whether `scope` is `ancestor` or below it; both lower case."""
    return scope == ancestor or scope.startswith(f"{ancestor}/")
