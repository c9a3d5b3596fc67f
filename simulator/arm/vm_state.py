"""What the platform knows of a VM beside its model: power, guest, the operation under way.

This room decides how power states and boots follow each other. It refuses to know HTTP, operations and disks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from simulator.arm.store import Json, Record

Power = Literal["starting", "running", "stopping", "stopped", "deallocating", "deallocated"]
SETTLED: tuple[Power, ...] = ("running", "stopped", "deallocated")

# The agent renews its report about once a minute; a platform that hears nothing this long calls it unresponsive.
_REPORT_EVERY_S = 60.0
_UNRESPONSIVE_AFTER_S = 300.0


@dataclass(frozen=True)
class Boot:
    """One boot of the guest: when the VM began to run and when its agent first reports (None: never)."""

    at: datetime
    ready_at: datetime | None

    def report(self, now: datetime) -> datetime | None:
        """The time of the agent's newest report, None before the first."""
        if self.ready_at is None or now < self.ready_at:
            return None
        reports = int((now - self.ready_at).total_seconds() // _REPORT_EVERY_S)
        return (self.ready_at + timedelta(seconds=reports * _REPORT_EVERY_S)).replace(microsecond=0)


@dataclass
class VmState:
    """One VM's state.

    `changed_at` is when its last operation ended; `failure` that operation's error, if it failed.
    `attached` are the keys of the disks that hang on the VM, which lag behind its model while an update is under way.
    """

    power: Power = "running"
    has_agent: bool = True
    generalized: bool = False
    etag: int = 1
    boot: Boot | None = None
    earlier_report: datetime | None = None
    changed_at: datetime | None = None
    disks_at: datetime | None = None
    failure: Json | None = None
    busy: bool = False
    attached: frozenset[str] = frozenset()
    guest: dict[str, Any] = field(default_factory=dict)

    @property
    def quoted_etag(self) -> str:
        """The etag as it stands in bodies and headers."""
        return f'"{self.etag}"'

    def shut_down(self, now: datetime, *, keep_report: bool) -> None:
        """The guest stops. What it last reported stays on show only while the VM keeps its host."""
        report = self.boot.report(now) if self.boot else None
        self.earlier_report = (report or self.earlier_report) if keep_report else None
        self.boot = None

    def is_unresponsive(self, now: datetime) -> bool:
        """Whether the report on show is so old that the platform no longer believes it."""
        return self.earlier_report is not None and (now - self.earlier_report).total_seconds() > _UNRESPONSIVE_AFTER_S


def vm_state(record: Record) -> VmState:
    """The state of a VM's record."""
    if not isinstance(record.state, VmState):
        record.state = VmState()
    return record.state
