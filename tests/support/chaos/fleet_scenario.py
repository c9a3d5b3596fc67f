"""Failure scenarios of a fleet as a state machine: tag edits, faults of Azure, worker crashes, passing time.

Decides what may happen next and does it on a local Azure in virtual time. At the end it removes every failure, runs the
sweep, and checks the invariants (`fleet_invariants.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, override

import aiohttp
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from simulator.arm.core.fault_plans import OperationFault, RequestFault
from simulator.clock import Clock, ClockLoop
from simulator.eventgrid import Chaos
from tests.support.chaos.failures import KINDS, WorkerCrashes, disorders, faults
from tests.support.chaos.fleet import WISHES, EditRecord, Machine, fleets, scenario, text_of, vm_id
from tests.support.chaos.fleet_invariants import MAX_SWAPS, assert_invariants
from tests.support.worlds.local_azure import LocalAzure, local_azure

BAD = {"disk": "*-bad", "boots": False}
_PAUSES_S = st.sampled_from((1, 10, 20, 30, 45, 60, 200, 400))
_STOPS = ("deallocate", "powerOff")
# An event may be ten minutes late: the idle dispatcher then looks once more.
_LATEST_EVENT_S = 660


def drawn(stories: int) -> settings:
    """Settings for that many drawn scenarios."""
    return settings(max_examples=stories, stateful_step_count=7, suppress_health_check=list(HealthCheck))


class FleetScenario(RuleBasedStateMachine):
    """One fleet, and the actions and failures around it.

    Hypothesis selects rules by number of arguments and name: a new name can change what a seed draws."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock("virtual")
        self.runner = asyncio.Runner(loop_factory=lambda: ClockLoop(self.clock))
        self.crashes, self.edits = WorkerCrashes(), EditRecord()
        self.fleet: tuple[Machine, ...] = ()
        self.opened: AbstractAsyncContextManager[LocalAzure] | None = None
        self.broken = False

    @initialize(fleet=fleets(), disorder=disorders(), wish=st.sampled_from(("new", "newer", "bad")))
    def create_fleet(self, fleet: tuple[Machine, ...], disorder: Chaos, wish: str) -> None:
        """Create the fleet and edit one tag at once: otherwise most scenarios would have no swap."""
        self.fleet = fleet
        settings = {"REFRESH_MAX_SWAPS": str(MAX_SWAPS)}
        self.opened = local_azure(self.clock, scenario(fleet), settings=settings, chaos=disorder)
        self.azure = self._run(self.opened.__aenter__())
        self.azure.hub.interruptions = self.crashes
        self.azure.simulator.services.faults.add([BAD])
        self._record_spoilt_stops()
        self._wish(fleet[0].name, wish, 0)

    @rule(pause_s=_PAUSES_S, at=st.integers(0, 3), wish=st.sampled_from(WISHES))
    def person_edits_tag(self, pause_s: int, at: int, wish: str) -> None:
        self._wish(self._vm(at), wish, pause_s)

    @rule(pause_s=_PAUSES_S, at=st.integers(0, 3), wish=st.sampled_from(("new", "newer", "bad", "old")))
    def person_edits_tag_to_fitting_disk(self, pause_s: int, at: int, wish: str) -> None:
        self._wish(self._vm(at), wish, pause_s)

    @rule(pause_s=_PAUSES_S, at=st.integers(0, 3), word=st.sampled_from(("hold", "hold", "true")))
    def person_changes_hold(self, pause_s: int, at: int, word: str) -> None:
        name = self._vm(at)
        if self._run(self._write(name, pause_s, AutoRefresh=word)):
            (self.edits.held.add if word == "hold" else self.edits.held.discard)(name)

    @rule(pause_s=_PAUSES_S, at=st.integers(0, 3))
    def owner_stops_vm(self, pause_s: int, at: int) -> None:
        name = self._vm(at)
        self.edits.stopped.add(name)
        self._count_edit(name)
        self._run(self._request_as_person("POST", f"{vm_id(name)}/deallocate", pause_s))

    @rule(pause_s=_PAUSES_S, at=st.integers(0, 3))
    def person_deletes_vm(self, pause_s: int, at: int) -> None:
        name = self._vm(at)
        self.edits.deleted.add(name)
        self._run(self._request_as_person("DELETE", vm_id(name), pause_s))

    @rule(pause_s=_PAUSES_S, rules=st.lists(faults(), min_size=1, max_size=3))
    def azure_fails(self, pause_s: int, rules: list[dict[str, Any]]) -> None:
        """Add fault rules in front of the rule for bad disks."""
        self._run(asyncio.sleep(pause_s))
        self.edits.conflicts |= any(rule.get("respond", {}).get("status") == 409 for rule in rules)
        self.azure.simulator.services.faults.add(rules)

    @rule(
        seed=st.integers(0, 999),
        rate=st.sampled_from((0.02, 0.1, 0.3)),
        kinds=st.sets(st.sampled_from(KINDS), min_size=1),
    )
    def faults_at_random(self, seed: int, rate: float, kinds: set[str]) -> None:
        self.edits.conflicts |= "refused" in kinds
        self.azure.simulator.services.faults.plan(seed, rate, sorted(kinds), hang_limit_s=900)

    @rule(pause_s=_PAUSES_S)
    def azure_recovers(self, pause_s: int) -> None:
        self._run(self._recover(pause_s))

    @rule(pause_s=_PAUSES_S, moments=st.lists(st.integers(1, 60), min_size=1, max_size=4))
    def worker_crashes_later(self, pause_s: int, moments: list[int]) -> None:
        self._run(asyncio.sleep(pause_s))
        for number in moments:
            self.crashes.plan(number)

    @rule(pause_s=_PAUSES_S)
    def orchestrations_are_terminated(self, pause_s: int) -> None:
        """Terminate every swap and look, as a person with access to the Durable endpoint can."""
        self._run(self._kill(pause_s))

    @rule()
    def sweep_runs(self) -> None:
        self._run(self.azure.fire("sweep"))

    @invariant()
    def dispatcher_reads_everything(self) -> None:
        if self.opened is not None:
            state = self.azure.dispatcher_state()
            self._run(self._holds(state.get("bad") is None, f"unreadable: {state.get('bad')}"))

    @override
    def teardown(self) -> None:
        """Remove every failure and check the invariants; a scenario that failed before is only closed."""
        try:
            if self.opened is not None and not self.broken:
                self._run(self._end_failures())
                self._run(self._check())
        finally:
            if self.opened is not None:
                self.runner.run(self.opened.__aexit__(None, None, None))
            self.runner.close()

    async def _check(self) -> None:
        await assert_invariants(self.azure, self.fleet, self.edits)

    def _run[T](self, part: Coroutine[Any, Any, T]) -> T:
        try:
            return self.runner.run(part)
        except BaseException:
            self.broken = True
            raise

    async def _holds(self, value: bool, text: str) -> None:
        assert value, text

    def _vm(self, at: int) -> str:
        return self.fleet[at % len(self.fleet)].name

    def _wish(self, name: str, wish: str, pause_s: int) -> None:
        if self._run(self._write(name, pause_s, OsDiskName=text_of(name, wish))):
            self.edits.wishes.setdefault(name, []).append(wish)

    async def _write(self, name: str, pause_s: int = 0, **tags: str) -> bool:
        """Edit tags as a person; False when the edit did not take effect, because Azure refused or ignored it."""
        await asyncio.sleep(pause_s)
        with suppress(AssertionError, aiohttp.ClientError):
            await self.azure.tag(vm_id(name), **tags)
        found = list(self.azure.simulator.resources(resource_id=vm_id(name)))
        if not found or not tags.items() <= (found[0].get("tags") or {}).items():
            return False
        self._count_edit(name)
        return True

    def _count_edit(self, name: str) -> None:
        self.edits.count[name] = self.edits.count.get(name, 0) + 1

    async def _request_as_person(self, method: str, path: str, pause_s: int) -> None:
        await asyncio.sleep(pause_s)
        with suppress(AssertionError, aiohttp.ClientError):
            await self.azure.arm(method, path)

    async def _kill(self, pause_s: int) -> None:
        await asyncio.sleep(pause_s)
        hub = self.azure.hub
        for name, instance in list(hub.orchestrations.instances.items()):
            if not instance.ended and name.startswith(("swap-", "look-")):
                hub.terminate(name)

    async def _recover(self, pause_s: int) -> None:
        await asyncio.sleep(pause_s)
        self._clear_faults()

    def _record_spoilt_stops(self) -> None:
        """Record every stop that Azure accepts and does not complete: the app has to stop the VM again."""
        rules = self.azure.simulator.services.faults
        operation_fault, request_fault = rules.operation_fault, rules.request_fault

        def recorded_operation(operation: str, resource_id: str) -> OperationFault:
            fault = operation_fault(operation, resource_id)
            if operation in _STOPS and (fault.error or fault.nothing or fault.hangs):
                self._count_spoilt(resource_id)
            return fault

        def recorded_request(method: str, path: str) -> RequestFault:
            fault = request_fault(method, path)
            if fault.nothing and path.endswith(_STOPS):
                self._count_spoilt(path.rsplit("/", 1)[0])
            return fault

        rules.operation_fault, rules.request_fault = recorded_operation, recorded_request  # type: ignore[method-assign]

    def _count_spoilt(self, vm_id: str) -> None:
        name = vm_id.rsplit("/", 1)[1].lower()
        self.edits.spoilt[name] = self.edits.spoilt.get(name, 0) + 1

    def _clear_faults(self) -> None:
        faults = self.azure.simulator.services.faults
        faults.clear()
        faults.add([BAD])

    async def _end_failures(self) -> None:
        await asyncio.sleep(60)
        self.crashes.end()
        self.edits.sent_twice = self.crashes.sent_twice
        self._clear_faults()
        for _ in range(30):
            await asyncio.sleep(301)
            await self.azure.fire("sweep")
            await asyncio.sleep(90)
            if self.azure.idle() and not self.azure.dispatcher_state().get("down"):
                break
        await asyncio.sleep(_LATEST_EVENT_S)
        for _ in range(2):
            await self.azure.fire("sweep")
            await self.azure.settled()
