"""Microsoft.Resources/tags: the tags API on any resource, group and subscription.

Decides how tags are replaced, merged and deleted. Tag writes are synchronous. Leaves the limits of tags to
`tag_rules.py`.
https://learn.microsoft.com/rest/api/resources/tags
"""

from __future__ import annotations

from simulator.arm.core import errors
from simulator.arm.core.fault_plans import OperationFault
from simulator.arm.core.ids import ResourceId, parse_id
from simulator.arm.core.messages import Answer, Request
from simulator.arm.core.services import Services
from simulator.arm.core.store import Json
from simulator.arm.core.tag_rules import check_tags, merge_tags, remove_tags
from simulator.arm.core.write_events import WriteKind
from simulator.arm.state.vm_state import VmState

SUFFIX = "/providers/Microsoft.Resources/tags/default"
_ACTION = "Microsoft.Resources/tags"


def is_tags(resource_id: ResourceId) -> bool:
    """Whether an id names the tags of a scope."""
    return resource_id.key.endswith(SUFFIX.lower())


class Tags:
    """The provider of tags."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def handle(self, request: Request) -> Answer:
        """GET, PUT, PATCH or DELETE the tags of the scope in the path."""
        scope = parse_id(request.id.text[: -len(SUFFIX)])
        body = self._tagged(scope)
        if request.method in ("GET", "HEAD"):
            return Answer(200, _answer(body))
        fault = self._services.faults.operation_fault("tags", str(body["id"]).lower())
        if fault.error:
            raise errors.ArmError(409, fault.error["code"], fault.error["message"], fault.error.get("target"))
        if request.method == "DELETE":
            return self._write(request, body, {}, "delete", fault)
        wanted = (request.body.get("properties") or {}).get("tags") or {}
        if request.method == "PUT":
            return self._write(request, body, wanted, "write", fault)
        if request.method == "PATCH":
            return self._write(request, body, _patched(body.get("tags") or {}, request.body, wanted), "write", fault)
        raise errors.method_not_allowed(request.method, request.id.text)

    def _write(self, request: Request, body: Json, tags: Json, verb: str, fault: OperationFault) -> Answer:
        check_tags(tags)
        if fault.nothing or request.nothing:
            return Answer(200, _answer({**body, "tags": tags}), delay_s=fault.duration_s or 0.0)
        target, scope = parse_id(str(body["id"])), f"{body['id']}{SUFFIX}"
        self._services.history.remember(target)
        body["tags"] = dict(tags)
        record = self._services.store.get(str(body["id"]))
        if record is not None and isinstance(record.state, VmState):
            record.state.etag += 1
        kind: WriteKind = "delete" if verb == "delete" else "write"
        self._services.notify_write(request, target, f"{_ACTION}/{verb}", kind, scope)
        answer = Answer(200) if verb == "delete" else Answer(200, _answer(body))
        answer.delay_s = fault.duration_s or 0.0
        return answer

    def _tagged(self, scope: ResourceId) -> Json:
        if scope.pairs or scope.group:
            missing = errors.resource_not_found(scope.path_name, scope.group)
            if scope.group and not scope.pairs:
                missing = errors.group_not_found(scope.group)
            return self._services.require(scope, missing).body
        subscription = str(scope.subscription)
        body = self._services.store.subscriptions.get(subscription.lower())
        if body is None:
            raise errors.subscription_not_found(subscription)
        return body


def _patched(tags: Json, sent: Json, wanted: Json) -> Json:
    operation = str(sent.get("operation", ""))
    if operation.lower() == "merge":
        return merge_tags(tags, wanted)
    if operation.lower() == "replace":
        return wanted
    if operation.lower() == "delete":
        return remove_tags(tags, wanted)
    raise errors.invalid_content(f"operation is one of Merge, Replace and Delete, not '{operation}'")


def _answer(body: Json) -> Json:
    return {
        "id": f"{body['id']}{SUFFIX}",
        "name": "default",
        "type": "Microsoft.Resources/tags",
        "properties": {"tags": dict(body.get("tags") or {})},
    }
