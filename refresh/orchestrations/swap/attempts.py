"""An attempt at a swap before anything is stored: prepares it, and tries the first write where it was refused before.

Decides whether the end of the attempt is news. A refusal that only a write can find is found by every sweep again: it
is announced once, until something about the VM has changed.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from durabletask.task import Task, TaskFailedError

from refresh.domain.terms.decision_kind import DecisionKind
from refresh.domain.terms.swap_reason import Reason
from refresh.orchestrations.swap.swap_outcomes import outcome_of
from refresh.orchestrations.swap.swap_run import SwapRun
from refresh.orchestrations.swap.swap_steps import call
from refresh.records import durable_names
from refresh.records.rows import given
from refresh.records.swap import Claimed, Intent, Outcome, OutcomeStatus, Prepared


@dataclass
class Attempt:
    """What the swap was prepared with, as far as the run has come; `begun`: the event `starting` was published."""

    prepared: Prepared | None = None
    begun: bool = False

    def prepare(self, run: SwapRun, claimed: Claimed) -> Generator[Task[Any], Any, Prepared]:
        """Read the VM and plan the swap."""
        data: dict[str, Any] = {
            "vm": run.vm,
            "run": run.ctx.instance_id,
            "force": claimed.force,
            "wanted": claimed.wanted,
            "rejected": list(claimed.rejected),
            "ran": list(claimed.ran),
            "over": list(claimed.over),
            **given(asked=claimed.asked, fulfilled=claimed.fulfilled),
        }
        if claimed.way is not None:
            data["way"] = claimed.way
        try:
            prepared = Prepared.from_json((yield run.ctx.call_activity(durable_names.PREPARE_SWAP, input=data)))
        except TaskFailedError as error:
            why = f"the swap could not be prepared: {error}"[:300]
            prepared = Prepared(DecisionKind.REFUSE, Reason.UNREADABLE, why)
        self.prepared = prepared
        return prepared

    def try_write(self, run: SwapRun) -> Generator[Task[Any], Any, Outcome | None]:
        """The refusal of the intent's tags where the last attempt was refused; nothing stays written.

        Before the event `starting`, which would announce the same swap at every sweep.
        """
        prepared = self.prepared
        if prepared is None or prepared.intent is None or prepared.refused is None:
            return None
        if prepared.decision is DecisionKind.REVIVE:
            return None
        data = {"vm": run.vm, "tags": prepared.tags or {}, "probe": True}
        wrote = yield from call(run.ctx, durable_names.WRITE_INTENT, data)
        return None if wrote.get("ok") else tags_refused(run, prepared.intent, wrote)

    def notice(self, outcome: Outcome) -> dict[str, Any]:
        """For the dispatcher: what a refusal is `about`, that it is `repeated`, or that one is `cured`.

        After the event `starting` the end is always published, so that subscribers do not wait for it.
        """
        known = self.prepared
        if known is None or known.about is None:
            return {}
        if outcome.status is OutcomeStatus.REFUSED:
            is_repeated = known.refused == outcome.reason and not self.begun
            return {"about": known.about, **({"repeated": True} if is_repeated else {})}
        return {"cured": True} if known.refused and outcome.status is not OutcomeStatus.SKIPPED else {}


def tags_refused(run: SwapRun, intent: Intent, wrote: dict[str, Any]) -> Outcome:
    """The outcome where the intent's tags could not be written, from the answer of `write_intent`."""
    message = f"nothing was stopped, because the VM's tags could not be written: {wrote.get('message')}"
    reason = str(wrote.get("reason", Reason.TAGS_NOT_WRITTEN))
    status = OutcomeStatus.SKIPPED if reason == Reason.VM_GONE else OutcomeStatus.REFUSED
    return outcome_of(run, status, reason, message, intent=intent)
