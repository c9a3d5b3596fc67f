"""The journal: every request the simulator answered and every second a VM was down.

Decides what "not running" means: from the accepted stop until the VM is running again. Does not judge whether a stop
was intended. All times are simulated.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass
class Downtime:
    """The intervals in which one VM was not running; an open one has no end yet."""

    intervals: list[tuple[datetime, datetime | None]] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether the VM is down now."""
        return bool(self.intervals) and self.intervals[-1][1] is None

    def to_json(self, now: datetime) -> dict[str, Any]:
        """The JSON of the control plane; an open interval counts up to `now`."""
        closed = [(start, end or now) for start, end in self.intervals]
        return {
            "not_running_s": sum((end - start).total_seconds() for start, end in closed),
            "stops": len(closed),
            "intervals": [[start.isoformat(), end.isoformat()] for start, end in closed],
        }


@dataclass
class Journal:
    """Requests and downtimes since the last reset."""

    requests: list[dict[str, Any]] = field(default_factory=list)
    vms: dict[str, Downtime] = field(default_factory=dict)

    def request(self, **entry: Any) -> None:
        """Record one answered request."""
        self.requests.append(entry)

    def down(self, vm_key: str, at: datetime) -> None:
        """Open an interval: a stop of a running VM was accepted."""
        downtime = self.vms.setdefault(vm_key, Downtime())
        if not downtime.is_open:
            downtime.intervals.append((at, None))

    def up(self, vm_key: str, at: datetime) -> None:
        """Close the open interval: the VM runs or is deleted."""
        downtime = self.vms.get(vm_key)
        if downtime and downtime.is_open:
            downtime.intervals[-1] = (downtime.intervals[-1][0], at)

    def to_json(self, now: datetime) -> dict[str, Any]:
        """The answer of `GET /_sim/journal`."""
        return {"requests": self.requests, "vms": {key: vm.to_json(now) for key, vm in self.vms.items()}}

    def clear(self) -> None:
        """Start over."""
        self.requests.clear()
        self.vms.clear()
