"""How the swap of one VM ended, as the outcome that is stored, published and logged.

Decides status, reason and sentence of each end. Does not know which steps led there (`swap_vm`).
"""

from __future__ import annotations

from durabletask.task import OrchestrationContext

from refresh.domain.azure.refusals import is_denied, reason_of
from refresh.domain.swap.manual_commands import write_commands
from refresh.domain.terms import resource_id
from refresh.domain.terms.swap_reason import Reason
from refresh.orchestrations.shared.dispatcher_calls import NoAnswer
from refresh.orchestrations.swap.swap_steps import StepsRun
from refresh.records.swap import Intent, Outcome


def outcome_of(
    ctx: OrchestrationContext,
    vm: str,
    status: str,
    reason: str,
    message: str,
    intent: Intent | None = None,
    ran: StepsRun | None = None,
) -> Outcome:
    """The outcome of the run of `ctx`, with what `intent` and the steps that `ran` say of it."""
    return Outcome(
        vm=vm,
        run=ctx.instance_id,
        status=status,
        reason=str(reason),
        message=message,
        old_disk=intent.old_disk if intent else None,
        new_disk=intent.new_disk if intent else None,
        down_s=ran.down_s() if ran else None,
        arm_s=ran.arm_s if ran else None,
        stop_mode=intent.stop_mode if intent and ran and ran.stopped_at else None,
        evidence=tuple(ran.evidence) if ran else (),
        by_hand=write_commands(vm, intent.old_disk if intent else None) if status == "needs-attention" else (),
        warnings=intent.warnings if intent else (),
    )


def name_of(disk_id: str) -> str:
    """The disk's name; its id where that cannot be taken apart."""
    disk = resource_id.parse(disk_id)
    return disk.name if disk is not None else disk_id


def verified(ctx: OrchestrationContext, vm: str, intent: Intent, ran: StepsRun) -> Outcome:
    """The VM runs the new disk, proved by its guest or not."""
    disk = name_of(intent.new_disk)
    if ran.proved:
        return outcome_of(ctx, vm, "succeeded", Reason.VERIFIED, f"runs disk {disk}, proved by its guest", intent, ran)
    message = f"runs disk {disk}; no signal from its guest has proved its health"
    return outcome_of(ctx, vm, "not-proven", Reason.NOT_PROVEN, message, intent, ran)


def undone(
    ctx: OrchestrationContext,
    vm: str,
    intent: Intent,
    reason: str,
    why: str,
    back: StepsRun,
    *,
    blamed: bool,
    put_in: bool,
) -> Outcome:
    """The VM has its old disk and is as it was; `put_in` says whether it ever had the new one."""
    new, old = name_of(intent.new_disk), name_of(intent.old_disk)
    if back.stopped_at is None and back.arm_s is None and not blamed:
        message = f"nothing was stopped, and the tag asks for {old} again; ask for {new} when it is cured: {why}"
        return outcome_of(ctx, vm, "refused", reason, message, intent, back)
    told = f"{new} was taken out again and {old} put back" if put_in else f"{new} was not put in; it has {old} again"
    again = "" if blamed else "; the disk is not to blame and may be asked for again when it is cured"
    return outcome_of(ctx, vm, "rolled-back", reason, f"{told}{again}: {why}", intent, back)


def cannot_start(ctx: OrchestrationContext, vm: str, intent: Intent, ran: StepsRun) -> Outcome:
    """No disk is to blame and the old one could not be started either: nothing is rejected, the sweep goes on."""
    what = "refuses" if is_denied(ran.code) else "had no room"
    message = f"Azure {what} to start this VM for too long ({ran.why}); the sweep goes on asking"
    return outcome_of(ctx, vm, "needs-attention", reason_of(ran.code, Reason.NO_CAPACITY), message, intent, ran)


def unheard(ctx: OrchestrationContext, vm: str, silence: NoAnswer, intent: Intent | None = None) -> Outcome:
    """The dispatcher did not answer before anything was touched."""
    message = f"nothing was touched, because {silence}; the sweep comes back to this VM"
    return outcome_of(ctx, vm, "refused", Reason.DISPATCHER_SILENT, message, intent)
