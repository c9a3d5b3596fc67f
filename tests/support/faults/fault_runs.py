"""Runs one failure at all steps in one fleet, one VM for each step, and records the end of every VM.

Decides when a failure happens: when an activity of its step starts for the first time. Leaves the expected end to
`fault_table.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any, override

from refresh.domain.terms.resource_id import id_hash
from simulator.arm.state.vm_state import vm_state
from simulator.durable.worker import Interruptions, WorkerDied
from tests.support.faults.fault_matrix import Failure, Step, rules, vm_id
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body

_ACTIVITY = {
    "prepare_swap": (Step.CHECK,),
    "write_intent": (Step.INTENT,),
    "ensure_stopped": (Step.DEALLOCATE, Step.POWER_OFF),
    "ensure_os_disk": (Step.NEW_DISK,),
    "ensure_started": (Step.START,),
    "ensure_healthy": (Step.HEALTH,),
    "write_rejection": (Step.REJECTION,),
}
_ACTIVITY_BACK = {
    "ensure_stopped": (Step.BACK_STOP,),
    "ensure_os_disk": (Step.BACK_DISK,),
    "ensure_started": (Step.BACK_START,),
    "ensure_healthy": (Step.BACK_HEALTH,),
}


@dataclass(frozen=True)
class Result:
    """The result of one row: the outcome, the VM at the time of the outcome, and the VM at the end."""

    outcome: Mapping[str, Any]
    power: str
    disk: str
    tags: Mapping[str, str]
    stops: int
    begins: Mapping[str, int]
    begun_under_way: list[str]
    swaps: int
    final_power: str = ""
    final_disk: str = ""


@dataclass
class FailureAtStep(Interruptions):
    """Causes one failure for every VM at its own step, when an activity of that step starts for the first time."""

    azure: LocalAzure
    failure: Failure
    steps: tuple[Step, ...]
    caused: set[Step] = field(default_factory=set)
    _rolls_back: set[Step] = field(default_factory=set)
    _after: set[tuple[str, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Map the hash of a VM's id, which instance ids contain, to its step."""
        self._of = {id_hash(vm_id(step)): step for step in self.steps}

    @override
    def before_activity(self, name: str, instance_id: str, task_id: int, attempt: int) -> None:
        row = self._of.get(instance_id.split("-")[1]) if instance_id.startswith("swap-") else None
        if row is None or row in self.caused:
            return
        if name == "write_rejection":
            self._rolls_back.add(row)
        activities = _ACTIVITY_BACK if row in self._rolls_back and name in _ACTIVITY_BACK else _ACTIVITY
        if row not in activities.get(name, ()):
            return
        self.caused.add(row)
        self._cause(row, instance_id, task_id)

    def _cause(self, row: Step, instance_id: str, task_id: int) -> None:
        services = self.azure.simulator.services
        services.faults.add(rules(row, self.failure))
        match self.failure:
            case Failure.CRASH_BEFORE:
                raise WorkerDied
            case Failure.CRASH_AFTER:
                self._after.add((instance_id, task_id))
            case Failure.CRASH_DURING:
                task = asyncio.current_task()
                assert task is not None
                asyncio.get_running_loop().call_later(2, task.cancel)
            case Failure.VM_DELETED:
                record = services.store.get(vm_id(row))
                assert record is not None
                services.store.delete(record, services.clock.time())

    @override
    def after_activity(self, name: str, instance_id: str, task_id: int, attempt: int) -> None:
        if (instance_id, task_id) in self._after:
            self._after.remove((instance_id, task_id))
            raise WorkerDied


def _scenario(steps: tuple[Step, ...]) -> list[dict[str, Any]]:
    bodies: list[dict[str, Any]] = []
    for step in steps:
        mode = "power-off" if step is Step.POWER_OFF else "deallocate"
        body = vm_body(f"vm-{step}", OsDiskName=f"vm-{step}-new", RefreshStopMode=mode)
        body["properties"]["diagnosticsProfile"] = {"bootDiagnostics": {"enabled": True}}
        bodies += [body, disk_body(f"vm-{step}-new")]
    return bodies


