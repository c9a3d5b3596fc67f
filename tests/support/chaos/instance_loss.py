"""Runs two instances of the app on one hub, and kills one of them in the middle of a bulk run.

Decides what is under way then: ten VMs of the run that stop, one VM outside the run that stops, one that waits for the
end of its notice. Leaves the checks to the tests.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from simulator.clock import Clock
from simulator.engine.strict_storage import StrictStorage
from tests.support.chaos.held_steps import START_S, STOP_S
from tests.support.engine.hub_tables import HubTables
from tests.support.worlds.engine_world import Site, site, vm_id
from tests.support.worlds.local_azure import disk_body, vm_body

BULK = tuple(f"many{number:02}" for number in range(1, 11))
STOPPED, NOTIFIED = "stopped01", "notice01"
ALL = (*BULK, STOPPED, NOTIFIED)
# Long enough for the loss to fall into the notice, and to measure the whole notice.
NOTICE_S = 12
_USUAL = (
    {"match": {"operation": "deallocate"}, "duration_s": STOP_S},
    {"match": {"operation": "start", "resource": STOPPED}, "duration_s": START_S},
)
_HUB = "two"


@dataclass
class InstanceLoss:
    """The record: owners of the partitions before and after, steps at the loss, the bulk run and every VM's end.

    `notice_s`: seconds from the notice of a VM to its stop. `answers_at_once`: the other instance answered right after
    the loss. `took_s`: seconds from the loss until the app was idle.
    """

    owners_before: Counter[str] = field(default_factory=Counter)
    owners_after: Counter[str] = field(default_factory=Counter)
    steps: dict[str, str | None] = field(default_factory=dict)
    bulk: Any = None
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    disks: dict[str, str] = field(default_factory=dict)
    power: dict[str, str] = field(default_factory=dict)
    journal: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers_at_once: bool = False
    notice_s: float = 0.0
    took_s: float = 0.0


def scenario() -> list[dict[str, Any]]:
    """The VMs of the run have their tag from the start: only the run causes their swaps."""
    bodies = []
    for name in ALL:
        wish: Any = {"OsDiskName": f"{name}-new"} if name in BULK else {}
        mode = "deallocate" if name == STOPPED else "power-off"
        bodies += [vm_body(name, RefreshStopMode=mode, **wish), disk_body(f"{name}-new")]
    return bodies


async def lose_instance(clock: Clock, storage: StrictStorage, log: Path) -> InstanceLoss:
    """Run the scenario and return its record."""
    settings = {"REFRESH_NOTICE_S": str(NOTICE_S)}
    async with site(clock, storage, scenario(), hub=_HUB, log=log, instances=2, settings=settings) as azure:
        loss = InstanceLoss()
        tables = HubTables(azure.http, storage.connection_string, _HUB)
        await azure.wait(lambda: _is_shared(tables, loss), 60, "that each instance owns half of the partitions")
        await _begin(azure, loss)
        lost_s = clock.time()
        await azure.lose(azure.instances[0])
        azure.release(*_USUAL)
        loss.answers_at_once = (await azure.api("GET", loss.bulk["href"]))[0] == 200
        await azure.wait(lambda: _is_over(azure, loss), 240, "that every swap ends")
        loss.took_s = clock.time() - lost_s
        loss.owners_after = await tables.owners()
        _, loss.bulk = await azure.api("GET", loss.bulk["href"])
        loss.rows = await azure.rows()
        for name in ALL:
            loss.disks[name], loss.power[name] = await azure.os_disk(vm_id(name)), await azure.power(vm_id(name))
            loss.journal[name] = azure.journal(vm_id(name))
        loss.notice_s = _notice_s(azure, loss)
    return loss


async def _begin(azure: Site, loss: InstanceLoss) -> None:
    """Bring every VM into its step for the loss; a stop cannot end before it."""
    azure.plan(
        {"match": {"operation": "powerOff"}, "hang": True},
        *_USUAL,
    )
    _, loss.bulk = await azure.api("POST", "/api/swap", {"vms": list(BULK)})

    async def are_in(names: tuple[str, ...], step: str) -> bool:
        loss.steps = await azure.steps()
        return {loss.steps.get(name) for name in names} == {step}

    await azure.wait(lambda: are_in(BULK, "stop"), 90, "that the VMs of the run stop")
    await azure.tag(vm_id(STOPPED), OsDiskName=f"{STOPPED}-new")
    await azure.wait(lambda: are_in((STOPPED,), "stop"), 60, f"that {STOPPED} stops")
    await azure.tag(vm_id(NOTIFIED), OsDiskName=f"{NOTIFIED}-new")
    await azure.wait(lambda: are_in((NOTIFIED,), "notice"), 30, f"that {NOTIFIED} waits for the end of its notice")


def _notice_s(azure: Site, loss: InstanceLoss) -> float:
    """Seconds between the `refresh.swap.starting` event and the VM's stop."""
    published = [row for row in azure.simulator.published() if row["event"]["subject"] == vm_id(NOTIFIED)]
    announced = next(row["t"] for row in published if row["event"]["type"] == "refresh.swap.starting")
    (stopped, _) = loss.journal[NOTIFIED]["intervals"][0]
    return (datetime.fromisoformat(stopped) - datetime.fromisoformat(announced)).total_seconds()


async def _is_shared(tables: HubTables, loss: InstanceLoss) -> bool:
    loss.owners_before = await tables.owners()
    return sorted(loss.owners_before.values()) == [2, 2] and "" not in loss.owners_before


async def _is_over(azure: Site, loss: InstanceLoss) -> bool:
    run = (await azure.api("GET", f"/api/runs/{loss.bulk['id']}"))[1]
    return run["status"] != "running" and await azure.idle()
