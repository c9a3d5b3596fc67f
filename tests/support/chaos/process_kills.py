"""Runs three worlds in parallel, each with a kill in the middle of its swaps.

Decides what is killed: the engine alone, the one instance (a new one starts), one of two instances. Leaves the checks to
the tests.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from simulator.clock import Clock
from simulator.engine.strict_storage import StrictStorage
from tests.support.chaos.held_steps import MEASURED, STANDS, Places
from tests.support.chaos.instance_loss import Loss, lose_one
from tests.support.worlds.engine_world import Site, site, strict_storage, vm_id

KINDS = ("engine", "instance")


@dataclass
class Death:
    """The record of one world with a VM in every step at the time of the kill.

    `missing`: VMs that were not in their step at the kill. `took_s`: seconds from the kill until the app was idle.
    `down_s`: downtime of the `MEASURED` VM; `killed_after_s`: its downtime at the kill.
    `posts`: the power operations that ARM accepted, for each VM.
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
    posts: dict[str, list[str]] = field(default_factory=dict)
    events: dict[str, set[str]] = field(default_factory=dict)
    dead_letters: int = 0


@dataclass
class Deaths:
    """The records of all three worlds, or the error that ended one. `refused`: requests that strict storage refused."""

    killed: dict[str, Death | BaseException] = field(default_factory=dict)
    loss: Loss | BaseException = field(default_factory=Loss)
    refused: int = -1

    def of(self, kind: str) -> Death:
        """The record of the kill of this kind; raises the error that ended its world."""
        death = self.killed[kind]
        if isinstance(death, BaseException):
            raise death
        return death

    def of_two(self) -> Loss:
        """The record of the loss of one of two instances; raises the error that ended its world."""
        if isinstance(self.loss, BaseException):
            raise self.loss
        return self.loss


async def die(clock: Clock, logs: Path) -> Deaths:
    """Run all three worlds in parallel, each on its own storage, so that slow requests of one do not delay another."""
    deaths = Deaths()
    async with strict_storage() as one, strict_storage() as other, strict_storage() as third:
        engine, instance, loss = await asyncio.gather(
            _kill(clock, one, "engine", logs / "engine.log"),
            _kill(clock, other, "instance", logs / "instance.log"),
            lose_one(clock, third, logs / "two.log"),
            return_exceptions=True,
        )
        deaths.refused = one.refused + other.refused + third.refused
    deaths.killed = {"engine": engine, "instance": instance}
    deaths.loss = loss
    return deaths


async def _kill(clock: Clock, storage: StrictStorage, kind: str, log: Path) -> Death:
    scenario = list(chain.from_iterable(stand.bodies() for stand in STANDS))
    async with site(clock, storage, scenario, hub=kind, log=log) as azure:
        places, death = Places.of(azure), Death()
        await places.take()
        killed_s = clock.time()
        if kind == "engine":
            azure.kill_engine()
        else:
            await azure.lose(azure.instances[0])
        storage.latency_s = 0.0
        death.missing = places.missing()
        death.killed_after_s = azure.journal(vm_id(MEASURED.name))["not_running_s"]
        azure.release(*MEASURED.rules)
        if kind == "instance":
            await azure.add_instance()
        await azure.wait(azure.idle, 240, "that every swap ends")
        death.took_s = clock.time() - killed_s
        await _look(azure, death)
    return death


async def _look(azure: Site, death: Death) -> None:
    death.rows = await azure.rows()
    for name in (stand.name for stand in STANDS):
        vm, journal = vm_id(name), azure.journal(vm_id(name))
        death.vms[name], death.stops[name] = await azure.vm(vm), journal["stops"]
        death.disks[name], death.power[name] = await azure.os_disk(vm), await azure.power(vm)
        death.posts[name] = _posts(azure, vm)
        death.events[name] = {
            str(row["event"]["id"]) for row in azure.simulator.published() if row["event"]["subject"] == vm
        }
    death.down_s = azure.journal(vm_id(MEASURED.name))["not_running_s"]
    death.dead_letters = len(azure.simulator.event_grid.dead_letters)


def _posts(azure: Site, vm: str) -> list[str]:
    """The power operations that ARM accepted for a VM, in order."""
    rows = [row for row in azure.simulator.journal.requests if str(row["path"]).lower().startswith(vm.lower() + "/")]
    kinds = {"poweroff", "deallocate", "start"}
    taken = [str(row["path"]).rsplit("/", 1)[-1].lower() for row in rows if row["status"] == 202]
    return [kind for kind in taken if kind in kinds]
