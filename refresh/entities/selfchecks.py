"""Self-checks: the dispatcher's part in one, and what it remembers of the last.

Decides whether swaps wait for one: where the look's budgets ask for it, until one has passed for the package that is
running now. See `ledger` for the state.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from refresh import selfcheck_messages as selfchecks
from refresh.entities.queue import admit
from refresh.entities.turn import Turn


def probe(turn: Turn, data: Mapping[str, Any]) -> None:
    """Start the orchestration that answers a self-check."""
    run = str(data["reply_to"])
    turn.starts.append((selfchecks.ANSWER_SELFCHECK, selfchecks.answer_id(run), {"reply_to": run}))


def selfchecked(turn: Turn, data: Mapping[str, Any]) -> None:
    """Remember how a self-check ended; whoever waited for it may go on."""
    verdict = dict(data["verdict"])
    turn.state["selfcheck"] = {**verdict, "at": data.get("at")}
    failed = [f"{row['name']}: {row['message']}" for row in verdict["checks"] if not row["ok"]]
    line = f"self-check {verdict['run']} of package {verdict['package']}"
    if failed:
        turn.loud.append(f"{line} failed: {'; '.join(failed)}"[:2000])
    else:
        turn.lines.append(f"{line} passed")
    turn.answer = {"ok": True}
    admit(turn, data.get("at"))
