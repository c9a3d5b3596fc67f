"""Runs three worlds in parallel, each with a kill in the middle of its swaps.

Decides what is killed: the engine alone, the one instance (a new one starts), one of two instances. Leaves the checks
to the tests.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from simulator.clock import Clock
from simulator.engine.strict_storage import StrictStorage
from tests.support.chaos.held_steps import MEASURED, VMS, HeldFleet
from tests.support.chaos.instance_loss import InstanceLoss, lose_instance
from tests.support.worlds.engine_world import Site, site, strict_storage, vm_id

KINDS = ("engine", "instance")


@dataclass
class KillResult:
    """The record of one world with a VM in every step at the time of the kill.

    `missing`: VMs that were not in their step at the kill. `took_s`: seconds from the kill until the app was idle.
    `down_s`: downtime of the `MEASURED` VM; `killed_after_s`: its downtime at the kill.
    `power_operations`: the power operations that ARM accepted, for each VM.
    """

    missing: list[str] = field(default_factory=list)
    took_s: float = 0.0
    down_s: float = 0.0
    killed_after_s: float = 0.0
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    vms: dict[str, dict[str, Any]] = field(default_factory=dict)
    disks: dict[str, str] = field(default_factory=dict)
    power: dict[str, str] = field(default_factory=dict)
    stops: dict[str, int] = field(default_factory=dict)
    power_operations: dict[str, list[str]] = field(default_factory=dict)
    events: dict[str, set[str]] = field(default_factory=dict)
    dead_letters: int = 0


@dataclass
class KillResults:
    """The records of all three worlds, or the error that ended one. `refused`: requests that strict storage refused."""

    killed: dict[str, KillResult | BaseException] = field(default_factory=dict)
    loss: InstanceLoss | BaseException = field(default_factory=InstanceLoss)
    refused: int = -1

    def of(self, kind: str) -> KillResult:
        """The record of the kill of this kind; raises the error that ended its world."""
        result = self.killed[kind]
        if isinstance(result, BaseException):
            raise result
        return result

    def instance_loss(self) -> InstanceLoss:
        """The record of the loss of one of two instances; raises the error that ended its world."""
        if isinstance(self.loss, BaseException):
            raise self.loss
        return self.loss


async def run_kills(clock: Clock, logs: Path) -> KillResults:
    """Run all three worlds in parallel, each on its own storage, so that slow requests of one do not delay another."""
    results = KillResults()
    async with strict_storage() as one, strict_storage() as other, strict_storage() as third:
        engine, instance, loss = await asyncio.gather(
            _kill(clock, one, "engine", logs / "engine.log"),
            _kill(clock, other, "instance", logs / "instance.log"),
            lose_instance(clock, third, logs / "two.log"),
            return_exceptions=True,
        )
        results.refused = one.refused + other.refused + third.refused
    results.killed = {"engine": engine, "instance": instance}
    results.loss = loss
    return results


async def _kill(clock: Clock, storage: StrictStorage, kind: str, log: Path) -> KillResult:
    scenario = list(chain.from_iterable(held.bodies() for held in VMS))
    async with site(clock, storage, scenario, hub=kind, log=log) as azure:
        fleet, result = HeldFleet.of(azure), KillResult()
        await fleet.hold()
        killed_s = clock.time()
        if kind == "engine":
            azure.kill_engine()
        else:
            await azure.lose(azure.instances[0])
        storage.latency_s = 0.0
        result.missing = fleet.missing()
        result.killed_after_s = azure.journal(vm_id(MEASURED.name))["not_running_s"]
        azure.release(*MEASURED.rules)
        if kind == "instance":
            await azure.add_instance()
        await azure.wait(azure.idle, 240, "that every swap ends")
        result.took_s = clock.time() - killed_s
        await _record(azure, result)
    return result


async def _record(azure: Site, result: KillResult) -> None:
    result.rows = await azure.rows()
    for name in (held.name for held in VMS):
        vm, journal = vm_id(name), azure.journal(vm_id(name))
        result.vms[name], result.stops[name] = await azure.vm(vm), journal["stops"]
        result.disks[name], result.power[name] = await azure.os_disk(vm), await azure.power(vm)
        result.power_operations[name] = _power_operations(azure, vm)
        result.events[name] = {
            str(row["event"]["id"]) for row in azure.simulator.published() if row["event"]["subject"] == vm
        }
    result.down_s = azure.journal(vm_id(MEASURED.name))["not_running_s"]
    result.dead_letters = len(azure.simulator.event_grid.dead_letters)


def _power_operations(azure: Site, vm: str) -> list[str]:
    """The power operations that ARM accepted for a VM, in order."""
    rows = [row for row in azure.simulator.journal.requests if str(row["path"]).lower().startswith(vm.lower() + "/")]
    kinds = {"poweroff", "deallocate", "start"}
    taken = [str(row["path"]).rsplit("/", 1)[-1].lower() for row in rows if row["status"] == 202]
    return [kind for kind in taken if kind in kinds]
