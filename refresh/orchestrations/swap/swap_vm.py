"""The swap of one VM, told as a story: claim it, prepare, write the intent, stop, swap, start, verify, or put it back.

Decides the order and what follows from a step's end; the plan was made by `prepare_swap` and is
only interpreted.
Nothing happens before the claim, because the dispatcher's starts may come twice and late. A dispatcher that does not
answer ends the run before anything is stopped; while the VM is down no answer of it is waited for.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from durabletask.task import OrchestrationContext, Task, TaskFailedError

from refresh.domain.azure.refusals import reason_of
from refresh.domain.swap import plan
from refresh.domain.swap.blame import is_disk_to_blame, is_start_hopeless
from refresh.domain.swap.plan import INTENT, NOTICE, UNDO
from refresh.domain.terms import resource_id
from refresh.domain.terms.swap_reason import Reason, Wait
from refresh.orchestrations.shared.dispatcher_calls import (
    OUTCOME_EVENT,
    NoAnswer,
    answer_of,
    ask,
    begin_ask,
    is_bounded,
    now,
    tell,
)
from refresh.orchestrations.shared.notices import give_notice, publish
from refresh.orchestrations.swap.swap_outcomes import cannot_start, name_of, outcome_of, undone, unheard, verified
from refresh.orchestrations.swap.swap_steps import StepsRun, call, run_steps
from refresh.records.events import outcome_event
from refresh.records.swap import Claimed, Intent, Outcome, Prepared

Turn = Generator[Task[Any], Any, Outcome]
# A run that gives up without its claim is begun anew after a quarter of an hour only, and its VM may be down.
CLAIM_PATIENCE = timedelta(minutes=10)


@dataclass(frozen=True)
class Plans:
    """The steps there and back, and whether this run waits for the dispatcher for a limited time (`is_bounded`)."""

    steps: tuple[str, ...]
    undo: tuple[str, ...]
    bounded: bool


def swap_vm(ctx: OrchestrationContext, data: dict[str, Any]) -> Generator[Task[Any], Any, dict[str, Any]]:
    """Swap VM `data["vm"]` as number `data["n"]` onto what its tag asks for; an `Outcome`."""
    vm, n, started, bounded = str(data["vm"]), int(data["n"]), now(ctx), is_bounded(data)
    try:
        claim = yield from ask(ctx, "claim", bounded=bounded, patience=CLAIM_PATIENCE, vm=vm, n=n)
    except NoAnswer as silence:
        return replace(unheard(ctx, vm, silence), started=started, ended=now(ctx)).to_json()
    claimed = Claimed.from_json(claim)
    if claimed.answer != "yours":
        message = "another start of this swap has the claim, or it is over"
        return Outcome(vm, ctx.instance_id, "skipped", Reason.NOT_CLAIMED, message, started=started).to_json()
    try:
        outcome = yield from _turn(ctx, vm, n, claimed, bounded=bounded)
    except Exception as error:  # a bug must not leave a claim that nobody frees
        message = f"the app itself failed; the disk is not tried again unless it is forced: {error!r:.200}"
        outcome = outcome_of(ctx, vm, "needs-attention", Reason.APP_FAILED, message)
    told = Outcome.from_json({**outcome.to_json(), "started": started, "ended": now(ctx)}).to_json()
    try:
        yield from ask(ctx, "finished", bounded=bounded, vm=vm, n=n, outcome=told)
    except NoAnswer as silence:  # its claim is freed by the sweep, which has the VM looked at by another run
        told = {**told, "evidence": [*told.get("evidence", ()), f"{silence}"[:160]]}
    for instance_id in claimed.reply_to:
        ctx.send_event(instance_id, OUTCOME_EVENT, data=told)
    # Last of all: whoever waits for room, or for the outcome, has it by now.
    yield from publish(ctx, outcome_event(Outcome.from_json(told)))
    return told


def _turn(ctx: OrchestrationContext, vm: str, n: int, claimed: Claimed, *, bounded: bool) -> Turn:
    if claimed.intent is not None:
        return (yield from _take_up(ctx, vm, n, claimed, bounded=bounded))
    prepared = yield from _prepare(ctx, vm, claimed)
    # Whoever was told that a swap is about to begin is told as well when it does not, by this run or by its recovery.
    announced, noticed = claimed.wanted if claimed.step == NOTICE else None, False
    if prepared.intent is not None and prepared.notice_s is not None:
        announced = prepared.intent.new_disk
        noticed = yield from give_notice(ctx, vm, n, prepared.intent, prepared.message, prepared.notice_s)
        if noticed:
            prepared = yield from _prepare(ctx, vm, claimed)  # what was prepared is old by now
    if prepared.intent is None:
        status = "skipped" if prepared.decision == "skip" else "refused"
        return replace(outcome_of(ctx, vm, status, prepared.reason, prepared.message), new_disk=announced)
    kept: dict[str, Any] = {"intent": prepared.intent.to_json(), "tags": prepared.tags}
    urgent = prepared.decision == "revive"
    kept |= {"urgent": urgent, "noticed": noticed}
    try:
        stored = yield from ask(ctx, "step", bounded=bounded, vm=vm, n=n, step=INTENT, **kept)
    except NoAnswer as silence:
        if not urgent:
            return unheard(ctx, vm, silence, prepared.intent)
        stored = {"ok": True}  # the VM is down already, and the claim is this run's
    if stored.get("paused"):
        why = stored.get("why") or "swaps were paused during its notice"
        message = f"{why}: nothing was touched, and it is asked for again"
        return outcome_of(ctx, vm, "skipped", Wait.PAUSED, message, prepared.intent)
    if not stored["ok"]:
        return outcome_of(ctx, vm, "skipped", Reason.NOT_CLAIMED, "a recovery has taken this swap over")
    if prepared.decision == "revive":
        return (yield from _revive(ctx, vm, n, prepared.intent, prepared.message))
    plans = Plans(prepared.steps, prepared.undo, bounded)
    return (yield from _begin(ctx, vm, n, prepared.intent, prepared.tags, plans))


def _prepare(ctx: OrchestrationContext, vm: str, claimed: Claimed) -> Generator[Task[Any], Any, Prepared]:
    data = {
        "vm": vm,
        "run": ctx.instance_id,
        "force": claimed.force,
        "wanted": claimed.wanted,
        "rejected": list(claimed.rejected),
        "ran": list(claimed.ran),
        "over": list(claimed.over),
    }
    try:
        return Prepared.from_json((yield ctx.call_activity("prepare_swap", input=data)))
    except TaskFailedError as error:
        return Prepared("refuse", Reason.UNREADABLE, f"the swap could not be prepared: {error}"[:300])


def _take_up(ctx: OrchestrationContext, vm: str, n: int, claimed: Claimed, *, bounded: bool) -> Turn:
    """Finish what another run began: its intent says what, its last step how far."""
    intent = claimed.intent
    assert intent is not None  # noqa: S101 - checked by the caller
    if resource_id.same(intent.old_disk, intent.new_disk):
        return (yield from _revive(ctx, vm, n, intent, "a swap stopped this VM and nobody finished it: brought up"))
    steps, undo = plan.plan_swap(intent.was_running), plan.plan_undo(intent.was_running)
    plans = Plans(tuple(map(str, steps)), tuple(map(str, undo)), bounded)
    if claimed.step == INTENT:  # nothing has been stopped yet, and the tags may not have been written
        return (yield from _begin(ctx, vm, n, intent, claimed.tags, plans))
    if (claimed.step or "").startswith(UNDO):
        return (yield from _undo(ctx, vm, n, intent, plans, None))
    if claimed.proves_since is not None:
        return (yield from _prove(ctx, vm, n, intent, plans, claimed.proves_since))
    return (yield from _swap(ctx, vm, n, intent, plans))


def _prove(ctx: OrchestrationContext, vm: str, n: int, intent: Intent, plans: Plans, since: str) -> Turn:
    """A VM that was swapped while it did not run has been started by its owner: only its health is asked about.

    Whatever its agent reports after `since`, the end of that swap, it reports from the new disk. Stopped again before
    it is proved, it is left so and waits for its proof as before: it did not run when the app first met it.
    """
    earlier = StepsRun(started_at=since)
    ran = yield from run_steps(ctx, vm, n, intent, (plan.Step.HEALTH,), earlier=earlier, leave_stopped=True)
    if ran.ended == "failed":
        return (yield from _undo(ctx, vm, n, intent, plans, ran))
    if ran.ended in ("held", "gone"):
        reason = Reason.ON_HOLD if ran.ended == "held" else Reason.VM_GONE
        message = "put on hold, or gone, before its new disk was proved: left alone"
        return outcome_of(ctx, vm, "skipped", reason, message, None, ran)
    if ran.ended == "stopped":
        message = (
            f"was stopped before disk {name_of(intent.new_disk)} was proved; left so, and proved when it runs again"
        )
        return outcome_of(ctx, vm, "not-proven", Reason.NOT_RUNNING, message, intent, ran)
    return verified(ctx, vm, intent, ran)


def _begin(
    ctx: OrchestrationContext, vm: str, n: int, intent: Intent, tags: dict[str, str] | None, plans: Plans
) -> Turn:
    """The last thing before downtime: the intent goes onto the VM, or nothing is stopped."""
    wrote = yield from call(ctx, "write_intent", {"vm": vm, "tags": tags or {}})
    if not wrote.get("ok"):
        message = f"nothing was stopped, because the VM's tags could not be written: {wrote.get('message')}"
        reason = str(wrote.get("reason", Reason.TAGS_NOT_WRITTEN))
        return outcome_of(ctx, vm, "skipped" if reason == Reason.VM_GONE else "refused", reason, message, intent)
    return (yield from _swap(ctx, vm, n, intent, plans))


def _clear(ctx: OrchestrationContext, vm: str, intent: Intent) -> Generator[Task[Any], Any, dict[str, Any]]:
    # A revival ends what some earlier run has left on the VM.
    revival = resource_id.same(intent.old_disk, intent.new_disk)
    return call(ctx, "clear_intent", {"vm": vm, "run": None if revival else intent.run})


def _swap(ctx: OrchestrationContext, vm: str, n: int, intent: Intent, plans: Plans) -> Turn:
    ran = yield from run_steps(ctx, vm, n, intent, plans.steps)
    if ran.ended == "failed" and is_start_hopeless(ran.step, ran.code):
        return cannot_start(ctx, vm, intent, ran)
    if ran.ended == "failed":
        return (yield from _undo(ctx, vm, n, intent, plans, ran))
    if ran.ended in ("held", "gone"):
        return (yield from _let_go(ctx, vm, intent, ran))
    yield from _clear(ctx, vm, intent)
    if not intent.was_running:
        message = f"the VM was not running: it has disk {name_of(intent.new_disk)} now and was left as it was"
        return outcome_of(ctx, vm, "not-proven", Reason.NOT_RUNNING, message, intent, ran)
    return verified(ctx, vm, intent, ran)


def _undo(ctx: OrchestrationContext, vm: str, n: int, intent: Intent, plans: Plans, failed: StepsRun | None) -> Turn:
    """Remember first, then the tags, then the disk: a crash in between must not ask for the bad disk again.

    What is to be remembered is sent first; its answer is waited for when the VM is up again.
    """
    blamed = failed is None or is_disk_to_blame(failed.step, failed.code)
    rejected: dict[str, Any] = {"disk": intent.new_disk, "version": intent.version}
    reject = begin_ask(ctx, "reject", vm=vm, n=n, **rejected) if blamed else None
    if reject is not None and not plans.bounded:
        yield reject
    tell(ctx, "step", vm=vm, n=n, step=UNDO)
    rejection = {"vm": vm, "intent": intent.to_json(), "blamed": blamed}
    wrote = yield from call(ctx, "write_rejection", rejection)
    back = yield from run_steps(ctx, vm, n, intent, plans.undo, prefix=f"{UNDO}-", earlier=failed)
    why = failed.why if failed is not None else "an earlier run found it unhealthy"
    if back.ended in ("held", "gone"):
        return (yield from _let_go(ctx, vm, intent, back))
    unhealthy = blamed and (failed is None or failed.step == plan.Step.HEALTH)
    if back.ended != "done":
        outcome = yield from _give_up(ctx, vm, n, intent, why, back)
    else:
        yield from _clear(ctx, vm, intent)
        code = failed.code if failed is not None else None
        reason = Reason.UNHEALTHY if unhealthy else reason_of(code, Reason.STEP_FAILED)
        put_in = back.put_back or failed is None or failed.step not in (plan.Step.STOP, plan.Step.NEW_DISK)
        outcome = undone(ctx, vm, intent, reason, why, back, blamed=blamed, put_in=put_in)
    # The VM first, then tags and blame: nothing waits for them.
    if not wrote.get("ok"):
        wrote = yield from call(ctx, "write_rejection", rejection)
    if not wrote.get("ok"):
        told = f"the tags could not be put back: {wrote.get('message')}"[:160]
        outcome = replace(outcome, evidence=(*outcome.evidence, told))
    if not unhealthy or intent.version is None or reject is None:
        return outcome
    try:
        known = yield from answer_of(ctx, reject, "reject")
    except NoAnswer as silence:
        return replace(outcome, evidence=(*outcome.evidence, f"not judged its image version: {silence}"[:160]))
    blame = {"version": intent.version, "vms": known.get("vms", 1)}
    said = yield from call(ctx, "quarantine_version", blame)
    return replace(outcome, evidence=(*outcome.evidence, str(said.get("message", ""))[:160]))


def _give_up(ctx: OrchestrationContext, vm: str, n: int, intent: Intent, why: str, back: StepsRun) -> Turn:
    """The old disk could not be put back: a VM that ran is started on whatever disk it has, hold or not."""
    ran = back
    if intent.was_running and back.step != plan.Step.START:
        steps = (plan.Step.START,)
        ran = yield from run_steps(ctx, vm, n, intent, steps, prefix=f"{UNDO}-", earlier=back, despite_hold=True)
    message = f"{name_of(intent.new_disk)} failed ({why}) and the way back failed too ({back.why}): a person is needed"
    return outcome_of(ctx, vm, "needs-attention", reason_of(back.code, Reason.UNDO_FAILED), message, intent, ran)


def _revive(ctx: OrchestrationContext, vm: str, n: int, intent: Intent, why: str) -> Turn:
    """Bring up a VM of which nothing is known but that it ran; how that ends says nothing about its disk."""
    ran = yield from run_steps(ctx, vm, n, intent, plan.plan_revival())
    if ran.ended in ("held", "gone"):
        return (yield from _let_go(ctx, vm, intent, ran))
    if ran.ended != "done":
        message = f"a VM that an earlier swap stopped could not be started: {ran.why}"
        return outcome_of(ctx, vm, "needs-attention", Reason.RECOVER, message, ran=ran)
    yield from _clear(ctx, vm, intent)
    return outcome_of(ctx, vm, "not-proven", Reason.RECOVER, why, ran=ran)


def _let_go(ctx: OrchestrationContext, vm: str, intent: Intent, ran: StepsRun) -> Turn:
    """Hands off a VM that is gone, or that a person put on hold; one that the app may have stopped is started first.

    May have: the word of an accepted stop can be lost with the worker or the run that heard it. A VM that runs is not
    touched by being started.
    """
    if ran.ended == "held" and intent.was_running and ran.running_at is None:
        ran = yield from run_steps(ctx, vm, None, intent, (plan.Step.START,), earlier=ran, despite_hold=True)
        if ran.ended == "failed":
            message = f"put on hold while it was stopped for a swap, and it could not be started: {ran.why}"
            return outcome_of(ctx, vm, "needs-attention", Reason.ON_HOLD, message, intent, ran)
    if ran.ended == "gone":
        message = "the VM was deleted while it was being swapped, or another has its name now"
        return outcome_of(ctx, vm, "skipped", Reason.VM_GONE, message, intent, ran)
    yield from _clear(ctx, vm, intent)
    message = "put on hold during its swap: left alone from then on, running what it had by then"
    return outcome_of(ctx, vm, "not-proven", Reason.ON_HOLD, message, None, ran)
