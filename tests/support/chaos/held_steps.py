"""VMs that each stand in another step of their swap when the engine is killed.

Decides how a VM is held in its step (its own operation hangs, its own request is answered late) and by what of ARM and
of the app's queue that is seen. Does not know what is killed, nor how each swap goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.worlds.engine_world import EngineAzure, name_of, vm_id
from tests.support.worlds.local_azure import disk_body, vm_body

# What is held by a late answer is not let go with the rest: the answer outlasts the kill.
_HELD_S = 90.0
# How long a request to storage takes while a swap is caught before its first step: an entity call is several.
_SLOW_S = 0.4
# Recorded medians of Azure's own work on a VM that is deallocated: its downtime is measured.
STOP_S, START_S = 25.6, 12.6
_AFTER_INTENT = ("stop", "new-disk", "start", "health")
type Rules = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Seen:
    """A VM as ARM shows it: `disk` without the VM's name, `requests` how often ARM was asked for it."""

    power: str
    disk: str
    moving: bool
    tags: frozenset[str]
    requests: int


@dataclass(frozen=True)
class Stand:
    """A VM that is to stand in `step` (as the queue has it) when the kill comes, while ARM shows it as `seen`.

    `rules` hold it there from the beginning, `late` from when its intent has been written.
    """

    name: str
    step: str | None
    seen: Callable[[Seen], bool]
    rules: Rules = ()
    late: Rules = ()
    bad: bool = False
    mode: str = "power-off"

    @property
    def wish(self) -> str:
        """The disk that its tag asks for."""
        return f"{self.name}-bad" if self.bad else f"{self.name}-new"

    def bodies(self) -> list[dict[str, Any]]:
        """The VM, whose serial log can be read, and the disk that it is to get."""
        vm = vm_body(self.name, RefreshStopMode=self.mode)
        vm["properties"]["diagnosticsProfile"] = {"bootDiagnostics": {"enabled": True}}
        return [vm, disk_body(self.wish)]


def _operation(kind: str, name: str, **outcome: Any) -> dict[str, Any]:
    return {"match": {"operation": kind, "resource": name}, **outcome}


def _late(method: str, path: str) -> dict[str, Any]:
    return {"match": {"method": method, "path": path}, "delay_s": _HELD_S}


def _late_tags(name: str) -> dict[str, Any]:
    return _late("PATCH", f"/virtualMachines/{name}/providers/Microsoft.Resources/tags")


def _second(kind: str, name: str, first_s: float) -> Rules:
    return (_operation(kind, name, duration_s=first_s, times=1), _operation(kind, name, hang=True))


def _boots_late(disk: str) -> Rules:
    return ({"disk": disk, "boots": True, "takes_s": _HELD_S},)


HELD = (
    Stand(
        "stop01",
        "stop",
        lambda vm: (vm.power, vm.disk) == ("stopping", "old"),
        (_operation("powerOff", "stop01", hang=True),),
    ),
    Stand(
        "disk01",
        "new-disk",
        lambda vm: (vm.power, vm.moving) == ("stopped", True),
        (_operation("update", "disk01", hang=True),),
    ),
    Stand(
        "start01",
        "start",
        lambda vm: (vm.power, vm.disk) == ("starting", "new"),
        (_operation("start", "start01", hang=True),),
    ),
    Stand(
        "health01",
        "health",
        lambda vm: (vm.power, vm.disk) == ("running", "new") and "RefreshState" in vm.tags,
        _boots_late("health01-new"),
    ),
    Stand(  # clears its mark: ARM has taken it away and has not said so
        "clear01",
        "health",
        lambda vm: (vm.power, vm.disk) == ("running", "new") and "RefreshState" not in vm.tags,
        late=(_late_tags("clear01"),),
    ),
    Stand(  # writes the rejection in two requests, and the first has not been answered
        "undo01",
        "undo",
        lambda vm: (vm.power, vm.disk) == ("running", "bad") and "OsDiskPrevious" not in vm.tags,
        late=(_late_tags("undo01"),),
        bad=True,
    ),
    Stand(
        "undo-stop01",
        "undo-stop",
        lambda vm: (vm.power, vm.disk) == ("stopping", "bad") and "OsDiskRejected" in vm.tags,
        _second("powerOff", "undo-stop01", 2),
        bad=True,
    ),
    Stand(
        "undo-disk01",
        "undo-old-disk",
        lambda vm: (vm.power, vm.moving) == ("stopped", True) and "OsDiskRejected" in vm.tags,
        _second("update", "undo-disk01", 0.5),
        bad=True,
    ),
    Stand(
        "undo-start01",
        "undo-start",
        lambda vm: (vm.power, vm.disk) == ("starting", "old") and "OsDiskRejected" in vm.tags,
        _second("start", "undo-start01", 2),
        bad=True,
    ),
    Stand(
        "undo-health01",
        "undo-health",
        lambda vm: (vm.power, vm.disk) == ("running", "old") and "OsDiskRejected" in vm.tags,
        _boots_late("undo-health01-old"),
        bad=True,
    ),
    Stand(
        "intent01",
        "intent",
        lambda vm: (vm.power, vm.disk) == ("running", "old") and "RefreshState" in vm.tags,
        (_late_tags("intent01"),),
    ),
)
# Seen by what ARM was asked since they were admitted: `prepare_swap` begins with the VM.
PREPARES = Stand("prepare01", None, lambda vm: vm.power == "running" and vm.requests > 0)
CLAIMS = Stand("claim01", None, lambda vm: vm.power == "running" and vm.requests == 0)
MEASURED = Stand(
    "measured01",
    "stop",
    lambda vm: (vm.power, vm.disk) == ("deallocating", "old"),
    (_operation("deallocate", "measured01", duration_s=STOP_S), _operation("start", "measured01", duration_s=START_S)),
    mode="deallocate",
)
# Of the look the queue says that it is under way, and no more: the VM is in no step.
LOOKED_AT = Stand("look01", None, lambda vm: (vm.power, vm.disk) == ("running", "old"))
IN_A_STEP = (*HELD, PREPARES, MEASURED, CLAIMS)
STANDS = (*IN_A_STEP, LOOKED_AT)


