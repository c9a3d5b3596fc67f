"""The swap of one VM, told as a story: claim it, prepare, write the intent, stop, swap, start, verify, or put it back.

Decides the order and what follows from a step's end; the plan was made by `prepare_swap` and is
only interpreted.
Nothing happens before the claim, because the dispatcher's starts may come twice and late.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from durabletask.task import OrchestrationContext, Task, TaskFailedError

from refresh.domain import plan, resource_id
from refresh.domain.reason import Reason
from refresh.messages import Claimed, Intent, Outcome, Prepared
from refresh.orchestrations.calls import OUTCOME_EVENT, ask, now, tell
from refresh.orchestrations.swap_steps import StepsRun, call, run_steps

Turn = Generator[Task[Any], Any, Outcome]
UNDO = "undo"


def swap_vm(ctx: OrchestrationContext, data: dict[str, Any]) -> Generator[Task[Any], Any, dict[str, Any]]:
    """Swap VM `data["vm"]` as number `data["n"]` onto what its tag asks for; an `Outcome`."""
    vm, n, started = str(data["vm"]), int(data["n"]), now(ctx)
    claimed = Claimed.from_json((yield ask(ctx, "claim", vm=vm, n=n)))
    if claimed.answer != "yours":
        message = "another start of this swap has the claim, or it is over"
        return Outcome(vm, ctx.instance_id, "skipped", Reason.NOT_CLAIMED, message, started=started).to_json()
    try:
        outcome = yield from _turn(ctx, vm, n, claimed)
    except Exception as error:  # a bug must not leave a claim that nobody frees
        outcome = _outcome(ctx, vm, "needs-attention", Reason.UNDO_FAILED, f"the app itself failed: {error!r:.200}")
    told = Outcome.from_json({**outcome.to_json(), "started": started, "ended": now(ctx)}).to_json()
    yield ask(ctx, "finished", vm=vm, n=n, outcome=told)
    for instance_id in claimed.reply_to:
        ctx.send_event(instance_id, OUTCOME_EVENT, data=told)
    return told


def _turn(ctx: OrchestrationContext, vm: str, n: int, claimed: Claimed) -> Turn:
    if claimed.intent is not None:
        return (yield from _take_up(ctx, vm, n, claimed))
    prepared = yield from _prepare(ctx, vm, claimed)
    if prepared.intent is None:
        status = "skipped" if prepared.decision == "skip" else "refused"
        return _outcome(ctx, vm, status, prepared.reason, prepared.message)
    stored = yield ask(ctx, "step", vm=vm, n=n, step="intent", intent=prepared.intent.to_json())
    if not stored["ok"]:
        return _outcome(ctx, vm, "skipped", Reason.NOT_CLAIMED, "a recovery has taken this swap over")
    if prepared.decision == "revive":
        return (yield from _revive(ctx, vm, n, prepared))
    wrote = yield from call(ctx, "write_intent", {"vm": vm, "tags": prepared.tags})
    if not wrote.get("ok"):
        message = f"nothing was stopped, because the VM's tags could not be written: {wrote.get('message')}"
        return _outcome(ctx, vm, "refused", Reason.TAGS_NOT_WRITTEN, message, prepared.intent)
    return (yield from _swap(ctx, vm, n, prepared.intent, prepared.steps, prepared.undo))


def _prepare(ctx: OrchestrationContext, vm: str, claimed: Claimed) -> Generator[Task[Any], Any, Prepared]:
    data = {
        "vm": vm,
        "run": ctx.instance_id,
        "force": claimed.force,
        "rejected": list(claimed.rejected),
        "ran": list(claimed.ran),
        "over": list(claimed.over),
    }
    try:
        return Prepared.from_json((yield ctx.call_activity("prepare_swap", input=data)))
    except TaskFailedError as error:
        return Prepared("refuse", Reason.UNREADABLE, f"the swap could not be prepared: {error}"[:300])


def _take_up(ctx: OrchestrationContext, vm: str, n: int, claimed: Claimed) -> Turn:
    """Finish what another run began: its intent says what, its last step how far."""
    intent = claimed.intent
    assert intent is not None  # noqa: S101 - checked by the caller
    steps, undo = _plans(intent)
    if (claimed.step or "").startswith(UNDO):
        return (yield from _undo(ctx, vm, n, intent, undo, None))
    return (yield from _swap(ctx, vm, n, intent, steps, undo))


def _name(disk_id: str) -> str:
    disk = resource_id.parse(disk_id)
    return disk.name if disk is not None else disk_id


def _plans(intent: Intent) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if resource_id.same(intent.old_disk, intent.new_disk):  # a revival: there is no disk to change
        return tuple(map(str, plan.plan_revival())), tuple(map(str, plan.plan_revival()))
    steps, undo = plan.plan_swap(intent.was_running), plan.plan_undo(intent.was_running)
    return tuple(map(str, steps)), tuple(map(str, undo))


def _swap(
    ctx: OrchestrationContext, vm: str, n: int, intent: Intent, steps: tuple[str, ...], undo: tuple[str, ...]
) -> Turn:
    ran = yield from run_steps(ctx, vm, n, intent, steps)
    if ran.ended == "failed":
        return (yield from _undo(ctx, vm, n, intent, undo, ran))
    if ran.ended == "held":
        return (yield from _let_go(ctx, vm, intent, ran))
    if ran.ended == "gone":
        return _outcome(ctx, vm, "skipped", Reason.VM_GONE, "the VM was deleted while it was being swapped", intent)
    yield from call(ctx, "clear_intent", {"vm": vm})
    disk = _name(intent.new_disk)
    if not intent.was_running:
        message = f"the VM was not running: it has disk {disk} now and was left as it was"
        return _outcome(ctx, vm, "not-proven", Reason.NOT_RUNNING, message, intent, ran)
    if ran.proved:
        return _outcome(ctx, vm, "succeeded", Reason.VERIFIED, f"runs disk {disk}, proved by its guest", intent, ran)
    message = f"runs disk {disk}; nothing in the guest has ever reported, so its health is not proven"
    return _outcome(ctx, vm, "not-proven", Reason.NOT_PROVEN, message, intent, ran)


def _undo(
    ctx: OrchestrationContext, vm: str, n: int, intent: Intent, undo: tuple[str, ...], failed: StepsRun | None
) -> Turn:
    """Remember first, then the tags, then the disk: a crash in between must not ask for the bad disk again."""
    rejected: dict[str, Any] = {"disk": intent.new_disk, "version": intent.version}
    yield ask(ctx, "reject", vm=vm, n=n, **rejected)
    tell(ctx, "step", vm=vm, n=n, step=UNDO)
    yield from call(ctx, "write_rejection", {"vm": vm, "intent": intent.to_json()})
    back = yield from run_steps(ctx, vm, n, intent, undo, prefix=f"{UNDO}-", earlier=failed)
    why = failed.why if failed is not None else "an earlier run found it unhealthy"
    if back.ended == "held":
        return (yield from _let_go(ctx, vm, intent, back))
    if back.ended != "done":
        message = (
            f"{_name(intent.new_disk)} failed ({why}) and the way back failed too ({back.why}): a person is needed"
        )
        return _outcome(ctx, vm, "needs-attention", Reason.UNDO_FAILED, message, intent, back)
    yield from call(ctx, "clear_intent", {"vm": vm})
    unhealthy = failed is None or failed.step == "health"
    reason = Reason.UNHEALTHY if unhealthy else Reason.STEP_FAILED
    message = f"{_name(intent.new_disk)} was taken out again and {_name(intent.old_disk)} put back: {why}"
    return _outcome(ctx, vm, "rolled-back", reason, message, intent, back)


def _revive(ctx: OrchestrationContext, vm: str, n: int, prepared: Prepared) -> Turn:
    intent = prepared.intent
    assert intent is not None  # noqa: S101 - checked by the caller
    ran = yield from run_steps(ctx, vm, n, intent, prepared.steps)
    if ran.ended != "done":
        message = f"a VM that an earlier swap stopped could not be started: {ran.why}"
        return _outcome(ctx, vm, "needs-attention", Reason.RECOVER, message, ran=ran)
    yield from call(ctx, "clear_intent", {"vm": vm})
    return _outcome(ctx, vm, "not-proven", Reason.RECOVER, prepared.message, ran=ran)


def _let_go(ctx: OrchestrationContext, vm: str, intent: Intent, ran: StepsRun) -> Turn:
    """A person said `hold`: hands off, but a VM that the app has stopped is started first."""
    if intent.was_running and ran.stopped_at is not None and ran.running_at is None:
        ran = yield from run_steps(ctx, vm, None, intent, ("start",), earlier=ran, despite_hold=True)
        if ran.ended != "done":
            message = f"put on hold while it was stopped for a swap, and it could not be started: {ran.why}"
            return _outcome(ctx, vm, "needs-attention", Reason.ON_HOLD, message, intent, ran)
    yield from call(ctx, "clear_intent", {"vm": vm})
    message = "put on hold during its swap: left alone from then on, running what it had by then"
    return _outcome(ctx, vm, "not-proven", Reason.ON_HOLD, message, None, ran)


def _outcome(
    ctx: OrchestrationContext,
    vm: str,
    status: str,
    reason: str,
    message: str,
    intent: Intent | None = None,
    ran: StepsRun | None = None,
) -> Outcome:
    return Outcome(
        vm=vm,
        run=ctx.instance_id,
        status=status,
        reason=str(reason),
        message=message,
        old_disk=intent.old_disk if intent else None,
        new_disk=intent.new_disk if intent else None,
        down_s=ran.down_s() if ran else None,
        evidence=tuple(ran.evidence) if ran else (),
    )
