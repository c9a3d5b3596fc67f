"""The state of a VM beside its model: power, guest, the operation in progress.

Decides the effects of power changes and boots on that state. Does not know HTTP, operations and disks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from simulator.arm.core.fault_rules import Serial
from simulator.arm.core.store import Json, Record

Power = Literal["starting", "running", "stopping", "stopped", "deallocating", "deallocated"]
SETTLED: tuple[Power, ...] = ("running", "stopped", "deallocated")

# The agent reports about once a minute; after this long without a report the platform shows it as unresponsive.
_REPORT_EVERY_S = 60.0
_UNRESPONSIVE_AFTER_S = 300.0
_POWER_CHANGES_KEPT, _BOOTS_KEPT = 20, 4


@dataclass(frozen=True)
class Boot:
    """One boot of the guest: `at`: when the VM began to run; `ready_at`: when its agent first reports (None: never).

    `up_at`: when the login prompt appears and the ports listen (None: never). `stuck`: what the console shows of a
    failed boot. `healthy`: whether the workload works. `by_guest`: the guest rebooted itself.
    `reboots_after_s`: seconds after which it reboots itself (None: it does not).
    """

    at: datetime
    ready_at: datetime | None
    up_at: datetime | None = None
    stuck: Serial | None = None
    healthy: bool = True
    by_guest: bool = False
    reboots_after_s: float | None = None

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
    `attached` are the keys of the attached disks; they differ from the model while an update is in progress.
    `power_changes` are the latest changes of power, `console` the latest boots with the time each ended (None: it
    lasts). `hibernated`: deallocated with its memory kept. `name` is the VM's own computer name, `availability` the
    Resource Health status that the scenario sets. The rest describes the guest: an application health extension, an
    extension that delays the end of every start by `slow_extension_s`, the ports in `listens`, the `custom_data` of the
    new VM and the `console_lines` that the custom data wrote. `local_data` describes what is on the disks of its host,
    `local_losses` are the operations that emptied them and when.
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
    local_data: str | None = None
    local_losses: list[tuple[datetime, str]] = field(default_factory=list)

    @property
    def quoted_etag(self) -> str:
        """The etag in the form of bodies and headers."""
        return f'"{self.etag}"'

    def set_power(self, power: Power, now: datetime) -> None:
        """Change the power state."""
        self.power = power
        self.power_changes = [*self.power_changes[-_POWER_CHANGES_KEPT:], (now, power)]

    def boot_up(self, boot: Boot) -> None:
        """Begin a boot of the guest."""
        self.boot = boot
        self.console = [*self.console[-_BOOTS_KEPT:], (boot, None)]

    def shut_down(self, now: datetime, *, keep_report: bool) -> None:
        """Stop the guest. Its last report stays visible only while the VM keeps its host."""
        report = self.boot.report(now) if self.boot else None
        self.earlier_report = (report or self.earlier_report) if keep_report else None
        if self.boot is not None and self.console:
            self.console[-1] = (self.boot, now)
        self.boot = None

    def is_unresponsive(self, now: datetime) -> bool:
        """Whether the visible report is so old that the platform shows the agent as unresponsive."""
        return self.earlier_report is not None and (now - self.earlier_report).total_seconds() > _UNRESPONSIVE_AFTER_S


def vm_state(record: Record) -> VmState:
    """The state of a VM's record."""
    if not isinstance(record.state, VmState):
        record.state = VmState()
    return record.state
