"""What goes in and out of a provider: one request as ARM understands it, one answer.

This room decides the shape of both. It refuses to know HTTP servers: handlers are plain functions from Request to
Answer, or they raise ArmError.
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

    `nothing`: by a fault ARM says yes to this write and changes nothing.
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
        """The resource (or the scope of the collection) the path names."""
        return self.path.id

    @property
    def api_version(self) -> str:
        """The api-version asked for; any is taken."""
        return self.query.get("api-version", "")

    def expands(self, what: str) -> bool:
        """Whether `$expand` asks for `what`."""
        return what.lower() in self.query.get("$expand", "").lower()


@dataclass
class Answer:
    """One ARM answer. `counted`: the provider's rate-limit counters stand on it."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    counted: bool = True
    delay_s: float = 0.0


Handler = Callable[[Request], Answer]


def stamp(at: datetime) -> str:
    """A time as ARM writes it in bodies."""
    return at.isoformat(timespec="microseconds")
