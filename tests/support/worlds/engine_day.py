"""Runs every basic function of the app once on the real engine, and records the answers for the tests.

Decides the order of the requests. Leaves the checks to the tests.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, override

from durabletask.client import AsyncTaskHubGrpcClient, OrchestrationStatus

from simulator.clock import Clock
from simulator.engine.strict_storage import StrictStorage
from tests.support.chaos.engine_failures import ActivityFailure, FailingEngine
from tests.support.engine.hub_tables import HubTables
from tests.support.worlds.builders import disk_id
from tests.support.worlds.engine_world import EngineAzure, hosted, name_of, strict_storage, vm_id
from tests.support.worlds.local_azure import ROOT, disk_body, vm_body

BULK = tuple(f"bulk{number:02}" for number in range(1, 11))
EDITED, DEAD, CRASHES, FAILS, TORN, SWEPT = "edit01", "dead01", "crash01", "fail01", "torn01", "swept01"
TAGGED = (EDITED, DEAD, CRASHES, FAILS, TORN)
LISTS = ("vms", "queue", "runs", "orphans", "selfcheck")
HISTORY_DAYS = 30
SETTINGS = {"REFRESH_SELFCHECK": "required", "REFRESH_HISTORY_DAYS": str(HISTORY_DAYS)}
FAILURES = (
    ActivityFailure("ensure_started", vm_id(CRASHES), times=1, crashes=True),
    ActivityFailure("ensure_os_disk", disk_id(f"{FAILS}-new"), times=-1),
)
type Answer = tuple[int, Any]


@dataclass
class Day:
    """The record: answers of the API, the end of each VM, and the log messages of failed timers (`errors`).

    `unchecked`, `paused`: the waiting VMs and their reasons before the self-check and during the pause.
    `stopped_early`: the VMs that were stopped before the end of the pause. `late`: the records of two runs before and
    after their second start, `late_output` the output of the first of them after it.
    """

    started_s: float = 0.0
    first_edit_s: float = 0.0
    lists: list[dict[str, Answer]] = field(default_factory=list)
    unchecked: dict[str, str] = field(default_factory=dict)
    paused: dict[str, str] = field(default_factory=dict)
    stopped_early: list[str] = field(default_factory=list)
    selfcheck: Any = None
    bulk: Any = None
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    runs: dict[str, Answer] = field(default_factory=dict)
    vms: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    stops: dict[str, int] = field(default_factory=dict)
    torn: dict[str, Answer] = field(default_factory=dict)
    late: dict[str, tuple[Answer, Answer]] = field(default_factory=dict)
    late_output: Any = None
    errors: list[str] = field(default_factory=list)
    purged: dict[str, Answer] = field(default_factory=dict)
    refused: int = -1
    requests: int = 0


def scenario() -> list[dict[str, Any]]:
    """The VMs, each with a new disk; those of the bulk run have their tag from the start."""
    bodies = []
    for name in (*TAGGED, SWEPT, *BULK):
        wish: Any = {"OsDiskName": f"{name}-new"} if name in BULK else {}
        vm = vm_body(name, RefreshStopMode="power-off", **wish)
        vm["properties"]["diagnosticsProfile"] = {"bootDiagnostics": {"enabled": True}}
        bodies += [vm, disk_body(_wish(name))]
    return bodies


def _wish(name: str) -> str:
    return f"{name}-bad" if name == DEAD else f"{name}-new"


async def run_day(clock: Clock) -> Day:
    """Run all steps and return the record."""
    day, begun_s = Day(), clock.time()
    async with strict_storage() as storage:
        engine = FailingEngine(ROOT, storage=storage.connection_string)
        engine.failures = FAILURES
        with _errors_of_timers(day.errors):
            await _run(clock, storage, engine, day, begun_s)
        day.refused, day.requests = storage.refused, storage.requests
    return day


async def _run(clock: Clock, storage: StrictStorage, engine: FailingEngine, day: Day, begun_s: float) -> None:
    async with hosted(clock, storage, scenario(), engine=engine, settings=SETTINGS) as azure:
        day.started_s = clock.time() - begun_s
        await _request_swaps(azure, day)
        await _tear(azure, HubTables(azure.http, storage.connection_string, engine.task_hub), day)
        await _finish_swaps(azure, day)
        await _record_ends(azure, day)
        await _start_again(azure, engine, day)
        await _purge(azure, day)


@contextmanager
def _errors_of_timers(errors: list[str]) -> Iterator[None]:
    """Record the host's log messages about failed timers: a timer has no answer that could show the error."""

    class Kept(logging.Handler):
        @override
        def emit(self, record: logging.LogRecord) -> None:
            errors.append(record.getMessage())

    kept, logger = Kept(logging.ERROR), logging.getLogger("simulator.functions.timers")
    logger.addHandler(kept)
    try:
        yield
    finally:
        logger.removeHandler(kept)


async def _request_swaps(azure: EngineAzure, day: Day) -> None:
    """Request swaps in every way; they wait for the self-check, and then for the end of a pause."""
    azure.plan({"match": {"operation": "powerOff", "resource": TORN}, "duration_s": 8})
    day.lists.append({path: await azure.api("GET", f"/api/{path}") for path in LISTS})
    edited_s = azure.clock.time()
    await asyncio.gather(*(azure.tag(vm_id(name), OsDiskName=_wish(name)) for name in TAGGED))
    _, day.bulk = await azure.api("POST", "/api/swap", {"vms": list(BULK)})
    day.unchecked = await _all_wait(azure, "selfcheck")
    day.first_edit_s = azure.clock.time() - edited_s
    await azure.api("POST", "/api/pause", {"why": "before the first swap"})
    _, begun = await azure.api("POST", "/api/selfcheck")

    async def checked() -> bool:
        return str((await azure.api("GET", begun["href"]))[1]["status"]) != "running"

    await azure.wait(checked, 90, "that the self-check ends")
    day.selfcheck = (await azure.api("GET", begun["href"]))[1]
    day.paused = await _all_wait(azure, "paused")
    day.stopped_early = [name for name in (*TAGGED, *BULK) if azure.journal(vm_id(name))["stops"]]
    day.lists.append({path: await azure.api("GET", f"/api/{path}") for path in LISTS})
    await azure.api("POST", "/api/resume")