def _comes_back(step: Step) -> bool:
    return step is Step.REJECTION or step.startswith("back-")


@cache
def results_of(failure: Failure, steps: tuple[Step, ...]) -> Mapping[Step, Result]:
    """Run `failure` at each of `steps`, one VM for each; returns the results."""
    found: dict[Step, Result] = {}

    async def story(azure: LocalAzure) -> None:
        bad = [{"disk": f"vm-{step}-new", "boots": False, "serial": "panic"} for step in steps if _comes_back(step)]
        azure.simulator.services.faults.add(bad)
        azure.hub.interruptions = cause = FailureAtStep(azure, failure, steps)
        azure.hub.signal("@dispatcher@app", "hint", {"vms": [vm_id(step) for step in steps], "at": None})

        def all_have_outcomes() -> bool:
            for step in set(steps) - set(found):
                if outcome := _first_outcome(azure, step):
                    found[step] = _result(azure, step, outcome)
            return len(found) == len(steps)

        await azure.until(all_have_outcomes, within_s=36000)
        assert cause.caused == set(steps), f"the failure did not happen at {set(steps) - cause.caused}"
        azure.simulator.services.faults.clear()
        azure.simulator.services.faults.add(bad)
        for _ in range(2):
            await asyncio.sleep(301)
            await azure.fire("sweep")
            await azure.settled()
        for step, result in found.items():
            last = _state(azure, step)
            found[step] = replace(result, final_power=last[0], final_disk=last[1])

    settings = {"REFRESH_MAX_SWAPS": "40", "REFRESH_HEALTH_TIMEOUT_S": "180"}
    play(story, _scenario(steps), settings=settings, events=False)
    return found


def _swaps(azure: LocalAzure, step: Step) -> list[str]:
    prefix = f"swap-{id_hash(vm_id(step))}-"
    return [name for name in azure.hub.orchestrations.instances if name.startswith(prefix)]


def _first_outcome(azure: LocalAzure, step: Step) -> dict[str, Any] | None:
    swaps = _swaps(azure, step)
    if not swaps or not azure.hub.orchestrations.instances[swaps[0]].ended:
        return None
    return dict(azure.hub.output(swaps[0]))


def _state(azure: LocalAzure, step: Step) -> tuple[str, str, dict[str, str]]:
    record = azure.simulator.services.store.get(vm_id(step))
    if record is None:
        return "gone", "gone", {}
    disk = record.properties["storageProfile"]["osDisk"]["name"]
    return vm_state(record).power, disk.removeprefix(f"vm-{step}-"), dict(record.body.get("tags", {}))


def _result(azure: LocalAzure, step: Step, outcome: Mapping[str, Any]) -> Result:
    operations = azure.simulator.services.operations.of(vm_id(step))
    power, disk, tags = _state(azure, step)
    begins: dict[str, int] = {}
    for operation in operations:
        begins[operation.kind] = begins.get(operation.kind, 0) + 1
    return Result(
        outcome=outcome,
        power=power,
        disk=disk,
        tags=tags,
        stops=azure.journal(vm_id(step))["stops"],
        begins=begins,
        begun_under_way=_begun_under_way(azure, step),
        swaps=len(_swaps(azure, step)),
    )


def _begun_under_way(azure: LocalAzure, step: Step) -> list[str]:
    """The writes to the VM that began while an operation on it was under way."""
    busy = [
        (operation.started, operation.ended or azure.clock.now())
        for operation in azure.simulator.services.operations.of(vm_id(step))
        if operation.kind != "tags"
    ]
    begins = [
        row
        for row in azure.simulator.journal.requests
        if f"/vm-{step}" in row["path"]
        and (row["method"] == "POST" or (row["method"] == "PATCH" and row["path"].endswith(f"/vm-{step}")))
        and not row["path"].endswith("retrieveBootDiagnosticsData")
    ]
    return [
        f"{row['method']} {row['path'].rsplit('/', 1)[-1]} {row['status']}"
        for row in begins
        if any(start < datetime.fromisoformat(row["t"]) < end for start, end in busy)
    ]
