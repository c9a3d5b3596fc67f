"""Resource types without their own provider: stored as they are.

Decides that they behave like the simplest ARM resource: writes are synchronous and reads return what was written. Does
not know any type.
"""

from __future__ import annotations

from simulator.arm.core import errors
from simulator.arm.core.bodies import merged, without
from simulator.arm.core.messages import Answer, Request
from simulator.arm.core.resource_types import ResourceType
from simulator.arm.core.services import Services
from simulator.arm.core.store import Record
from simulator.arm.core.tag_rules import check_tags
from simulator.arm.core.write_events import WriteKind
from simulator.arm.state.disk_bodies import identify

_READ_ONLY = ("id", "name", "type")


class Generic:
    """The provider of every unknown type."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def resource_type(self, name: str) -> ResourceType:
        """The router's view of a type called `name`."""
        return ResourceType(
            name=name,
            render=lambda record, request: record.body,
            put=self.put,
            patch=self.patch,
            delete=self.delete,
            fill=self.fill,
        )

    def fill(self, record: Record) -> None:
        """Complete a body of a scenario."""
        identify(record)
        record.properties.setdefault("provisioningState", "Succeeded")

    def put(self, request: Request) -> Answer:
        """Create or replace."""
        check_tags(request.body.get("tags"))
        status = 201 if self._services.store.get(request.id) is None else 200
        record = self._services.store.put(Record(request.id, without(request.body, _READ_ONLY)))
        self.fill(record)
        self._notify(request, "write")
        return Answer(status, record.body)

    def patch(self, request: Request) -> Answer:
        """Merge."""
        record = self._services.require(request.id, errors.resource_not_found(request.id.path_name, request.id.group))
        check_tags(request.body.get("tags"))
        record.body = merged(record.body, without(request.body, (*_READ_ONLY, "tags")))
        if "tags" in request.body:
            record.body["tags"] = dict(request.body["tags"] or {})
        self._notify(request, "write")
        return Answer(200, record.body)

    def delete(self, request: Request) -> Answer:
        """Delete the resource and everything nested in it."""
        record = self._services.store.get(request.id)
        if record is None:
            return Answer(204)
        for each in [*self._services.store.below(record.id), record]:
            self._services.store.delete(each, self._services.clock.time())
        self._notify(request, "delete")
        return Answer(200)

    def _notify(self, request: Request, verb: str) -> None:
        kind: WriteKind = "delete" if verb == "delete" else "write"
        self._services.notify_write(request, request.id, f"{request.id.type}/{verb}", kind, request.id.text)
