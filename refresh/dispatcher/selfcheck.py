"""Self-checks: the dispatcher's part in one, and the result of the last.

Decides which result counts. See `records.dispatcher_state` for the state.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from refresh.dispatcher.effects import Effects
from refresh.dispatcher.queue import admit
from refresh.domain.terms import times
from refresh.records import durable_names
from refresh.records import selfcheck as selfchecks
from refresh.records.dispatcher_state import SelfcheckResult
from refresh.records.record import BadRecord

_NEEDED = {"run", "package", "checks"}


def probe(effects: Effects, data: Mapping[str, Any]) -> None:
    """Start the orchestration that answers a self-check."""
    run = str(data["reply_to"])
    effects.starts.append((durable_names.ANSWER_SELFCHECK, selfchecks.answer_id(run), {"reply_to": run}))


def selfchecked(effects: Effects, data: Mapping[str, Any]) -> None:
    """Store how a self-check ended, unless one that began later has ended; swaps that waited for it may start."""
    missing = _NEEDED - data["verdict"].keys()
    if missing:
        raise BadRecord(f"the verdict has no {', '.join(sorted(missing))}")
    result = SelfcheckResult.from_json({**data["verdict"], "at": data.get("at")})
    effects.answer = {"ok": True}
    if _is_known(effects.state.selfcheck, result):
        return
    effects.state.selfcheck = result
    failed = [f"{check.name}: {check.message}" for check in result.checks if not check.ok]
    line = f"self-check {result.run} of package {result.package}"
    if failed:
        effects.loud.append(f"{line} failed: {'; '.join(failed)}"[:2000])
    else:
        effects.lines.append(f"{line} passed")
    admit(effects, data.get("at"))


def _is_known(last: SelfcheckResult | None, result: SelfcheckResult) -> bool:
    """Whether `result` is the last one again, or of a self-check that began before the last one did.

    An older version of the app stored no `began`: then its end counts.
    """
    if last is None:
        return False
    began = last.began and result.began
    gap_s = times.seconds_between(*(result.began, last.began) if began else (result.at, last.at)) or 0.0
    return gap_s > 0 or (gap_s == 0 and result.run == last.run)
