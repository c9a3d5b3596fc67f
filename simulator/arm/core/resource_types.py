"""The description of a resource type that a provider gives to the router.

Decides its fields. Does not know any provider.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from simulator.arm.core.messages import Handler, Request
from simulator.arm.core.store import Json, Record

# Renders a record as GET and list answer it. Without a request (control plane, Resource Graph) it renders everything.
Render = Callable[[Record, Request | None], Json]


@dataclass(frozen=True)
class ResourceType:
    """A provider of one type.

    `name` is the full type in Azure's casing. `fill` completes a partial body of a scenario that is already in the
    store. `actions` are POSTs and `views` GETs one segment below a resource. `page_size` limits a list page. `indexed`
    returns the body for Resource Graph, where it differs; `scenario_keys` returns the simulator's own keys (`_…`).
    """

    name: str
    render: Render
    put: Handler
    patch: Handler
    delete: Handler
    fill: Callable[[Record], None]
    actions: Mapping[str, Handler] = field(default_factory=dict)
    views: Mapping[str, Handler] = field(default_factory=dict)
    page_size: int = 200
    etag: Callable[[Record], str | None] = lambda _record: None
    indexed: Callable[[Record], Json] | None = None
    scenario_keys: Callable[[Record], Json] = lambda _record: {}
