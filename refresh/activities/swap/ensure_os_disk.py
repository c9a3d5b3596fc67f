"""Steps *new-disk* and *old-disk*: the VM has this OS disk, read back."""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.activities.swap.convergence import Convergence, Rhythm
from refresh.domain.swap.steps import judge_disk
from refresh.domain.terms import resource_id
from refresh.domain.vm.stop_mode import StopMode
from refresh.records.swap import StepInput

# Recorded: deallocated at least 0.6 s, half within 0.9 s; powered off 2.5 s, 2.8 s; nearly all within 61 s, one 614 s.
RHYTHMS = {
    StopMode.DEALLOCATE: Rhythm(0.8, 0.3, budget_s=300.0, operation_s=900.0, most_begins=3),
    StopMode.POWER_OFF: Rhythm(2.5, 0.3, budget_s=300.0, operation_s=900.0, most_begins=3),
}


async def ensure_os_disk(data: dict[str, Any]) -> dict[str, Any]:
    """Make `disk` the VM's OS disk unless it already is; a `StepResult`."""
    step, gateways = StepInput.from_json(data), wiring.gateways()
    disk = resource_id.parse(step.disk)
    if disk is None:
        raise ValueError("ensure_os_disk needs the id of a disk")
    convergence = Convergence(
        gateways,
        step,
        RHYTHMS[StopMode(step.stop_mode)],
        lambda vm, begun_age_s: judge_disk(vm, disk.text, begun_age_s, insist=step.insist),
        lambda: gateways.compute.begin_os_disk(step.vm, disk.text, disk.name),
    )
    return (await convergence.run()).to_json()
