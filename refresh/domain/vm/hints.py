"""Which VM to read, from an Event Grid event or from a list of VMs.

Decides whether an event is about a VM. Uses nothing else of the event: events come twice, late and out of order, and
contain no tag values. https://learn.microsoft.com/azure/event-grid/event-schema-subscriptions
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from refresh.domain.azure.vms import Vm
from refresh.domain.terms import resource_id

_EVENT_TYPE = "microsoft.resources.resourcewritesuccess"
_OPERATIONS = ("microsoft.resources/tags/write", "microsoft.compute/virtualmachines/write")


@dataclass(frozen=True)
class Hint:
    """A VM (by id) to read and decide about."""

    vm: str


@dataclass(frozen=True)
class Ignored:
    """An event that is not about a VM, and why; `malformed` when it lacks a field that it must have."""

    why: str
    malformed: bool = False


def hint_from_event(event_type: object, subject: object, data: object) -> Hint | Ignored:
    """The VM that an event is about: `data.resourceUri`, or `subject` when that is absent."""
    if not isinstance(data, Mapping):
        return Ignored(f"data is {type(data).__name__}, not an object", malformed=True)
    if not isinstance(event_type, str):
        return Ignored("eventType is missing: the subscription has to deliver in the Event Grid schema", malformed=True)
    if event_type.lower() != _EVENT_TYPE:
        return Ignored(f"event type {event_type[:80]}")
    operation = data.get("operationName")
    if not isinstance(operation, str):
        return Ignored("data.operationName is missing", malformed=True)
    if operation.lower() not in _OPERATIONS:
        return Ignored(f"operation {operation[:80]}")
    return _hint_from_uri(data, subject)


def _hint_from_uri(data: Mapping[str, Any], subject: object) -> Hint | Ignored:
    uri = data.get("resourceUri") or subject
    if not isinstance(uri, str) or not uri:
        return Ignored("neither data.resourceUri nor subject names a resource", malformed=True)
    resource = resource_id.without_tags_suffix(uri)
    vm = resource_id.parse_vm(resource)
    if vm is not None:
        return Hint(vm.text)
    about_a_vm = "/microsoft.compute/virtualmachines/" in resource.lower()
    shown = resource.partition("?")[0][:120]  # what follows in a URL may be a key
    return Ignored(f"{shown!r} is not the id of a VM", malformed=about_a_vm and resource.count("/") < 9)


def is_worth_a_look(vm: Vm) -> bool:
    """Whether the tags of a listed VM name another disk than its own, or a swap that may have ended without an outcome.

    Whether the disk exists and fits is not checked here. A VM on hold is left alone.
    """
    vm_tags = vm.own_tags
    if not vm_tags.in_scope or vm_tags.on_hold:
        return False
    if vm_tags.refresh_state:
        return True
    wish = vm_tags.wanted.lower()
    return bool(wish) and wish not in ((vm.os_disk_name or "").lower(), (vm.os_disk_id or "").lower())
