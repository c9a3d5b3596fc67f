"""Failure scenarios of a fleet in which others write, reads lag behind and guests reboot themselves.

Decides what happens beside the failures of `fleet_scenario.py`, and which invariants hold then: a read with old content
can make the app reject a disk, but no VM stays down. It has draws of its own, so the other scenarios stay as they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, override

from hypothesis import strategies as st
from hypothesis.stateful import rule

from simulator.arm.core.fault_plans import NAMED_KINDS
from simulator.arm.front.seeding import BodyError
from tests.support.chaos.fleet import NAMES, vm_id
from tests.support.chaos.fleet_invariants import assert_dispatcher_idle
from tests.support.chaos.fleet_scenario import FleetScenario

_PAUSES_S = st.sampled_from((1, 10, 20, 30, 45, 60, 200))
_ENDS = ("-old", "-new", "-newer", "shared")


class ConflictingFleetScenario(FleetScenario):
    """A fleet with other writers, a replica that lags behind, and guests that reboot themselves."""

    @rule(pause_s=_PAUSES_S, at=st.integers(0, 3), lasts_s=st.sampled_from((20, 200, 2000)))
    def extension_works(self, pause_s: int, at: int, lasts_s: int) -> None:
        self._run(self._set(pause_s, at, "_extension_work_s", lasts_s))

    @rule(pause_s=_PAUSES_S, at=st.integers(0, 3), after_s=st.sampled_from((1, 20, 90)))
    def guest_reboots(self, pause_s: int, at: int, after_s: int) -> None:
        self._run(self._set(pause_s, at, "_reboots_after_s", after_s))

    @rule(pause_s=_PAUSES_S, name=st.sampled_from(NAMES), stale_s=st.sampled_from((3, 8, 20)), times=st.integers(1, 9))
    def reads_lag(self, pause_s: int, name: str, stale_s: int, times: int) -> None:
        match = {"method": "GET", "path": f"/virtualMachines/{name}$"}
        self._run(self._add(pause_s, [{"match": match, "stale_s": stale_s, "times": times}]))

    @rule(seed=st.integers(0, 999), rate=st.sampled_from((0.05, 0.3)), kinds=st.sets(st.sampled_from(NAMED_KINDS)))
    def conflicts_at_random(self, seed: int, rate: float, kinds: set[str]) -> None:
        self.azure.simulator.services.faults.plan(seed, rate, sorted(kinds), hang_limit_s=900)

    @override
    async def _check(self) -> None:
        """Check that every VM that ran runs on a disk that boots, and that nothing is left of a swap."""
        for machine in self.fleet:
            name = machine.name
            if name in self.edits.deleted | self.edits.stopped | self.edits.held:
                continue
            (vm,) = self.azure.simulator.resources(resource_id=vm_id(name))
            assert vm["_power"] == machine.power, f"{name} was {machine.power} and is {vm['_power']}"
            disk = vm["properties"]["storageProfile"]["osDisk"]["name"]
            assert machine.power != "running" or not machine.agent or disk.endswith(_ENDS), f"{name} runs {disk}"
            assert "RefreshState" not in vm["tags"], f"{name}: {vm['tags']}"
        assert_dispatcher_idle(self.azure)

    async def _set(self, pause_s: int, at: int, key: str, value: float) -> None:
        await asyncio.sleep(pause_s)
        if self._vm(at) not in self.edits.deleted:
            with suppress(BodyError):  # the VM is stopped, or an operation is in progress on it
                self.azure.simulator.put_resources([{"id": vm_id(self._vm(at)), key: value}])

    async def _add(self, pause_s: int, rules: Iterable[dict[str, Any]]) -> None:
        await asyncio.sleep(pause_s)
        self.azure.simulator.services.faults.add(list(rules))
