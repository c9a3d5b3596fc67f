"""Gathers what the health ladder judges, reading after reading, and records the result and time of each rung.

Decides what is read at which reading of the VM. Leaves the judgement to `domain/health` and the waiting to
`convergence.py`. What cannot be read is unknown: it proves neither that a VM is healthy nor that it is not.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from refresh.activities.health.prober import UNPROBED, Prober
from refresh.domain.azure import polls
from refresh.domain.azure.vms import Power, Vm
from refresh.domain.health.boot_log import find_in_boot_log
from refresh.domain.health.guest_rungs import SUCCESSES_NEEDED, Expected, Reading, judge_rungs
from refresh.domain.health.ladder import Rung, RungName, judge_health
from refresh.domain.health.undisturbed import UNDISTURBED, Course, elapsed_s
from refresh.domain.terms import times
from refresh.domain.terms.probe import parse_probe
from refresh.domain.terms.verdict import StepVerdict
from refresh.gateways.errors import GatewayError
from refresh.gateways.guests import Guests
from refresh.records.swap import Health, StepInput
from refresh.settings.settings import Settings


def expected_of(step: StepInput, settings: Settings) -> Expected:
    """What the VM of this step must show."""
    health = step.health or Health()
    return Expected(
        started_at=step.started_at,
        agent_spoke=step.agent_spoke,
        agent=health.agent,
        computer_names=health.computer_names,
        data_disks=health.data_disks,
        probed=health.probe is not None,
        probe_answered=health.probe_answered,
        app_healthy=not health.app_unhealthy,
        counted=settings.health_rungs,
    )


@dataclass
class HealthWatch:
    """The health step of one VM during one activity; `since` is when the step was first tried (ISO).

    A `timeout_s` below `enough_s`, the setting, is too short for a guest's silence to count against its disk.
    Results of the rungs in earlier activities of the step are kept, so that each has the time when it first came.
    """

    guests: Guests
    expected: Expected
    prober: Prober | None
    timeout_s: float
    since: str | None = None
    enough_s: float = 0.0
    course: Course = UNDISTURBED
    earlier_boots: int = 0
    _results: dict[str, str] = field(default_factory=dict)
    _read_at: dict[str, float] = field(default_factory=dict)
    _has_log: bool = True

    def __post_init__(self) -> None:
        """Start without a reading."""
        self._reading: Reading | None = None

    @classmethod
    def of(cls, step: StepInput, guests: Guests, settings: Settings) -> HealthWatch:
        """The watch for a health step."""
        health = step.health or Health()
        timeout_s = float(health.timeout_s or settings.health_timeout_s)
        probe = parse_probe(health.probe or "")
        prober = Prober(guests, probe) if probe else None
        course = Course(step.settled, step.disturbed_at)
        enough_s = float(settings.health_timeout_s)
        watch = cls(
            guests, expected_of(step, settings), prober, timeout_s, step.since, enough_s, course, health.boots or 0
        )
        watch._results = {line.split(" ", 1)[0]: line for line in step.rungs}
        return watch

    async def observe(self, vm: Vm) -> None:
        """Read what is due at this reading of the VM, unless the reading alone decides."""
        self.since = self.since or vm.read_at
        self.course = self.course.after(vm)
        last = self._reading or Reading(vm, needed=SUCCESSES_NEEDED)
        self._reading = replace(last, vm=vm)
        if vm.power is not Power.RUNNING:
            return
        if self.prober is not None and self._counts(RungName.PROBE):
            await self._probe(vm, self.prober)
        if self._proved(vm):
            return
        if self._has_log and self._due(RungName.BOOT_LOG, vm, polls.BOOT_LOG):
            await self._read_log(vm)
        if self._due(RungName.RESOURCE_HEALTH, vm, polls.RESOURCE_HEALTH):
            await self._read_resource(vm)

    def judge(self, vm: Vm, _begun_age_s: float | None) -> StepVerdict:
        """The ladder's verdict on this reading."""
        rungs = judge_rungs(self.expected, self._reading or Reading(vm))
        self._note(vm, rungs)
        return self._verdict(vm, rungs)

    def lines(self) -> tuple[str, ...]:
        """The last result of each rung, and when it first came."""
        return tuple(self._results.values())

    async def _probe(self, vm: Vm, prober: Prober) -> None:
        assert self._reading is not None  # noqa: S101 - set by `observe`
        seen = await prober.probe_once(vm)
        successes = 0 if seen else self._reading.successes + 1
        probe, unprobed = f"{prober.probe} {seen or 'answers'}", (seen or "").startswith(UNPROBED)
        self._reading = replace(self._reading, probe=probe, unprobed=unprobed, successes=successes)

    async def _read_log(self, vm: Vm) -> None:
        assert self._reading is not None  # noqa: S101 - set by `observe`
        try:
            text = await self.guests.read_boot_log(vm.id)
        except GatewayError:
            return
        self._has_log = text is not None
        if text is not None:
            self._reading = replace(self._reading, log=find_in_boot_log(text, self.earlier_boots), log_read=True)

    async def _read_resource(self, vm: Vm) -> None:
        assert self._reading is not None  # noqa: S101 - set by `observe`
        try:
            self._reading = replace(self._reading, resource=await self.guests.read_resource_health(vm.id))
        except GatewayError:
            return

    def _proved(self, vm: Vm) -> bool:
        assert self._reading is not None  # noqa: S101 - set by `observe`
        return self._verdict(vm, judge_rungs(self.expected, self._reading)).proved

    def _verdict(self, vm: Vm, rungs: tuple[Rung, ...]) -> StepVerdict:
        over_s, calm = elapsed_s(self.course, self.since, vm.read_at, self.timeout_s)
        whole_time = calm and self.timeout_s >= self.enough_s
        return judge_health(rungs, over_s, self.timeout_s, whole_time=whole_time)

    def _counts(self, name: RungName) -> bool:
        return name in self.expected.counted

    def _due(self, name: RungName, vm: Vm, poll: polls.Poll) -> bool:
        elapsed_s = self._elapsed_s(vm)
        since_s = elapsed_s - self._read_at.get(name, -poll.every_s)
        if not self._counts(name) or elapsed_s < poll.first_s or since_s < poll.every_s:
            return False
        self._read_at[name] = elapsed_s
        return True

    def _elapsed_s(self, vm: Vm) -> float:
        return times.seconds_between(self.since, vm.read_at) or 0.0

    def _note(self, vm: Vm, rungs: tuple[Rung, ...]) -> None:
        after_s = times.seconds_between(self.expected.started_at or self.since, vm.read_at) or 0.0
        for rung in rungs:
            result = f"{rung.name} {rung.verdict} after "
            if not self._results.get(rung.name, "").startswith(result):
                self._results[rung.name] = f"{result}{after_s:.0f} s: {rung.seen}"
