"""A fleet of VMs for `bench.dispatcher`: its events, and what the app's activities answer about it.

Decides the ids, the disks, the form of the answers, which are as long as real ones, and how much time passes. Does not
know how the app works off events: they go through its own trigger, and its own orchestrations call the entities.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import azure.functions as func
from durabletask.entities import EntityInstanceId

from bench.app_trees import functions_of
from bench.entities import Entities
from bench.orchestrations import Orchestrations

_SUBSCRIPTION = "/subscriptions/8c3e1d52-6a0f-4b7e-9d24-51f0a6c7be93"
_COMPUTE = f"{_SUBSCRIPTION}/resourceGroups/rg-webshop-prod/providers/Microsoft.Compute"
_BUDGETS = {"max_swaps": 20, "max_starts": 24}
_EVIDENCE = "PowerState/running at 2026-11-02T08:01:41+00:00"
# Of 20 swaps that are under way at one time and take 40 s each, one ends every 2 s.
_SWAP_EACH = timedelta(seconds=2)
_SWEEP_EACH = timedelta(minutes=5)
_STEP_DONE = {"state": "done", "begins": 1, "evidence": _EVIDENCE, "proved": True}


class Fleet:
    """The VMs, the entities of the app in use, and its orchestrations."""

    def __init__(self) -> None:
        """A fleet whose VMs have never been swapped."""
        self.entities = Entities(functions_of("entity"))
        self.orchestrations = Orchestrations(functions_of("orchestrator"), self.entities, self._act)
        self._on_event = importlib.import_module("refresh.triggers.events.on_resource_write").on_resource_write
        # Events that arrive together are handled in one event loop, as in the worker of Azure Functions.
        self._loop = asyncio.new_event_loop()
        self._runs: dict[str, str] = {}
        self._wanted: dict[str, str] = {}
        self._events = 0
        self._swept = self.orchestrations.now

    def edit(self, name: str, version: str) -> None:
        """Tag a VM with the disk of an image version; its event arrives."""
        self._wanted[_vm_id(name).lower()] = f"{name}-osdisk-{version}"
        self.touch(name)

    def touch(self, *names: str) -> None:
        """The events of a write on each of these VMs arrive together. What they start does not run yet."""
        self._loop.run_until_complete(self._handle(names))

    def sweep_if_due(self) -> None:
        """A sweep that finds nothing wrong, if the last one was five minutes ago."""
        if self.orchestrations.now - self._swept < _SWEEP_EACH:
            return
        self._swept = self.orchestrations.now
        at = {"at": self._at()}
        self.orchestrations.call(EntityInstanceId("dispatcher", "app"), "recover", {"gone": [], **at})
        if "inbox" in self.entities.functions:
            self.orchestrations.call(EntityInstanceId("inbox", "app"), "resend", at)

    async def _handle(self, names: Iterable[str]) -> None:
        await asyncio.gather(*(self._on_event(self._event(name), self) for name in names))

    def _event(self, name: str) -> func.EventGridEvent:
        self._events += 1
        vm = _vm_id(name)
        return func.EventGridEvent(
            id=f"0d0c6f3e-4b9a-4f0e-8a55-{self._events:012}",
            data={"operationName": "Microsoft.Resources/tags/write", "resourceUri": vm, "status": "Succeeded"},
            topic=_SUBSCRIPTION,
            subject=vm,
            event_type="Microsoft.Resources.ResourceWriteSuccess",
            event_time=self._now(),
            data_version="2",
        )

    async def signal_entity(
        self,
        entity_instance_id: EntityInstanceId,
        operation_name: str,
        input: Any = None,
    ) -> None:
        """Signal an entity, as the app's durable client does."""
        self.orchestrations.call(entity_instance_id, operation_name, input)

    def _act(self, name: str, data: Any) -> Any:
        if name == "read_hints":
            return {"decisions": [self._decide(str(row["vm"])) for row in data["vms"]], "budgets": _BUDGETS}
        if name == "list_mismatches":
            return self._list_mismatches(data)
        if name == "prepare_swap":
            return self._prepare(str(data["vm"]), str(data["run"]))
        if name == "ensure_os_disk":
            self._runs[str(data["vm"]).lower()] = str(data["disk"]).rsplit("/", 1)[-1]
            self.orchestrations.now += _SWAP_EACH
        if name.startswith("ensure_"):
            at = self._at()
            return {**_STEP_DONE, "since": at, "begun_at": at, "at": at, "settled_at": at}
        if name in ("write_intent", "clear_intent", "publish_event"):
            return {"ok": True}
        raise RuntimeError(f"the benchmark has no answer for the activity {name}")

    def _disks(self, vm: str) -> tuple[str, str]:
        current = self._runs.get(vm.lower(), f"{_name_of(vm)}-osdisk-202610.1.0")
        return current, self._wanted.get(vm.lower(), current)

    def _decide(self, vm: str) -> dict[str, Any]:
        current, wanted = self._disks(vm)
        row = {"vm": vm, "current": current, "group": None, "up": True, "wanted": f"{_COMPUTE}/disks/{wanted}"}
        if current == wanted:
            return {**row, "decision": "skip", "reason": "already-there", "message": f"the VM runs disk {current}"}
        message = f"disk {wanted} fits and replaces {current}"
        return {**row, "decision": "swap", "reason": "wanted", "message": message}

    def _list_mismatches(self, data: dict[str, Any]) -> dict[str, Any]:
        """The app's own choice of the VMs whose tags are not fulfilled."""
        choose_vms = importlib.import_module("refresh.activities.swap.list_mismatches").choose_vms
        differing = (name for name, wanted in self._wanted.items() if self._disks(name)[0] != wanted)
        found = [SimpleNamespace(id=_vm_id(_name_of(vm)), availability_set=None) for vm in differing]
        return {"subscription": data["subscription"], **choose_vms(found, data)}

    def _now(self) -> datetime:
        return self.orchestrations.now.replace(tzinfo=UTC)

    def _at(self) -> str:
        return self._now().isoformat()

    def _prepare(self, vm: str, run: str) -> dict[str, Any]:
        current, wanted = self._disks(vm)
        intent = {
            "run": run,
            "was_running": True,
            "old_disk": f"{_COMPUTE}/disks/{current}",
            "new_disk": f"{_COMPUTE}/disks/{wanted}",
            "agent_spoke": True,
            "previous": current,
            "unique_id": "5d0b6c1e-6a57-4c0e-9a52-0f6d5f3f7f11",
            "health": {"computer_names": [_name_of(vm)], "data_disks": ["0:data-01"]},
        }
        return {
            "decision": "swap",
            "reason": "wanted",
            "message": f"disk {wanted} fits and replaces {current}",
            "intent": intent,
            "tags": {"RefreshState": f"run={run};ran=yes;from={current};to={wanted};step=swap"},
            "steps": ["stop", "new-disk", "start", "health"],
            "undo": ["stop", "old-disk", "start", "health"],
            "down_s": 39.1,
        }


def _vm_id(name: str) -> str:
    return f"{_COMPUTE}/virtualMachines/{name}"


def _name_of(vm: str) -> str:
    return vm.rsplit("/", 1)[-1]
