"""A fleet in trouble, as a state machine: people edit tags, Azure misbehaves, workers die, time passes.

Decides what may happen next and carries it out on a local Azure in virtual time. When nothing more happens, everything
is made well again, the sweep does its work, and the promises are checked (`fleet_promises`).
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
from tests.support.chaos.fleet import WISHES, Diary, Machine, fleets, scenario, text_of, vm_id
from tests.support.chaos.fleet_promises import MAX_SWAPS, assert_all_is_well
from tests.support.chaos.misfortune import KINDS, Deaths, disorders, faults
from tests.support.worlds.local_azure import LocalAzure, local_azure

BAD = {"disk": "*-bad", "boots": False}
_PAUSES_S = st.sampled_from((1, 10, 20, 30, 45, 60, 200, 400))
_STOPS = ("deallocate", "powerOff")
# An event may come ten minutes late: it would find the dispatcher at rest and have it look once more.
_LATEST_EVENT_S = 660


def drawn(stories: int) -> settings:
    """How that many stories are drawn."""
    return settings(max_examples=stories, stateful_step_count=7, suppress_health_check=list(HealthCheck))


class FleetStory(RuleBasedStateMachine):
    """One fleet, and everything that happens to it."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock("virtual")
        self.runner = asyncio.Runner(loop_factory=lambda: ClockLoop(self.clock))
        self.deaths, self.diary = Deaths(), Diary()
        self.fleet: tuple[Machine, ...] = ()
        self.opened: AbstractAsyncContextManager[LocalAzure] | None = None
        self.broken = False

    @initialize(fleet=fleets(), disorder=disorders(), wish=st.sampled_from(("new", "newer", "bad")))
    def a_fleet(self, fleet: tuple[Machine, ...], disorder: Chaos, wish: str) -> None:
        """A fleet comes to be, and somebody wants another disk at once: else nothing would happen at all."""
        self.fleet = fleet
        settings = {"REFRESH_MAX_SWAPS": str(MAX_SWAPS)}
        self.opened = local_azure(self.clock, scenario(fleet), settings=settings, chaos=disorder)
        self.azure = self._play(self.opened.__aenter__())
        self.azure.hub.interruptions = self.deaths
        self.azure.simulator.services.faults.add([BAD])
        self._watch_stops()
        self._wish(fleet[0].name, wish, 0)

    @rule(pause_s=_PAUSES_S, at=st.integers(0, 3), wish=st.sampled_from(WISHES))
    def somebody_wants_a_disk(self, pause_s: int, at: int, wish: str) -> None:
        self._wish(self._vm(at), wish, pause_s)

    @rule(pause_s=_PAUSES_S, at=st.integers(0, 3), wish=st.sampled_from(("new", "newer", "bad", "old")))
    def somebody_wants_a_disk_that_fits(self, pause_s: int, at: int, wish: str) -> None:
        self._wish(self._vm(at), wish, pause_s)

    @rule(pause_s=_PAUSES_S, at=st.integers(0, 3), word=st.sampled_from(("hold", "hold", "true")))
    def somebody_holds_or_lets_go(self, pause_s: int, at: int, word: str) -> None:
        name = self._vm(at)
        if self._play(self._write(name, pause_s, AutoRefresh=word)):
            (self.diary.held.add if word == "hold" else self.diary.held.discard)(name)

    @rule(pause_s=_PAUSES_S, at=st.integers(0, 3))
    def its_owner_stops_a_vm(self, pause_s: int, at: int) -> None:
        name = self._vm(at)
        self.diary.stopped.add(name)
        self._count_edit(name)
        self._play(self._person("POST", f"{vm_id(name)}/deallocate", pause_s))

    @rule(pause_s=_PAUSES_S, at=st.integers(0, 3))
    def somebody_deletes_a_vm(self, pause_s: int, at: int) -> None:
        name = self._vm(at)
        self.diary.deleted.add(name)
        self._play(self._person("DELETE", vm_id(name), pause_s))

    @rule(pause_s=_PAUSES_S, rules=st.lists(faults(), min_size=1, max_size=3))
    def azure_misbehaves(self, pause_s: int, rules: list[dict[str, Any]]) -> None:
        """Before the rule that makes bad disks bad: what hangs or fails is decided first."""
        self._play(asyncio.sleep(pause_s))
        self.diary.conflicts |= any(rule.get("respond", {}).get("status") == 409 for rule in rules)
        self.azure.simulator.services.faults.add(rules)

    @rule(
        seed=st.integers(0, 999),
        rate=st.sampled_from((0.02, 0.1, 0.3)),
        kinds=st.sets(st.sampled_from(KINDS), min_size=1),
    )
    def chance_rules(self, seed: int, rate: float, kinds: set[str]) -> None:
        self.diary.conflicts |= "refused" in kinds
        self.azure.simulator.services.faults.plan(seed, rate, sorted(kinds), hang_limit_s=900)

    @rule(pause_s=_PAUSES_S)
    def azure_recovers(self, pause_s: int) -> None:
        self._play(self._recover(pause_s))

    @rule(pause_s=_PAUSES_S, moments=st.lists(st.integers(1, 60), min_size=1, max_size=4))
    def the_worker_will_die(self, pause_s: int, moments: list[int]) -> None:
        self._play(asyncio.sleep(pause_s))
        for number in moments:
            self.deaths.plan(number)

    @rule(pause_s=_PAUSES_S)
    def every_orchestration_is_killed(self, pause_s: int) -> None:
        """Ended without a word, as somebody with the Durable endpoint in reach can do."""
        self._play(self._kill(pause_s))

    @rule()
    def the_sweep_comes_by(self) -> None:
        self._play(self.azure.fire("sweep"))

    @invariant()
    def nothing_is_unreadable(self) -> None:
        if self.opened is not None:
            book = self.azure.book()
            self._play(self._holds(book.get("bad") is None, f"unreadable: {book.get('bad')}"))

    @override
    def teardown(self) -> None:
        """Let everything be well again and hold the app to what it promises; a story that broke is only closed."""
        try:
            if self.opened is not None and not self.broken:
                self._play(self._become_calm())
                self._play(assert_all_is_well(self.azure, self.fleet, self.diary))
        finally:
            if self.opened is not None:
                self.runner.run(self.opened.__aexit__(None, None, None))
            self.runner.close()

    def _play[T](self, part: Coroutine[Any, Any, T]) -> T:
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
        if self._play(self._write(name, pause_s, OsDiskName=text_of(name, wish))):
            self.diary.wishes.setdefault(name, []).append(wish)

    async def _write(self, name: str, pause_s: int = 0, **tags: str) -> bool:
        """A person's tag edit; whether it came to be: Azure may refuse it, lose its answer or only pretend."""
        await asyncio.sleep(pause_s)
        with suppress(AssertionError, aiohttp.ClientError):
            await self.azure.tag(vm_id(name), **tags)
        found = list(self.azure.simulator.resources(resource_id=vm_id(name)))
        if not found or not tags.items() <= (found[0].get("tags") or {}).items():
            return False
        self._count_edit(name)
        return True

    def _count_edit(self, name: str) -> None:
        self.diary.edits[name] = self.diary.edits.get(name, 0) + 1

    async def _person(self, method: str, path: str, pause_s: int) -> None:
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
        self._calm_azure()

    def _watch_stops(self) -> None:
        """Note every stop that Azure spoils: it is begun again, and that is not the app's doing."""
        plane_faults = self.azure.simulator.services.faults
        operation_fault, request_fault = plane_faults.operation_fault, plane_faults.request_fault

        def operation_noted(operation: str, resource_id: str) -> OperationFault:
            fault = operation_fault(operation, resource_id)
            if operation in _STOPS and (fault.error or fault.nothing or fault.hangs):
                self._note_spoilt(resource_id)
            return fault

        def request_noted(method: str, path: str) -> RequestFault:
            fault = request_fault(method, path)
            if fault.nothing and path.endswith(_STOPS):
                self._note_spoilt(path.rsplit("/", 1)[0])
            return fault

        plane_faults.operation_fault, plane_faults.request_fault = operation_noted, request_noted  # type: ignore[method-assign]

    def _note_spoilt(self, vm_id: str) -> None:
        name = vm_id.rsplit("/", 1)[1].lower()
        self.diary.spoilt[name] = self.diary.spoilt.get(name, 0) + 1

    def _calm_azure(self) -> None:
        faults = self.azure.simulator.services.faults
        faults.clear()
        faults.add([BAD])

    async def _become_calm(self) -> None:
        await asyncio.sleep(60)
        self.deaths.end()
        self.diary.asked_twice = self.deaths.asked_twice
        self._calm_azure()
        for _ in range(30):
            await asyncio.sleep(301)
            await self.azure.fire("sweep")
            await asyncio.sleep(90)
            if self.azure.idle() and not self.azure.book().get("down"):
                break
        await asyncio.sleep(_LATEST_EVENT_S)
        for _ in range(2):
            await self.azure.fire("sweep")
            await self.azure.settled()
