"""Measures how long people wait in a storm of events: edits in it, and a VM that is down.

Decides the storm: one event about each of many VMs whose tags are fulfilled, through Event Grid. Just before it, in its
middle and after its last event a person tags a VM with a new disk. When all events are accepted, a sweep finds a VM
that an earlier swap has left down. Does not know how the app works off events: it reads the engine's work.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections.abc import Callable, Iterator
from math import inf
from pathlib import Path
from typing import Any

import aiohttp

from bench.app_trees import check_app
from bench.comparison import Figure
from bench.watched_engine import Acted, Notes, WatchedEngine
from simulator.arm.core.write_events import WriteEvent
from simulator.clock import Clock
from simulator.durable import DurableHub
from simulator.engine.azure_storage import AzureStorageEngine
from simulator.engine.contract import Engine
from simulator.engine.kinds import EngineKind
from simulator.engine.simulated import SimulatedEngine
from simulator.functions.host_json import HostJson
from simulator.local_app import LocalApp
from simulator.world import Endpoints, Simulator

_SUBSCRIPTION = "bbbbbbbb-0000-4000-8000-000000000001"
_COMPUTE = f"/subscriptions/{_SUBSCRIPTION}/resourceGroups/rg-bench/providers/Microsoft.Compute"
_FIRST, _MIDDLE, _LAST, _DOWN = "edited-first", "edited-middle", "edited-last", "left-down"
_EDITS = {_FIRST: "edit at the start", _MIDDLE: "edit in the middle", _LAST: "edit at the end"}
# Azure's own work is short, so that the first swap claims, reports its steps and ends while events still arrive.
_QUICK: list[dict[str, Any]] = [
    {"match": {"operation": "deallocate"}, "duration_s": 2},
    {"match": {"operation": "update"}, "duration_s": 0.5},
    {"match": {"operation": "start"}, "duration_s": 2},
    {"disk": "*", "boots": True, "takes_s": 2},
]
_NEVER = "0 0 0 29 2 *"
_SETTINGS = dict.fromkeys(("REFRESH_SCHEDULE", "SWEEP_SCHEDULE", "PURGE_SCHEDULE", "RETENTION_SCHEDULE"), _NEVER)
_LIMIT_S = 1800.0
_LIST = "list_mismatches"
_DULL = re.compile(r"/(dull-[0-9]+)")


async def play(clock: Clock, app: Path, vms: int, kind: EngineKind, latency_s: float) -> list[Figure]:
    """One storm about `vms` VMs on the app in the folder `app`."""
    # As in Azure, the app's connections stay open; aiohttp would log an error for each at the end.
    logging.getLogger("asyncio").disabled = True
    dull = [f"dull-{number:04}" for number in range(vms)]
    simulator = Simulator(clock, seed=1, scenario=_scenario(dull))
    simulator.services.faults.add(_QUICK)
    engine = WatchedEngine(_engine(clock, app, kind, latency_s), clock)
    local = LocalApp(simulator, app, engine=engine, settings=_SETTINGS)
    endpoints = await local.start()
    check_app(app)
    try:
        async with aiohttp.ClientSession() as http:
            storm = _Storm(clock, simulator, endpoints, http, engine.notes)
            await storm.run(dull)
            return list(storm.figures(f"storm of {vms:,} events, {kind}"))
    finally:
        await local.stop()


def _engine(clock: Clock, app: Path, kind: EngineKind, latency_s: float) -> Engine:
    if kind == "azure-storage":
        return AzureStorageEngine(app, latency_s=latency_s)
    return SimulatedEngine(DurableHub(clock, HostJson.read(app).limits, seed=1))


class _Storm:
    def __init__(
        self, clock: Clock, simulator: Simulator, endpoints: Endpoints, http: aiohttp.ClientSession, notes: Notes
    ) -> None:
        self._clock, self._simulator, self._notes = clock, simulator, notes
        self._endpoints, self._http = endpoints, http
        self._at_s: dict[str, float] = {}
        self._unseen: set[str] = set()
        self._hinted_s: dict[str, float] = {}
        self._noted, self._noted_hints, self._quiet_s = 0, 0, 0.0

    async def run(self, dull: list[str]) -> None:
        """Let the storm pass, and wait until everything that it asks for is done."""
        half = len(dull) // 2
        self._at_s["first"] = self._clock.time()
        await self._tag(_FIRST)
        for name in dull[:half]:
            self._send(name)
        await self._tag(_MIDDLE)
        for name in dull[half:]:
            self._send(name)
        await self._tag(_LAST)
        await self._until(self._is_accepted)
        self._at_s["accepted"] = self._at_s[_DOWN] = self._clock.time()
        await self._sweep()
        self._unseen = set(dull)
        await self._until(self._are_seen)
        await self._until(self._are_swapped)

    def figures(self, part: str) -> Iterator[Figure]:
        """What the storm has shown, in seconds since what each figure names."""
        seconds: dict[str, float] = {}
        for name, text in _EDITS.items():
            since_s = self._at_s[name]
            seconds[f"{text}: its swap begins"] = self._begun_s(name) - since_s
            seconds[f"{text}: its swap has its claim"] = self._first_s(name, "prepare_swap") - since_s
        # A list that events have asked for may find it before the sweep.
        seconds["VM that is down: its start begins"] = max(
            0.0, self._first_s(_DOWN, "ensure_started") - self._at_s[_DOWN]
        )
        answered = [one for one in self._notes.answered if one.instance_id.startswith("swap-")]
        claims_s = [one.waited_s for one in answered if one.operation == "claim"]
        seconds["longest wait of a swap for its claim"] = max(claims_s, default=0.0)
        seconds["longest wait of a swap for any answer"] = max((one.waited_s for one in answered), default=0.0)
        seconds["last event is accepted"] = self._at_s["accepted"] - self._at_s["first"]
        seconds["every VM has been looked at"] = self._quiet_s - self._at_s["first"]
        for name, value in seconds.items():
            yield Figure(part, name, "s", value)

    def _send(self, name: str) -> None:
        vm = _vm_id(name)
        scope = f"{vm}/providers/Microsoft.Resources/tags/default"
        write = WriteEvent(
            resource_id=vm,
            scope=scope,
            operation_name="Microsoft.Resources/tags/write",
            kind="write",
            method="PATCH",
            url=f"{self._endpoints.arm}{scope}",
            at=self._clock.now(),
            correlation_id=name,
            client_request_id=None,
            status="Succeeded",
        )
        self._simulator.event_grid.on_write(write)

    async def _tag(self, name: str) -> None:
        url = f"{self._endpoints.arm}{_vm_id(name)}/providers/Microsoft.Resources/tags/default?api-version=2024-11-01"
        body = {"operation": "Merge", "properties": {"tags": {"OsDiskName": f"{name}-new"}}}
        async with self._http.patch(url, json=body, headers={"Authorization": "Bearer bench"}) as answer:
            answer.raise_for_status()
        self._at_s[name] = self._clock.time()

    async def _sweep(self) -> None:
        url = f"{self._endpoints.functions}/admin/functions/sweep"
        async with self._http.post(url, json={"input": ""}) as answer:
            answer.raise_for_status()

    async def _until(self, holds: Callable[[], bool]) -> None:
        deadline_s = self._clock.time() + _LIMIT_S
        while not holds():
            if self._clock.time() > deadline_s:
                raise SystemExit(f"the storm is not over after {_LIMIT_S:.0f} s")
            await asyncio.sleep(0.25)  # each check takes milliseconds of the process that is measured

    def _is_accepted(self) -> bool:
        # Events of other operations, such as a stop, are not subscribed and never delivered.
        events = self._simulator.event_grid.log()
        return all(event["deliveries"] for event in events if _DULL.search(event["subject"]))

    def _are_seen(self) -> bool:
        """Whether an activity has looked at each VM of the storm; notes when the last of them ended.

        Either its input has the VM, or it lists the VM's subscription and began after the first hint at the VM.
        """
        for hint in self._notes.hinted[self._noted_hints :]:
            for name in _DULL.findall(hint.payload):
                self._hinted_s.setdefault(name, hint.at_s)
        self._noted_hints = len(self._notes.hinted)
        for one in self._notes.acted[self._noted :]:
            found = self._unseen.intersection(_DULL.findall(one.payload))
            if one.name == _LIST:
                found = {name for name in self._unseen if self._hinted_s.get(name, inf) <= one.began_s}
            self._quiet_s = one.ended_s if found else self._quiet_s
            self._unseen -= found
        self._noted = len(self._notes.acted)
        return not self._unseen

    def _are_swapped(self) -> bool:
        return all(any(self._acts(name, "ensure_healthy")) for name in _EDITS) and any(
            self._acts(_DOWN, "ensure_started")
        )

    def _acts(self, name: str, activity: str) -> Iterator[Acted]:
        vm = _vm_id(name)
        return (one for one in self._notes.acted if one.name == activity and vm in one.payload)

    def _first_s(self, name: str, activity: str) -> float:
        return min(one.began_s for one in self._acts(name, activity))

    def _begun_s(self, name: str) -> float:
        vm = _vm_id(name)
        return min(one.at_s for key, one in self._notes.begun.items() if key.startswith("swap-") and vm in one.payload)


def _scenario(dull: list[str]) -> list[dict[str, Any]]:
    bodies = [body for name in dull for body in _vm(name, {"OsDiskName": f"{name}-old"})]
    for name in _EDITS:
        bodies += [*_vm(name, {}), _disk(f"{name}-new")]
    # The mark of a swap that has stopped the VM and is gone.
    key = hashlib.sha256(_vm_id(_DOWN).lower().encode()).hexdigest()[:12]
    mark = {"RefreshState": f"run=swap-{key}-1;ran=yes", "OsDiskName": f"{_DOWN}-old"}
    return [*bodies, *({**body, "_power": "deallocated"} for body in _vm(_DOWN, mark))]


def _vm(name: str, tags: dict[str, str]) -> list[dict[str, Any]]:
    os_disk = {
        "name": f"{name}-old",
        "osType": "Linux",
        "createOption": "FromImage",
        "managedDisk": {"id": f"{_COMPUTE}/disks/{name}-old"},
    }
    place = {"location": "westeurope", "zones": ["1"]}
    vm = {"id": _vm_id(name), **place, "tags": {"AutoRefresh": "true", **tags}}
    return [_disk(f"{name}-old"), {**vm, "properties": {"storageProfile": {"osDisk": os_disk}}}]


def _disk(name: str) -> dict[str, Any]:
    properties = {
        "osType": "Linux",
        "hyperVGeneration": "V2",
        "diskSizeGB": 30,
        "creationData": {"createOption": "Empty"},
    }
    disk = {"id": f"{_COMPUTE}/disks/{name}", "location": "westeurope", "zones": ["1"]}
    return {**disk, "sku": {"name": "Premium_LRS"}, "properties": properties}


def _vm_id(name: str) -> str:
    return f"{_COMPUTE}/virtualMachines/{name}"
