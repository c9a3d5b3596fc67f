"""Steps *new-disk* and *old-disk*: the VM has this OS disk, read back."""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.activities.swap.convergence import Convergence, Rhythm
from refresh.domain.azure import polls
from refresh.domain.swap.steps import judge_disk
from refresh.domain.terms import resource_id
from refresh.domain.terms.stop_mode import StopMode
from refresh.records.swap import StepInput

MOST_CHANGES = 3
RHYTHMS = {
    mode: Rhythm(poll.first_s, poll.every_s, poll.budget_s, operation_s=poll.operation_s, most_begins=MOST_CHANGES)
    for mode, poll in polls.OS_DISK.items()
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
        lambda vm, begun_age_s: judge_disk(
            vm, disk.text, begun_age_s, ended=convergence.operation_ended(), insist=step.insist
        ),
        lambda: gateways.compute.begin_os_disk(step.vm, disk.text, disk.name),
    )
    return (await convergence.run()).to_json()