async def _all_wait(azure: EngineAzure, reason: str) -> dict[str, str]:
    """The waiting VMs and their reasons, once all of them wait for `reason`."""
    found: dict[str, str] = {}

    async def all_wait() -> bool:
        rows = (await azure.queue()).get("waiting", [])
        found.update({name_of(row["vm"]): row["reason"] for row in rows})
        return {found.get(name) for name in (*TAGGED, *BULK)} == {reason}

    await azure.wait(all_wait, 60, f"that every VM waits for {reason}")
    return found


async def _tear(azure: EngineAzure, tables: HubTables, day: Day) -> None:
    """While a VM stops, change its swap's row to that of an engine that crashed in the swap's first turn."""

    async def stops() -> bool:
        return (await azure.steps()).get(TORN) == "stop"

    await azure.wait(stops, 60, f"that {TORN} stops")
    (run,) = [row["run"] for row in (await azure.queue())["running"] if name_of(row["vm"]) == TORN]
    await tables.tear(run)
    day.torn = {path: await azure.api("GET", f"/api/{path}") for path in ("runs", f"runs/{run}", "orphans")}


async def _finish_swaps(azure: EngineAzure, day: Day) -> None:
    """Let the swaps continue; meanwhile change a tag without an event, and let the sweep find it."""
    azure.simulator.put_resources([{"id": vm_id(SWEPT), "tags": {**_tags(azure, SWEPT), "OsDiskName": _wish(SWEPT)}}])
    await azure.fire("sweep")

    async def swept() -> bool:
        return SWEPT in await azure.rows()

    await azure.wait(swept, 90, "that the tag that the sweep found is fulfilled")
    await azure.wait(azure.idle, 120, "that the app is idle")


def _tags(azure: EngineAzure, name: str) -> dict[str, str]:
    (body,) = azure.simulator.resources(resource_id=vm_id(name))
    return dict(body["tags"])


async def _record_ends(azure: EngineAzure, day: Day) -> None:
    async def over() -> bool:
        return str((await azure.api("GET", day.bulk["href"]))[1]["status"]) != "running"

    await azure.wait(over, 90, "that the bulk run ends")
    day.lists.append({path: await azure.api("GET", f"/api/{path}") for path in LISTS})
    day.rows = await azure.rows()
    for run in (day.bulk["id"], *(row["run"] for rows in day.rows.values() for row in rows)):
        day.runs[run] = await azure.api("GET", f"/api/runs/{run}")
    for name in (*TAGGED, SWEPT, *BULK):
        day.vms[name], day.stops[name] = await azure.vm(vm_id(name)), azure.journal(vm_id(name))["stops"]


async def _start_again(azure: EngineAzure, engine: FailingEngine, day: Day) -> None:
    """Start two swaps once more after their end, as a start that arrives late does: the engine replaces the instances.

    One with its own number, one with a number that the dispatcher never gave.
    """
    starts = {EDITED: None, DEAD: 10_000}
    client = AsyncTaskHubGrpcClient(host_address=engine.rpc_url.removeprefix("http://"))
    try:
        for name, number in starts.items():
            run = day.rows[name][0]["run"]
            data = {"vm": vm_id(name), "n": number or int(run.rpartition("-")[2]), "bounded": True}
            before = await azure.api("GET", f"/api/runs/{run}")
            await client.schedule_new_orchestration("swap_vm", input=data, instance_id=run)

            async def ended(run: str = run, before: Answer = before) -> bool:
                state = await client.get_orchestration_state(run)
                again = state is not None and state.created_at.isoformat() > str(before[1]["ended"])[:26]
                return again and state is not None and state.runtime_status is OrchestrationStatus.COMPLETED

            await azure.wait(ended, 30, f"that the second run of {name} ends")
            day.late[name] = before, await azure.api("GET", f"/api/runs/{run}")
            state = await client.get_orchestration_state(run)
            if name == EDITED and state is not None:
                day.late_output = state.get_output()
    finally:
        await client.close()


async def _purge(azure: EngineAzure, day: Day) -> None:
    """Purge at a later time: Azure's clock is moved forward, the engine's own is not."""
    begin = (azure.clock.now() - timedelta(days=1)).isoformat().replace("+00:00", "Z")
    path = f"/api/runs?from={begin}&top=100"
    day.purged["before"] = await azure.api("GET", path)
    azure.clock.advance(timedelta(days=HISTORY_DAYS + 2).total_seconds())
    await azure.fire("purge_history")

    async def purged() -> bool:
        # The engine does not purge an instance whose age it does not know.
        rows = (await azure.api("GET", path))[1]["value"]
        return {name_of((row["input"].get("vms") or [""])[0]) for row in rows} <= {TORN}

    await azure.wait(purged, 30, "that ended runs are purged")
    day.purged["after"] = await azure.api("GET", path)
    day.purged["bulk"] = await azure.api("GET", f"/api/runs/{day.bulk['id']}")
    day.purged["queue"] = await azure.api("GET", "/api/queue")
