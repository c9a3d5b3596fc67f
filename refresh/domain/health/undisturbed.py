"""Whether a VM ran undisturbed since its start: no stop, no restart, no other operation.

Decides from when on the VM has run undisturbed. A guest needs its whole health time after a restart by somebody else,
and its silence is evidence against its disk only for such a time. Does not know what the guest showed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from refresh.domain.azure.vms import Power, Vm
from refresh.domain.terms import times

# Restarts by others extend the health check to this many health times in all.
MOST_HEALTH_TIMES = 2


@dataclass(frozen=True)
class Course:
    """What the readings showed so far: how the start settled, and when (ISO) a disturbance was last seen."""

    settled: str | None = None
    disturbed_at: str | None = None

    def after(self, vm: Vm) -> Course:
        """The course with one more reading. The end of the app's own start, which extensions can delay, is none."""
        settled = _settled(vm)
        if vm.power is not Power.RUNNING:
            return Course(self.settled, vm.read_at)
        if self.settled is not None and settled != self.settled:
            return Course(settled or self.settled, vm.read_at)
        return replace(self, settled=self.settled or settled)

    def is_stopped_by_its_guest(self, vm: Vm) -> bool:
        """Whether the VM is stopped although no operation has ended since its start: its guest shut itself down."""
        return vm.power is Power.STOPPED and self.settled is not None and _settled(vm) == self.settled


UNDISTURBED = Course()


def _settled(vm: Vm) -> str | None:
    """What identifies the VM's last operation; None while one is under way."""
    if vm.provisioning_state in ("Updating", "Creating", "Deleting"):
        return None
    return vm.settled_at or vm.provisioning_state


def elapsed_s(course: Course, since: str | None, now: str | None, timeout_s: float) -> tuple[float, bool]:
    """Seconds of the health time that are over, and whether they were undisturbed.

    The time begins again after a disturbance, and ends after two health times in any case.
    """
    in_all_s = times.seconds_between(since, now) or 0.0
    if course.disturbed_at is None:
        return in_all_s, True
    calm_s = times.seconds_between(course.disturbed_at, now) or 0.0
    if in_all_s >= MOST_HEALTH_TIMES * timeout_s:
        return in_all_s, calm_s >= timeout_s
    return min(calm_s, in_all_s), calm_s >= timeout_s
