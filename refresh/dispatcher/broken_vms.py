"""VMs on which the app itself failed: an exception that no code expects, about one VM or one hint.

Decides when such a VM is taken out, so that a fault of the app about one VM does not come back with every sweep, and
when it is looked at again: at an event or a request about it, after a deployment, after a day. A VM that is down is
never taken out. Does not know what failed. See `records.dispatcher_state` for the state.
"""

from __future__ import annotations

from refresh.dispatcher.effects import Effects
from refresh.domain.terms import times
from refresh.domain.terms.encodable import encodable
from refresh.records import durable_names
from refresh.records.dispatcher_state import BadOperation, BrokenRow, DispatcherState

KEEP_BAD = 20
KEEP_BROKEN = 200
FAILURES_BEFORE_OUT = 3
OUT_FOR_S = 24 * 3600.0
_MAX_WHY = 200


def keep_bad(state: DispatcherState, bad: BadOperation) -> None:
    """Keep what could not be read, with the last of them."""
    state.bad = [*state.bad, bad][-KEEP_BAD:]


def note_failure(effects: Effects, vm: str, vm_id: str, operation: str, why: str, at: str | None) -> None:
    """Count that the app failed on a VM (`vm` is its lower-case id), and log it; the third time takes the VM out."""
    state, why = effects.state, encodable(why)[:_MAX_WHY]
    old = state.broken.get(vm)
    count = old.times + 1 if old is not None and old.package == state.package else 1
    state.broken.pop(vm, None)
    state.broken[vm] = BrokenRow(id=vm_id, times=count, why=why, at=at, package=state.package)
    while len(state.broken) > KEEP_BROKEN:
        del state.broken[next(iter(state.broken))]
    if count <= FAILURES_BEFORE_OUT:
        effects.loud.append(f"broken {encodable(vm_id)}: {operation}: {why} ({count} of {FAILURES_BEFORE_OUT})")
    if count == FAILURES_BEFORE_OUT:
        keep_bad(state, BadOperation(operation=operation, why=why, vm=vm_id))
        effects.loud.append(f"taken out {encodable(vm_id)}: sweeps do not have it looked at for a day; report the bug")


def take_out(effects: Effects, vm: str, vm_id: str, why: str, at: str | None) -> None:
    """Take a VM (`vm` is its lower-case id) out at once: each of the last looks at it has ended without an answer."""
    state = effects.state
    state.broken[vm] = BrokenRow(id=vm_id, times=FAILURES_BEFORE_OUT - 1, at=at, package=state.package)
    note_failure(effects, vm, vm_id, durable_names.LOOK, why, at)


def forget(state: DispatcherState, vm: str) -> None:
    """Note that the app has dealt with a VM (by its lower-case id)."""
    state.broken.pop(vm, None)


def is_taken_out(state: DispatcherState, vm: str, at: str | None) -> bool:
    """Whether a sweep at `at` must not have a VM (by its lower-case id) looked at."""
    row = state.broken.get(vm)
    if row is None or row.times < FAILURES_BEFORE_OUT or vm in state.down or row.package != state.package:
        return False
    return (times.seconds_between(row.at, at) or 0.0) < OUT_FOR_S