@dataclass
class Places:
    """Brings the VMs of `azure` into their steps; `steps` is what the queue said last, `looking` who was looked at."""

    azure: EngineAzure
    steps: dict[str, str | None]
    looking: list[str]
    _asked: dict[str, int]

    @classmethod
    def of(cls, azure: EngineAzure) -> Places:
        """Nothing asked yet."""
        return cls(azure, {}, [], {})

    async def take(self) -> None:
        """Bring every VM into its step; those that can be held there come first. Ends with storage slow."""
        await asyncio.gather(*map(self._tag, HELD))
        await self._wait(self._all_held, "that every VM stands in its step", 90)
        await self._admit_after_a_pause(PREPARES, [_late("GET", f"/disks/{PREPARES.wish}$")])
        await self._wait(lambda: not self._missing([PREPARES]), "that a swap is prepared")
        await self._tag(MEASURED)
        await self._wait(lambda: not self._missing([MEASURED]), "that a VM is deallocated")
        await self._admit_after_a_pause(CLAIMS, [_late("GET", f"/virtualMachines/{LOOKED_AT.name}$")], LOOKED_AT)
        await self._wait(lambda: CLAIMS.name in self.steps, "that a swap is admitted")

    def missing(self) -> list[str]:
        """What keeps each VM from standing in its step, by the queue's last word and by ARM now; empty when all do."""
        looked_at = [] if LOOKED_AT.name in self.looking else [f"{LOOKED_AT.name} is not looked at"]
        return [*self._missing(IN_A_STEP), *looked_at]

    async def _tag(self, stand: Stand) -> None:
        """Ask for the disk as a person does, and only then hold the VM where it is to stand."""
        await self.azure.tag(vm_id(stand.name), OsDiskName=stand.wish)
        self.azure.plan(*stand.rules)

    async def _admit_after_a_pause(self, stand: Stand, rules: Rules, looked_at: Stand | None = None) -> None:
        """Plan `rules` between the look at a VM and its admission, and have another `looked_at` meanwhile."""
        await self.azure.api("POST", "/api/pause")
        await self._tag(stand)
        await self._wait(lambda: stand.name in self.waiting, f"that {stand.name} waits for its turn")
        self.azure.plan(*rules)
        if looked_at is not None:
            await self._tag(looked_at)
            await self._wait(lambda: looked_at.name in self.looking, f"that {looked_at.name} is looked at")
            self.azure.storage.latency_s = _SLOW_S
        self._asked[stand.name] = self._requests(stand.name)
        await self.azure.api("POST", "/api/resume")

    async def _wait(self, holds: Callable[[], bool], what: str, within_s: float = 30) -> None:
        async def now() -> bool:
            queue = await self.azure.queue()
            self.steps = {name_of(row["vm"]): row["step"] for row in queue.get("running", [])}
            self.waiting = [name_of(row["vm"]) for row in queue.get("waiting", [])]
            self.looking = [name_of(vm) for vm in queue.get("looking", [])]
            return holds()

        try:
            await self.azure.wait(now, within_s, what)
        except AssertionError as error:
            raise AssertionError(f"{error}; missing: {self.missing()}") from None

    def _all_held(self) -> bool:
        for stand in HELD:
            if stand.late and self.steps.get(stand.name) in _AFTER_INTENT and stand.name not in self._asked:
                self._asked[stand.name] = self._requests(stand.name)
                self.azure.plan(*stand.late)
        return not self._missing(HELD)

    def _missing(self, stands: Iterable[Stand]) -> list[str]:
        found = []
        for stand in stands:
            if stand.name not in self.steps or self.steps[stand.name] != stand.step:
                found.append(f"{stand.name} is in step {self.steps.get(stand.name, 'none')}, not {stand.step}")
            elif not stand.seen(seen := self._see(stand)):
                found.append(f"{stand.name} is {seen}")
        return found

    def _see(self, stand: Stand) -> Seen:
        (body,) = self.azure.simulator.resources(resource_id=vm_id(stand.name))
        return Seen(
            power=body["_power"],
            disk=body["properties"]["storageProfile"]["osDisk"]["name"].removeprefix(f"{stand.name}-"),
            moving=body["properties"]["provisioningState"] == "Updating",
            tags=frozenset(body["tags"]),
            requests=self._requests(stand.name) - self._asked.get(stand.name, 0),
        )

    def _requests(self, name: str) -> int:
        path = vm_id(name).lower()
        return sum(str(row["path"]).lower().startswith(path) for row in self.azure.simulator.journal.requests)
