"""What the router knows of a resource type.

This room decides the shape of a provider. It refuses to know any provider: they describe themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from simulator.arm.core.messages import Handler, Request
from simulator.arm.core.store import Json, Record

# A record as GET and list answer it. Without a request (control plane, Resource Graph) it is rendered in full.
Render = Callable[[Record, Request | None], Json]


@dataclass(frozen=True)
class ResourceType:
    """A provider of one type.

    `name` is the full type in Azure's casing; `fill` completes a body a scenario author wrote in brief, after it is in
    the store. `actions` are POSTs and `views` GETs one segment below a resource. `page_size` limits a list page.
    `indexed` is the body as Resource Graph has it, where that differs; `private` are the simulator's own keys (`_…`).
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
