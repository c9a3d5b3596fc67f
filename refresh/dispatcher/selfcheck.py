"""Self-checks: the dispatcher's part in one, and what it remembers of the last.

Decides whether swaps wait for one: where the look's budgets ask for it, until one has passed for the package that is
running now. See `ledger` for the state.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from refresh.dispatcher.effects import Turn
from refresh.dispatcher.queue import admit
from refresh.domain.terms import times
from refresh.records import durable_names
from refresh.records import selfcheck as selfchecks


def probe(turn: Turn, data: Mapping[str, Any]) -> None:
    """Start the orchestration that answers a self-check."""
    run = str(data["reply_to"])
    turn.starts.append((durable_names.ANSWER_SELFCHECK, selfchecks.answer_id(run), {"reply_to": run}))


def selfchecked(turn: Turn, data: Mapping[str, Any]) -> None:
    """Remember how a self-check ended, unless one that began later has ended; what waited for it may go on."""
    verdict = {**data["verdict"], "at": data.get("at")}
    turn.answer = {"ok": True}
    if _is_known(turn.state.get("selfcheck"), verdict):
        return
    turn.state["selfcheck"] = verdict
    failed = [f"{row['name']}: {row['message']}" for row in verdict["checks"] if not row["ok"]]
    line = f"self-check {verdict['run']} of package {verdict['package']}"
    if failed:
        turn.loud.append(f"{line} failed: {'; '.join(failed)}"[:2000])
    else:
        turn.lines.append(f"{line} passed")
    admit(turn, data.get("at"))


def _is_known(last: Mapping[str, Any] | None, verdict: Mapping[str, Any]) -> bool:
    """Whether `verdict` is the last one again, or of a self-check that began before the last one did.

    An older version of the app did not say when one began: then its end counts.
    """
    if last is None:
        return False
    mark = "began" if last.get("began") and verdict.get("began") else "at"
    gap_s = times.seconds_between(verdict.get(mark), last.get(mark)) or 0.0
    return gap_s > 0 or (gap_s == 0 and verdict["run"] == last.get("run"))
