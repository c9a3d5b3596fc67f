"""Ends of a swap at which the app leaves the VM as others have made it: on hold, gone, or with another OS disk.

Decides what is cleared, and whether a VM that the app has stopped is started. Does not know how a step ends so.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

from durabletask.task import Task

from refresh.domain.swap import plan
from refresh.domain.terms import resource_id
from refresh.domain.terms.swap_reason import Reason
from refresh.orchestrations.swap.swap_outcomes import name_of, outcome_of
from refresh.orchestrations.swap.swap_run import PlannedSwap, SwapSteps
from refresh.orchestrations.swap.swap_steps import StepOptions, StepsRun, call, run_steps
from refresh.records import durable_names
from refresh.records.swap import OutcomeStatus, StepState


def clear(swap: PlannedSwap) -> Generator[Task[Any], Any, dict[str, Any]]:
    """Remove the intent from the VM's tags."""
    # A revival removes the `RefreshState` of whichever run left it on the VM.
    revival = resource_id.same(swap.intent.old_disk, swap.intent.new_disk)
    data = {"vm": swap.vm, "run": None if revival else swap.intent.run}
    return call(swap.ctx, durable_names.CLEAR_INTENT, data)


def leave_alone(swap: PlannedSwap, ran: StepsRun) -> SwapSteps:
    """End the swap of a VM that is gone or was put on hold; one that the app may have stopped is started first.

    "May have": an accepted stop is not known when the worker or the run that began it has died. A start changes nothing
    on a VM that runs.
    """
    intent = swap.intent
    if ran.ended is StepState.HELD and intent.was_running and ran.running_at is None:
        ran = yield from run_steps(swap, (plan.Step.START,), ran, StepOptions(reported=False, despite_hold=True))
        if ran.ended is StepState.FAILED:
            message = f"put on hold while it was stopped for a swap, and it could not be started: {ran.why}"
            return outcome_of(swap, OutcomeStatus.NEEDS_ATTENTION, Reason.ON_HOLD, message, intent=intent, ran=ran)
    if ran.ended is StepState.GONE:
        message = "the VM was deleted while it was being swapped, or another VM has its name now"
        return outcome_of(swap, OutcomeStatus.SKIPPED, Reason.VM_GONE, message, intent=intent, ran=ran)
    yield from clear(swap)
    message = "put on hold during its swap: the app stopped there, and the VM keeps the disk it had at that moment"
    return outcome_of(swap, OutcomeStatus.NOT_PROVEN, Reason.ON_HOLD, message, ran=ran)


def changed(swap: PlannedSwap, ran: StepsRun) -> SwapSteps:
    """End the swap of a VM to which somebody else has given another OS disk: the app leaves that disk in place.

    The tag gets that disk's name, so that the next look does not undo it. A VM that the app has stopped is started.
    """
    intent, disk = swap.intent, ran.os_disk or swap.intent.old_disk
    if intent.was_running and ran.stopped_at is not None and ran.running_at is None:
        ran = yield from run_steps(swap, (plan.Step.START,), ran, StepOptions(reported=False))
    yield from clear(swap)
    follow = replace(intent, old_disk=disk)
    wrote = yield from call(
        swap.ctx, durable_names.WRITE_REJECTION, {"vm": swap.vm, "intent": follow.to_json(), "blamed": False}
    )
    message = f"somebody else made {name_of(disk)} the OS disk during the swap: it stays, and the tag names it"
    if not wrote.get("ok"):
        message = f"somebody else made {name_of(disk)} the OS disk during the swap; the tags: {wrote.get('message')}"
    return outcome_of(swap, OutcomeStatus.NOT_PROVEN, Reason.CHANGED_BY_OTHERS, message, ran=ran)
