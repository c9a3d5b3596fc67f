"""Holds VMs in different steps of their swaps, for a kill of the engine.

Decides how a VM is held in its step (its operation hangs, or its request is answered late) and how ARM and the app's
queue show that step. Does not know what is killed or how each swap continues.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.worlds.engine_world import EngineAzure, name_of, vm_id
from tests.support.worlds.local_azure import disk_body, vm_body

# Delay of late answers: longer than until the kill. `release` does not end them.
_HELD_S = 90.0
# Latency of storage while a swap is held before its first step: an entity call takes several requests.
_SLOW_S = 0.4
# Recorded medians of Azure's work on the VM whose downtime is measured.
STOP_S, START_S = 25.6, 12.6
_AFTER_INTENT = ("stop", "new-disk", "start", "health")
type Rules = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Seen:
    """A VM as ARM shows it: `disk` without the VM's name, `requests` the number of requests to ARM for it."""

    power: str
    disk: str
    moving: bool
    tags: frozenset[str]
    requests: int


@dataclass(frozen=True)
class HeldVm:
    """A VM that is in `step` (by the app's queue) at the kill, while `seen` holds for its state in ARM.

    The fault rules `rules` hold it there from its tag edit on, `late` from the write of its intent on.
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
        """The disk that its tag names."""
        return f"{self.name}-bad" if self.bad else f"{self.name}-new"

    def bodies(self) -> list[dict[str, Any]]:
        """The VM, with a serial log, and its new disk."""
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
    HeldVm(
        "stop01",
        "stop",
        lambda vm: (vm.power, vm.disk) == ("stopping", "old"),
        (_operation("powerOff", "stop01", hang=True),),
    ),
    HeldVm(
        "disk01",
        "new-disk",
        lambda vm: (vm.power, vm.moving) == ("stopped", True),
        (_operation("update", "disk01", hang=True),),
    ),
    HeldVm(
        "start01",
        "start",
        lambda vm: (vm.power, vm.disk) == ("starting", "new"),
        (_operation("start", "start01", hang=True),),
    ),
    HeldVm(
        "health01",
        "health",
        lambda vm: (vm.power, vm.disk) == ("running", "new") and "RefreshState" in vm.tags,
        _boots_late("health01-new"),
    ),
    HeldVm(  # clears `RefreshState`: ARM has removed the tag and not answered yet
        "clear01",
        "health",
        lambda vm: (vm.power, vm.disk) == ("running", "new") and "RefreshState" not in vm.tags,
        late=(_late_tags("clear01"),),
    ),
    HeldVm(  # writes the rejection in two requests: ARM has not answered the first
        "undo01",
        "undo",
        lambda vm: (vm.power, vm.disk) == ("running", "bad") and "OsDiskPrevious" not in vm.tags,
        late=(_late_tags("undo01"),),
        bad=True,
    ),
    HeldVm(
        "undo-stop01",
        "undo-stop",
        lambda vm: (vm.power, vm.disk) == ("stopping", "bad") and "OsDiskRejected" in vm.tags,
        _second("powerOff", "undo-stop01", 2),
        bad=True,
    ),
    HeldVm(
        "undo-disk01",
        "undo-old-disk",
        lambda vm: (vm.power, vm.moving) == ("stopped", True) and "OsDiskRejected" in vm.tags,
        _second("update", "undo-disk01", 0.5),
        bad=True,
    ),
    HeldVm(
        "undo-start01",
        "undo-start",
        lambda vm: (vm.power, vm.disk) == ("starting", "old") and "OsDiskRejected" in vm.tags,
        _second("start", "undo-start01", 2),
        bad=True,
    ),
    HeldVm(
        "undo-health01",
        "undo-health",
        lambda vm: (vm.power, vm.disk) == ("running", "old") and "OsDiskRejected" in vm.tags,
        _boots_late("undo-health01-old"),
        bad=True,
    ),
    HeldVm(
        "intent01",
        "intent",
        lambda vm: (vm.power, vm.disk) == ("running", "old") and "RefreshState" in vm.tags,
        (_late_tags("intent01"),),
    ),
)
# Recognized by the requests to ARM since admission: `prepare_swap` reads the VM first.
PREPARES = HeldVm("prepare01", None, lambda vm: vm.power == "running" and vm.requests > 0)
CLAIMS = HeldVm("claim01", None, lambda vm: vm.power == "running" and vm.requests == 0)
MEASURED = HeldVm(
    "measured01",
    "stop",
    lambda vm: (vm.power, vm.disk) == ("deallocating", "old"),
    (_operation("deallocate", "measured01", duration_s=STOP_S), _operation("start", "measured01", duration_s=START_S)),
    mode="deallocate",
)
# The queue lists this VM under `looking`; it is in no step.
LOOKED_AT = HeldVm("look01", None, lambda vm: (vm.power, vm.disk) == ("running", "old"))
IN_A_STEP = (*HELD, PREPARES, MEASURED, CLAIMS)
VMS = (*IN_A_STEP, LOOKED_AT)


@dataclass
class HeldFleet:
    """Brings the VMs of `azure` into their steps; `steps` and `looking` are from the last read of the queue."""

    azure: EngineAzure
    steps: dict[str, str | None]
    looking: list[str]
    _requests_before: dict[str, int]

    @classmethod
    def of(cls, azure: EngineAzure) -> HeldFleet:
        """Begin without a read."""
        return cls(azure, {}, [], {})

    async def hold(self) -> None:
        """Bring every VM into its step, first those that a rule can hold. Storage is slow at the end."""
        await asyncio.gather(*map(self._tag, HELD))
        await self._wait(self._all_held, "that every VM is in its step", 90)
        await self._admit_after_a_pause(PREPARES, [_late("GET", f"/disks/{PREPARES.wish}$")])
        await self._wait(lambda: not self._missing([PREPARES]), "that a swap is prepared")
        await self._tag(MEASURED)
        await self._wait(lambda: not self._missing([MEASURED]), "that a VM is deallocated")
        await self._admit_after_a_pause(CLAIMS, [_late("GET", f"/virtualMachines/{LOOKED_AT.name}$")], LOOKED_AT)
        await self._wait(lambda: CLAIMS.name in self.steps, "that a swap is admitted")

    def missing(self) -> list[str]:
        """The VMs that are not in their step, with the reason, by the last read of the queue and ARM's state now."""
        looked_at = [] if LOOKED_AT.name in self.looking else [f"{LOOKED_AT.name} is not looked at"]
        return [*self._missing(IN_A_STEP), *looked_at]

    async def _tag(self, held: HeldVm) -> None:
        """Write the tag as a person does, then add the rules that hold the VM."""
        await self.azure.tag(vm_id(held.name), OsDiskName=held.wish)
        self.azure.plan(*held.rules)

    async def _admit_after_a_pause(self, held: HeldVm, rules: Rules, looked_at: HeldVm | None = None) -> None:
        """Plan `rules` between the look at a VM and its admission, and keep another VM in its look (`looked_at`)."""
        await self.azure.api("POST", "/api/pause")
        await self._tag(held)
        await self._wait(lambda: held.name in self.waiting, f"that {held.name} waits in the queue")
        self.azure.plan(*rules)
        if looked_at is not None:
            await self._tag(looked_at)
            await self._wait(lambda: looked_at.name in self.looking, f"that {looked_at.name} is looked at")
            self.azure.storage.latency_s = _SLOW_S
        self._requests_before[held.name] = self._requests(held.name)
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
        for held in HELD:
            if held.late and self.steps.get(held.name) in _AFTER_INTENT and held.name not in self._requests_before:
                self._requests_before[held.name] = self._requests(held.name)
                self.azure.plan(*held.late)
        return not self._missing(HELD)

    def _missing(self, vms: Iterable[HeldVm]) -> list[str]:
        found = []
        for held in vms:
            if held.name not in self.steps or self.steps[held.name] != held.step:
                found.append(f"{held.name} is in step {self.steps.get(held.name, 'none')}, not {held.step}")
            elif not held.seen(seen := self._see(held)):
                found.append(f"{held.name} is {seen}")
        return found

    def _see(self, held: HeldVm) -> Seen:
        (body,) = self.azure.simulator.resources(resource_id=vm_id(held.name))
        return Seen(
            power=body["_power"],
            disk=body["properties"]["storageProfile"]["osDisk"]["name"].removeprefix(f"{held.name}-"),
            moving=body["properties"]["provisioningState"] == "Updating",
            tags=frozenset(body["tags"]),
            requests=self._requests(held.name) - self._requests_before.get(held.name, 0),
        )

    def _requests(self, name: str) -> int:
        path = vm_id(name).lower()
        return sum(str(row["path"]).lower().startswith(path) for row in self.azure.simulator.journal.requests)
