"""What the platform knows of a VM beside its model: power, guest, the operation under way.

This room decides how power states and boots follow each other. It refuses to know HTTP, operations and disks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from simulator.arm.core.fault_rules import Serial
from simulator.arm.core.store import Json, Record

Power = Literal["starting", "running", "stopping", "stopped", "deallocating", "deallocated"]
SETTLED: tuple[Power, ...] = ("running", "stopped", "deallocated")

# The agent renews its report about once a minute; a platform that hears nothing this long calls it unresponsive.
_REPORT_EVERY_S = 60.0
_UNRESPONSIVE_AFTER_S = 300.0
_POWER_CHANGES_KEPT, _BOOTS_KEPT = 20, 4


@dataclass(frozen=True)
class Boot:
    """One boot of the guest: when the VM began to run and when its agent first reports (None: never).

    `up_at`: when it shows a login prompt and what runs on it listens (None: never). `stuck`: what its console shows
    instead. `healthy`: whether what runs on it works.
    """

    at: datetime
    ready_at: datetime | None
    up_at: datetime | None = None
    stuck: Serial | None = None
    healthy: bool = True

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
    `turns` are the latest changes of power, `console` the latest boots with the time each ended (None: it lasts).
    `hibernated`: deallocated with its memory kept. `name` is the VM's own computer name, `availability` what Resource
    Health is told to say. The rest is what the guest has: an application health extension, an extension that holds
    every start for `slow_extension_s`, the ports it `listens` on, the `custom_data` it was made with and the lines this
    wrote on the console (`said`).
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
    power_changes: list[tuple[datetime, Power]] = field(default_factory=list)
    console: list[tuple[Boot, datetime | None]] = field(default_factory=list)
    hibernated: bool = False
    name: str | None = None
    availability: str | None = None
    health_extension: bool = False
    slow_extension_s: float = 0.0
    listens: tuple[int, ...] = ()
    custom_data: str | None = None
    console_lines: list[tuple[datetime, str]] = field(default_factory=list)

    @property
    def quoted_etag(self) -> str:
        """The etag as it stands in bodies and headers."""
        return f'"{self.etag}"'

    def set_power(self, power: Power, now: datetime) -> None:
        """The power state changes."""
        self.power = power
        self.power_changes = [*self.power_changes[-_POWER_CHANGES_KEPT:], (now, power)]

    def boot_up(self, boot: Boot) -> None:
        """The guest boots."""
        self.boot = boot
        self.console = [*self.console[-_BOOTS_KEPT:], (boot, None)]

    def shut_down(self, now: datetime, *, keep_report: bool) -> None:
        """The guest stops. What it last reported stays on show only while the VM keeps its host."""
        report = self.boot.report(now) if self.boot else None
        self.earlier_report = (report or self.earlier_report) if keep_report else None
        if self.boot is not None and self.console:
            self.console[-1] = (self.boot, now)
        self.boot = None

    def is_unresponsive(self, now: datetime) -> bool:
        """Whether the report on show is so old that the platform no longer believes it."""
        return self.earlier_report is not None and (now - self.earlier_report).total_seconds() > _UNRESPONSIVE_AFTER_S


def vm_state(record: Record) -> VmState:
    """The state of a VM's record."""
    if not isinstance(record.state, VmState):
        record.state = VmState()
    return record.state
