"""The input and output of a provider: one ARM request, one answer.

Decides the fields of both. Does not know HTTP servers: a handler is a plain function that takes a Request and returns
an Answer or raises ArmError.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from simulator.arm.core.ids import Path, ResourceId
from simulator.arm.core.store import Json


@dataclass(frozen=True)
class Request:
    """One ARM request. `base_url` is scheme, host and port as the client wrote them; query names are lower case.

    `nothing`: a fault makes ARM answer success to this write and change nothing.
    """

    method: str
    path: Path
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Json
    base_url: str
    url: str
    correlation_id: str
    client_request_id: str | None
    principal: str
    nothing: bool = False

    @property
    def id(self) -> ResourceId:
        """The resource (or the scope of the collection) that the path names."""
        return self.path.id

    @property
    def api_version(self) -> str:
        """The requested api-version; any is accepted."""
        return self.query.get("api-version", "")

    def expands(self, what: str) -> bool:
        """Whether `$expand` names `what`."""
        return what.lower() in self.query.get("$expand", "").lower()


@dataclass
class Answer:
    """One ARM answer. `counted`: it carries the provider's rate-limit counters."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    counted: bool = True
    delay_s: float = 0.0


Handler = Callable[[Request], Answer]


def stamp(at: datetime) -> str:
    """A time as ARM writes it in bodies."""
    return at.isoformat(timespec="microseconds")
