"""Swaps and looks whose orchestration is gone: what a sweep reports is started again.

Decides when a claim and a look count as dead. See `records.dispatcher_state` for the state.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from refresh.dispatcher import lists, unproven_vms
from refresh.dispatcher.effects import Effects
from refresh.dispatcher.hints import add_hint
from refresh.dispatcher.looks import give_back, open_look
from refresh.dispatcher.queue import admit, start_swap
from refresh.dispatcher.spills import spill
from refresh.domain.terms import times
from refresh.records.dispatcher_state import RunningRow
from refresh.records.hint_rows import HintRow
from refresh.records.rows import given

LOOK_DEAD_AFTER_S = 300
# What an entity starts may begin some seconds later.
LOOK_GONE_AFTER_S = 60
CLAIM_DEAD_AFTER_S = 900
# A claim is dead only when two sweeps in a row missed its orchestration: a status query can lag behind.
MISSED_BEFORE_DEAD = 2


def recover(effects: Effects, data: Mapping[str, Any]) -> None:
    """Start again what the sweep found without an orchestration, and hint at every VM that is down or unproven.

    Each sweep counts once, and none after a later one.
    """
    at, state = str(data["at"]), effects.state
    if times.not_before(state.swept, at):
        return
    state.swept = at
    _recover_claims(effects, {(str(row["vm"]).lower(), row["n"]) for row in data.get("gone", [])}, at)
    unproven_vms.hint_all(state)
    for vm, down in state.down.items():
        add_hint(state, vm, HintRow(id=down.id, first=True))
    _recover_look(effects, data.get("look"), at)
    lists.wake(state, swept=True)
    admit(effects, at)
    open_look(effects, at)
    spill(effects, at)


def _recover_claims(effects: Effects, gone: set[tuple[str, Any]], at: str) -> None:
    """Start a new swap for each claim whose orchestration is gone (lower-case VM id, n), once it counts as dead."""
    running = effects.state.running
    for vm, row in list(running.items()):
        if (vm, row.n) not in gone:
            if row.missing:
                running[vm] = row.without("missing")
            continue
        row = running[vm] = row.replace(missing=row.missing + 1)
        if row.missing >= MISSED_BEFORE_DEAD and _age_s(row.since, at) > CLAIM_DEAD_AFTER_S:
            _recover_claim(effects, vm, row, at)


def _recover_claim(effects: Effects, vm: str, row: RunningRow, at: str) -> None:
    """Start a dead claim's swap again; one that has stopped nothing yet goes back to the look during a pause."""
    state, line = effects.state, f"swap {row.n} of {row.id} has no live orchestration"
    if state.paused is None or row.intent is not None or row.urgent:
        effects.lines.append(f"{line}: starting a recovery")
        start_swap(effects, vm, row, at)
        return
    effects.lines.append(f"{line} and had stopped nothing: the VM is looked at again, because swaps are paused")
    del state.running[vm]
    for hint in (HintRow(id=row.id, **given(force=row.force, asked=row.asked, reply_to=list(row.reply_to))), row.again):
        if hint is not None:
            add_hint(state, vm, hint)


def _recover_look(effects: Effects, gone: str | None, at: str) -> None:
    """Replace the open look when it counts as dead; `gone` is the look whose orchestration the sweep did not find."""
    look = effects.state.look
    if look is None:
        return
    limit_s = LOOK_GONE_AFTER_S if gone == look.id else LOOK_DEAD_AFTER_S
    age_s = _age_s(look.since, at)
    if age_s > limit_s:
        give_back(effects, look, at)
    elif not look.since or age_s < 0:  # an event can name a time to come, after which the look would count as new
        effects.state.look = look.replace(since=at)


def _age_s(since: str | None, at: str) -> float:
    return times.seconds_between(since, at) or 0.0
