"""Resource types nobody modelled: stored as they are.

This room decides that they behave like the simplest ARM resource: written at once, read back as written. It refuses to
know any of them.
"""

from __future__ import annotations

from simulator.arm.core import errors
from simulator.arm.core.bodies import merged, without
from simulator.arm.core.messages import Answer, Request
from simulator.arm.core.resource_types import ResourceType
from simulator.arm.core.services import Plane
from simulator.arm.core.store import Record
from simulator.arm.core.tag_rules import check_tags
from simulator.arm.state.disk_bodies import identify

_READ_ONLY = ("id", "name", "type")


class Generic:
    """The provider of every unknown type."""

    def __init__(self, plane: Plane) -> None:
        self._plane = plane

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
        """Complete a body somebody put into the world by hand."""
        identify(record)
        record.properties.setdefault("provisioningState", "Succeeded")

    def put(self, request: Request) -> Answer:
        """Create or replace."""
        check_tags(request.body.get("tags"))
        status = 201 if self._plane.store.get(request.id) is None else 200
        record = self._plane.store.put(Record(request.id, without(request.body, _READ_ONLY)))
        self.fill(record)
        self._tell(request, "write")
        return Answer(status, record.body)

    def patch(self, request: Request) -> Answer:
        """Merge."""
        record = self._plane.require(request.id, errors.resource_not_found(request.id.path_name, request.id.group))
        check_tags(request.body.get("tags"))
        record.body = merged(record.body, without(request.body, (*_READ_ONLY, "tags")))
        if "tags" in request.body:
            record.body["tags"] = dict(request.body["tags"] or {})
        self._tell(request, "write")
        return Answer(200, record.body)

    def delete(self, request: Request) -> Answer:
        """Delete, with everything nested."""
        record = self._plane.store.get(request.id)
        if record is None:
            return Answer(204)
        for each in [*self._plane.store.below(record.id), record]:
            self._plane.store.delete(each, self._plane.clock.time())
        self._tell(request, "delete")
        return Answer(200)

    def _tell(self, request: Request, verb: str) -> None:
        kind = "delete" if verb == "delete" else "write"
        self._plane.tell_now(
            request, request.id, f"{request.id.type}/{verb}", "delete" if kind == "delete" else "write", request.id.text
        )
