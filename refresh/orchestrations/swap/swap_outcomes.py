"""How the swap of one VM ended, as the outcome that is stored, published and logged.

Decides status, reason and message of each end. Does not know which steps led there (`swap_vm`).
"""

from __future__ import annotations

from dataclasses import dataclass

from refresh.domain.azure.refusals import is_denied, reason_of
from refresh.domain.swap.manual_commands import write_commands
from refresh.domain.terms import resource_id
from refresh.domain.terms.swap_reason import Reason
from refresh.orchestrations.shared.dispatcher_calls import NoAnswer
from refresh.orchestrations.swap.swap_run import PlannedSwap, SwapRun
from refresh.orchestrations.swap.swap_steps import StepsRun
from refresh.records.swap import Intent, Outcome, OutcomeStatus, StepState


@dataclass(frozen=True)
class Undo:
    """Why a swap was undone, whether the new disk is `blamed` for it, and whether the disk was ever `put_in`."""

    reason: str
    why: str
    blamed: bool
    put_in: bool


def outcome_of(
    run: SwapRun,
    status: OutcomeStatus,
    reason: str,
    message: str,
    *,
    intent: Intent | None = None,
    ran: StepsRun | None = None,
) -> Outcome:
    """The outcome of `run`, with the disks and warnings of `intent` and the times and evidence of the steps `ran`."""
    needs_person = status is OutcomeStatus.NEEDS_ATTENTION
    return Outcome(
        vm=run.vm,
        run=run.ctx.instance_id,
        status=status,
        reason=str(reason),
        message=message,
        old_disk=intent.old_disk if intent else None,
        new_disk=intent.new_disk if intent else None,
        down_s=ran.down_s() if ran else None,
        arm_s=ran.arm_s if ran else None,
        stop_mode=intent.stop_mode if intent and ran and ran.stopped_at else None,
        stop_why=intent.stop_why if intent and ran and ran.stopped_at else None,
        evidence=tuple(ran.evidence) if ran else (),
        by_hand=write_commands(run.vm, intent.old_disk if intent else None) if needs_person else (),
        warnings=intent.warnings if intent else (),
    )


def name_of(disk_id: str) -> str:
    """The disk's name; the whole text where it is no resource id."""
    disk = resource_id.parse(disk_id)
    return disk.name if disk is not None else disk_id


def verified(swap: PlannedSwap, ran: StepsRun) -> Outcome:
    """The VM runs the new disk; its guest proved it or did not."""
    disk, intent = name_of(swap.intent.new_disk), swap.intent
    if ran.proved:
        message = f"runs disk {disk}, proved by its guest"
        return outcome_of(swap, OutcomeStatus.SUCCEEDED, Reason.VERIFIED, message, intent=intent, ran=ran)
    message = f"runs disk {disk}; no signal from its guest has proved its health"
    return outcome_of(swap, OutcomeStatus.NOT_PROVEN, Reason.NOT_PROVEN, message, intent=intent, ran=ran)


def stopped(swap: PlannedSwap, ran: StepsRun) -> Outcome:
    """Somebody else stopped the VM before its new disk was proved."""
    disk, intent = name_of(swap.intent.new_disk), swap.intent
    message = f"was stopped before disk {disk} was proved; stays stopped, and is checked when it runs again"
    return outcome_of(swap, OutcomeStatus.NOT_PROVEN, Reason.NOT_RUNNING, message, intent=intent, ran=ran)


def undone(swap: PlannedSwap, undo: Undo, back: StepsRun) -> Outcome:
    """The VM has its old disk and is as it was before the swap."""
    new, old = name_of(swap.intent.new_disk), name_of(swap.intent.old_disk)
    status = OutcomeStatus.ROLLED_BACK
    if back.stopped_at is None and back.arm_s is None and not undo.blamed:
        status = OutcomeStatus.REFUSED
        message = f"nothing was stopped, and the tag names {old} again; name {new} when the cause is cured: {undo.why}"
    else:
        what = f"{new} was taken out again and {old} put back" if undo.put_in else f"{new} was not put in; {old} stays"
        again = "" if undo.blamed else f"; {new} is not at fault, name it again when the cause is cured"
        message = f"{what}{again}: {undo.why}"
        if back.ended is StepState.STOPPED:
            message = f"{message}; the VM was stopped by somebody else and stays stopped"
    return outcome_of(swap, status, undo.reason, message, intent=swap.intent, ran=back)


def cannot_start(swap: PlannedSwap, ran: StepsRun) -> Outcome:
    """The VM could not be started on any disk: no disk is rejected, and the sweep tries the start again."""
    what = "has refused to start this VM" if is_denied(ran.code) else "has had no capacity for this VM"
    message = f"Azure {what} for too long ({ran.why}); every sweep tries again"
    reason = reason_of(ran.code, Reason.NO_CAPACITY)
    return outcome_of(swap, OutcomeStatus.NEEDS_ATTENTION, reason, message, intent=swap.intent, ran=ran)


def dispatcher_silent(run: SwapRun, no_answer: NoAnswer, intent: Intent | None = None) -> Outcome:
    """The dispatcher did not answer before anything was changed."""
    message = f"nothing was touched, because {no_answer}; the sweep comes back to this VM"
    return outcome_of(run, OutcomeStatus.REFUSED, Reason.DISPATCHER_SILENT, message, intent=intent)
