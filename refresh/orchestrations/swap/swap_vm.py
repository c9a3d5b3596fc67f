"""The swap of one VM: claim it, prepare, write the intent, stop, change the disk, start, verify, or put the disk back.

Decides the order and what follows from the end of a step. The plan was made by `prepare_swap` and is only carried out.
Nothing happens before the claim, because the dispatcher's starts may come twice and late. A dispatcher that does not
answer ends the run before anything is stopped; while the VM is down the run does not wait for the dispatcher.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from durabletask.task import OrchestrationContext, Task

from refresh.domain.azure.refusals import reason_of
from refresh.domain.swap import plan
from refresh.domain.swap.blame import UNHEALTHY, is_disk_to_blame, is_start_hopeless
from refresh.domain.swap.plan import INTENT, NOTICE, UNDO
from refresh.domain.terms import resource_id
from refresh.domain.terms.decision_kind import DecisionKind
from refresh.domain.terms.swap_reason import Reason, Wait
from refresh.orchestrations.shared.dispatcher_calls import (
    OUTCOME_EVENT,
    NoAnswer,
    answer_of,
    begin_call,
    is_bounded,
    now,
)
from refresh.orchestrations.shared.notices import give_notice, publish
from refresh.orchestrations.swap.attempts import Attempt, tags_refused
from refresh.orchestrations.swap.past_outcome import find_past_outcome
from refresh.orchestrations.swap.swap_ends import changed, clear, leave_alone
from refresh.orchestrations.swap.swap_outcomes import (
    Undo,
    cannot_start,
    dispatcher_silent,
    name_of,
    outcome_of,
    stopped,
    undone,
    verified,
)
from refresh.orchestrations.swap.swap_run import PlannedSwap, SwapRun, SwapSteps
from refresh.orchestrations.swap.swap_steps import StepOptions, StepsRun, call, run_steps
from refresh.records import durable_names
from refresh.records.durable_names import Operation
from refresh.records.events import outcome_event, quarantined_event
from refresh.records.swap import Claimed, Intent, Outcome, OutcomeStatus, StepState

# A run that ends without its claim is started again only after a quarter of an hour, and its VM may be down.
CLAIM_TIMEOUT = timedelta(minutes=10)
_LEFT = (StepState.HELD, StepState.GONE)


def swap_vm(ctx: OrchestrationContext, data: dict[str, Any]) -> Generator[Task[Any], Any, dict[str, Any]]:
    """Swap VM `data["vm"]` as number `data["n"]` onto the disk its tag names; an `Outcome`."""
    run, started = SwapRun(ctx, str(data["vm"]), int(data["n"]), is_bounded(data)), now(ctx)
    try:
        claim = yield from run.call_dispatcher(Operation.CLAIM, CLAIM_TIMEOUT)
    except NoAnswer as no_answer:
        return replace(dispatcher_silent(run, no_answer), started=started, ended=now(ctx)).to_json()
    claimed = Claimed.from_json(claim)
    if claimed.answer != "yours":
        past = (yield from find_past_outcome(ctx, run.vm)) if claimed.ended else None
        if past is not None:  # this is a late second start: the output stays what it was, and nothing is sent again
            return past
        message = "another run of this swap has the claim, or this swap is over"
        return replace(outcome_of(run, OutcomeStatus.SKIPPED, Reason.NOT_CLAIMED, message), started=started).to_json()
    attempt = Attempt()
    try:
        outcome = yield from _run(run, claimed, attempt)
    except Exception as error:  # a bug must not leave a claim that is never freed
        message = f"the app itself failed; this disk is not tried again without `force`: {error!r:.200}"
        outcome = outcome_of(run, OutcomeStatus.NEEDS_ATTENTION, Reason.APP_FAILED, message)
    result, notice = replace(outcome, started=started, ended=now(ctx)).to_json(), attempt.notice(outcome)
    try:
        yield from run.call_dispatcher(Operation.FINISHED, outcome=result, **notice)
    except NoAnswer as no_answer:  # the sweep frees the claim and has the VM looked at again
        result = {**result, "evidence": [*result.get("evidence", ()), f"{no_answer}"[:160]]}
    for instance_id in claimed.reply_to:
        ctx.send_event(instance_id, OUTCOME_EVENT, data=result)
    # Last, so that neither the next swap nor the waiting runs are delayed by it.
    yield from publish(ctx, None if notice.get("repeated") else outcome_event(Outcome.from_json(result)))
    return result


def _run(run: SwapRun, claimed: Claimed, attempt: Attempt) -> SwapSteps:
    if claimed.intent is not None:
        return (yield from _take_up(run, claimed, claimed.intent))
    ctx = run.ctx
    prepared = yield from attempt.prepare(run, claimed)
    refused = yield from attempt.try_write(run)
    if refused is not None:
        return refused
    # After a `starting` event the outcome names the new disk even when no swap follows, in this run or its recovery.
    announced, noticed = claimed.wanted if claimed.step == NOTICE else None, False
    if prepared.intent is not None and prepared.notice_s is not None:
        announced, attempt.begun = prepared.intent.new_disk, True
        noticed = yield from give_notice(ctx, run.vm, run.n, prepared.intent, prepared.message, prepared.notice_s)
        if noticed:
            prepared = yield from attempt.prepare(run, claimed)  # the first reading is old by now
    if prepared.intent is None:
        status = OutcomeStatus.SKIPPED if prepared.decision is DecisionKind.SKIP else OutcomeStatus.REFUSED
        return replace(outcome_of(run, status, prepared.reason, prepared.message), new_disk=announced)
    kept: dict[str, Any] = {"intent": prepared.intent.to_json(), "tags": prepared.tags}
    urgent = prepared.decision is DecisionKind.REVIVE
    kept |= {"urgent": urgent, "noticed": noticed}
    try:
        stored = yield from run.call_dispatcher(Operation.STEP, step=INTENT, **kept)
    except NoAnswer as no_answer:
        if not urgent:
            return dispatcher_silent(run, no_answer, prepared.intent)
        stored = {"ok": True}  # the VM is down already, and this run has the claim
    if stored.get("paused"):
        why = stored.get("why") or "swaps were paused during the notice"
        message = f"{why}: nothing was touched, and the VM is looked at again"
        reason = str(stored.get("reason", Wait.PAUSED))
        return outcome_of(run, OutcomeStatus.SKIPPED, reason, message, intent=prepared.intent)
    if not stored["ok"]:
        message = "a recovery run has taken this swap over"
        return outcome_of(run, OutcomeStatus.SKIPPED, Reason.NOT_CLAIMED, message)
    swap = run.planned(prepared.intent, prepared.steps, prepared.undo)
    if prepared.decision is DecisionKind.REVIVE:
        return (yield from _revive(swap, prepared.message))
    return (yield from _begin(swap, prepared.tags))


def _take_up(run: SwapRun, claimed: Claimed, intent: Intent) -> SwapSteps:
    """Finish what another run began, from its intent and its last step."""
    steps, undo = plan.plan_swap(intent.was_running), plan.plan_undo(intent.was_running)
    swap = run.planned(intent, tuple(map(str, steps)), tuple(map(str, undo)))
    if resource_id.same(intent.old_disk, intent.new_disk):
        return (yield from _revive(swap, "an earlier swap stopped this VM and did not finish: the VM runs again"))
    if claimed.step == INTENT:  # nothing has been stopped yet, and the tags may not have been written
        return (yield from _begin(swap, claimed.tags))
    if (claimed.step or "").startswith(UNDO):
        return (yield from _undo(swap, _recalled(claimed, intent)))
    if claimed.proves_since is not None:
        return (yield from _prove(swap, claimed.proves_since))
    return (yield from _swap(swap))


def _recalled(claimed: Claimed, intent: Intent) -> StepsRun | None:
    """What an earlier run knew when it began the undo: the rejection was stored first, if the disk was to blame.

    None where it was: the undo goes on as one of a disk that is to blame.
    """
    if intent.new_disk.lower() in claimed.rejected:
        return None
    return StepsRun(
        StepState.FAILED, str(plan.Step.START), "an earlier run began to put the old disk back", blames=False
    )


def _prove(swap: PlannedSwap, since: str) -> SwapSteps:
    """Check the health of a VM that was swapped while it did not run and that its owner has started.

    What its agent reports after `since`, the end of that swap, it reports from the new disk. A VM that is stopped again
    before it is proved stays stopped, and is checked when it runs again: it did not run before the swap either.
    """
    earlier = StepsRun(started_at=since)
    ran = yield from run_steps(swap, (plan.Step.HEALTH,), earlier)
    if ran.ended is StepState.FAILED:
        return (yield from _undo(swap, ran))
    if ran.ended is StepState.CHANGED:
        return (yield from changed(swap, ran))
    if ran.ended in _LEFT:
        reason = Reason.ON_HOLD if ran.ended is StepState.HELD else Reason.VM_GONE
        message = "the VM was put on hold, or is gone, before its new disk was proved: the app leaves it alone"
        return outcome_of(swap, OutcomeStatus.SKIPPED, reason, message, ran=ran)
    return stopped(swap, ran) if ran.ended is StepState.STOPPED else verified(swap, ran)


def _begin(swap: PlannedSwap, tags: dict[str, str] | None) -> SwapSteps:
    """Write the intent onto the VM, the last thing before downtime; without it nothing is stopped."""
    wrote = yield from call(swap.ctx, durable_names.WRITE_INTENT, {"vm": swap.vm, "tags": tags or {}})
    return (yield from _swap(swap)) if wrote.get("ok") else tags_refused(swap, swap.intent, wrote)


def _swap(swap: PlannedSwap) -> SwapSteps:
    intent = swap.intent
    ran = yield from run_steps(swap, swap.steps)
    if ran.ended is StepState.FAILED and is_start_hopeless(ran.step, ran.code):
        return cannot_start(swap, ran)
    if ran.ended is StepState.FAILED:
        return (yield from _undo(swap, ran))
    if ran.ended in _LEFT:
        return (yield from leave_alone(swap, ran))
    if ran.ended is StepState.CHANGED:
        return (yield from changed(swap, ran))
    yield from clear(swap)
    if ran.ended is StepState.STOPPED:
        return stopped(swap, ran)
    if not intent.was_running:
        message = f"the VM was not running: it has disk {name_of(intent.new_disk)} now and was not started"
        return outcome_of(swap, OutcomeStatus.NOT_PROVEN, Reason.NOT_RUNNING, message, intent=intent, ran=ran)
    return verified(swap, ran)


def _undo(swap: PlannedSwap, failed: StepsRun | None) -> SwapSteps:
    """Store the rejection, then write the tags, then put the old disk back: after a crash in between, the VM's tag
    must not name the bad disk again.

    The rejection is sent first; its answer is waited for when the VM is up again.
    """
    ctx, intent = swap.ctx, swap.intent
    blamed = failed is None or is_disk_to_blame(failed.step, failed.code, failed.blames)
    rejected: dict[str, Any] = {"disk": intent.new_disk, "version": intent.version}
    reject = begin_call(ctx, Operation.REJECT, vm=swap.vm, n=swap.n, **rejected) if blamed else None
    if reject is not None and not swap.bounded:
        yield reject
    swap.report_step(UNDO)
    rejection = {"vm": swap.vm, "intent": intent.to_json(), "blamed": blamed}
    wrote = yield from call(ctx, durable_names.WRITE_REJECTION, rejection)
    back = yield from run_steps(swap, swap.undo, failed, StepOptions(undo=True, preempts=blamed))
    why = failed.why if failed is not None else "an earlier run found the VM unhealthy"
    if back.ended in _LEFT:
        return (yield from leave_alone(swap, back))
    if back.ended is StepState.CHANGED:
        return (yield from changed(swap, back))
    unhealthy = blamed and (failed is None or failed.step == plan.Step.HEALTH)
    if back.ended not in (StepState.DONE, StepState.STOPPED):
        outcome = yield from _give_up(swap, why, back)
    else:
        yield from clear(swap)
        code = failed.code if failed is not None else None
        otherwise = Reason.UNHEALTHY if unhealthy or code == UNHEALTHY else Reason.STEP_FAILED
        reason = reason_of(code, otherwise)
        put_in = back.put_back or failed is None or failed.step not in (plan.Step.STOP, plan.Step.NEW_DISK)
        outcome = undone(swap, Undo(reason, why, blamed=blamed, put_in=put_in), back)
    # After the VM is up: neither the tags nor the image version may delay that.
    if not wrote.get("ok"):
        wrote = yield from call(ctx, durable_names.WRITE_REJECTION, rejection)
    if not wrote.get("ok"):
        outcome = _with_evidence(outcome, f"the tags could not be put back: {wrote.get('message')}")
    if not unhealthy or intent.version is None or reject is None:
        return outcome
    try:
        known = yield from answer_of(ctx, reject, Operation.REJECT)
    except NoAnswer as no_answer:
        return _with_evidence(outcome, f"the image version was not judged: {no_answer}")
    vms = known.get("rejecting", [])
    blame = {"version": intent.version, "vms": known.get("vms", 1), "rejecting": vms}
    marked = yield from call(ctx, durable_names.QUARANTINE_VERSION, blame)
    message = str(marked.get("message", ""))
    if marked.get("first"):
        yield from publish(ctx, quarantined_event(ctx.instance_id, intent.version, vms, message, now(ctx)))
    return _with_evidence(outcome, message)


def _with_evidence(outcome: Outcome, line: str) -> Outcome:
    return replace(outcome, evidence=(*outcome.evidence, line[:160]))


def _give_up(swap: PlannedSwap, why: str, back: StepsRun) -> SwapSteps:
    """The old disk could not be put back: start a VM that ran on whatever disk it has, even when it is on hold."""
    ran, intent = back, swap.intent
    if intent.was_running and back.step != plan.Step.START:
        ran = yield from run_steps(swap, (plan.Step.START,), back, StepOptions(undo=True, despite_hold=True))
    failed = f"{name_of(intent.new_disk)} failed ({why}), and putting the old disk back failed too ({back.why})"
    reason, message = reason_of(back.code, Reason.UNDO_FAILED), f"{failed}: a person is needed"
    return outcome_of(swap, OutcomeStatus.NEEDS_ATTENTION, reason, message, intent=intent, ran=ran)


def _revive(swap: PlannedSwap, why: str) -> SwapSteps:
    """Start a VM of which only is known that it ran before; the result proves nothing about its disk."""
    ran = yield from run_steps(swap, plan.plan_revival())
    if ran.ended in _LEFT:
        return (yield from leave_alone(swap, ran))
    if ran.ended not in (StepState.DONE, StepState.STOPPED):
        message = f"a VM that an earlier swap stopped could not be started: {ran.why}"
        return outcome_of(swap, OutcomeStatus.NEEDS_ATTENTION, Reason.RECOVER, message, ran=ran)
    yield from clear(swap)
    return outcome_of(swap, OutcomeStatus.NOT_PROVEN, Reason.RECOVER, why, ran=ran)
