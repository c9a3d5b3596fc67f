"""Hints and the look that reads them: which VMs to look at.

Decides that one look is open at a time, that no hint is lost when it dies, and which of its answers still count: each
hint is handed out under the number of a batch. See `records.dispatcher_state` for the state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from refresh.dispatcher.broken_vms import is_taken_out, keep_bad, note_failure
from refresh.dispatcher.edits import merge_sources, note_event, source_of
from refresh.dispatcher.effects import Effects
from refresh.dispatcher.memory import Memory
from refresh.domain.terms import resource_id, times
from refresh.domain.terms.encodable import encodable
from refresh.records import durable_names, swap
from refresh.records.dispatcher_state import BadOperation, DispatcherState, HintRow, OpenLook, TakenRow
from refresh.records.durable_names import Operation
from refresh.records.rows import given

KEEP_FORCED = 200


def hint(effects: Effects, data: Mapping[str, Any]) -> None:
    """Note VMs to look at. A VM that is being swapped is looked at when its swap is over. Force counts once."""
    state, source = effects.state, data.get("source")
    note_event(state, data)
    is_forced = bool(data.get("force")) and not _is_repeated(state, data)
    replies = [str(data["reply_to"])] if data.get("reply_to") else []
    for text in data["vms"]:
        vm = resource_id.parse_vm(text)
        if vm is None:
            why = f"not the id of a VM: {encodable(str(text)[:120])}"
            keep_bad(state, BadOperation(operation="hint", why=why))
            continue
        # A VM with the mark of a swap may be down, and is looked at in any case.
        is_spared = source == swap.FROM_SWEEP and not data.get("first")
        if is_spared and is_taken_out(state, vm.key, data.get("at")):
            continue
        try:
            fields = given(force=is_forced, reply_to=replies, first=bool(data.get("first")))
            add_hint(state, vm.key, HintRow(id=vm.text, **source_of(data), **fields))
        except Exception as error:  # the hints after this one still count
            note_failure(effects, vm.key, vm.text, Operation.HINT, f"{type(error).__name__}: {error}", data.get("at"))
    open_look(effects, data.get("at"))


def _is_repeated(state: DispatcherState, data: Mapping[str, Any]) -> bool:
    """Whether the same signal came before: a forced one that comes again must not force a later wish."""
    forced = state.forced
    key = resource_id.id_hash(f"{data.get('reply_to')} {data.get('at')} {data['vms'][:1]}")
    state.forced = [*(one for one in forced if one != key), key][-KEEP_FORCED:]
    return key in forced


def add_hint(state: DispatcherState, vm: str, new: HintRow) -> None:
    """Note that a VM is to be looked at: now, or when its swap is over."""
    running = state.running.get(vm)
    if running is not None:
        again = running.again
        state.running[vm] = running.replace(again=new if again is None else merged(again, new))
    else:
        old = state.hints.get(vm)
        state.hints[vm] = new if old is None else merged(old, new)


def merged[R: HintRow](old: R, new: HintRow) -> R:
    """The row `old` with what a newer hint for the same VM adds."""
    both = old.updated(new).without("swept").replace(**merge_sources(old, new))
    replies = tuple(dict.fromkeys([*old.reply_to, *new.reply_to]))
    return both.replace(reply_to=replies) if replies else both


def open_look(effects: Effects, at: str | None) -> None:
    """Start a look when there are hints and none is open."""
    state = effects.state
    if state.look is not None or not state.hints:
        return
    name = durable_names.look_id(state.next_number())
    state.look = OpenLook(id=name, since=at, taken={})
    effects.starts.append((durable_names.LOOK, name, {"look": name, swap.BOUNDED: True}))


def take(effects: Effects, data: Mapping[str, Any]) -> None:
    """Answer up to 50 hints for the open look, and the number of this batch; an empty answer ends the look.

    Any other look gets nothing.
    """
    state, look = effects.state, effects.state.look
    effects.answer = {"vms": []}
    if look is None or look.id != data["look"]:
        return
    number = look.batch + 1
    memory, vms, taken = Memory(state), [], {}
    for vm, row in _taken(effects, look, number, data.get("at")).items():
        try:
            vms.append(_to_look_at(memory, vm, row))
            taken[vm] = row
        except Exception as error:  # nothing that one hint has may end the look of the others
            note_failure(effects, vm, vm, Operation.TAKE, f"{type(error).__name__}: {error}", data.get("at"))
    if not vms and not state.hints:
        state.look = None
        return
    state.look = OpenLook(id=look.id, since=times.later(data.get("at"), look.since), batch=number, taken=taken)
    if not vms:
        take(effects, data)
        return
    effects.answer = {"vms": vms, "batch": number}


def _taken(effects: Effects, look: OpenLook, number: int, at: str | None) -> dict[str, TakenRow]:
    """The hints of the look's next batch, which leave the state's hints: first those about VMs that may be down.

    A look that takes again without having decided lost its answer: what it had taken is taken again.
    """
    state, taken = effects.state, dict(look.taken)
    state.hints.create()
    for vm in list(islice(_in_order(state), max(swap.HINTS_PER_LOOK - len(taken), 0))):
        try:
            fresh, old = state.hints.pop(vm), taken.get(vm)
            row = TakenRow.from_json(fresh.json) if old is None else merged(old, fresh)
            taken[vm] = row.replace(batch=number)
        except Exception as error:  # nothing that one hint has may end the look of the others
            taken.pop(vm, None)
            note_failure(effects, vm, vm, Operation.TAKE, f"{type(error).__name__}: {error}", at)
    return taken


def _in_order(state: DispatcherState) -> Iterator[str]:
    hints, down = state.read_table("hints"), state.read_table("down")
    first = {vm: None for vm, row in hints.items() if vm in down or (isinstance(row, Mapping) and row.get("first"))}
    yield from first
    yield from (vm for vm in hints if vm not in first)


def answer_taken(state: DispatcherState, data: Mapping[str, Any], vms: Iterable[str]) -> list[str]:
    """Which of `vms` the look of `data` has just decided about: they are no longer taken.

    A decision of another look, or about an earlier batch, is old: the VM has been hinted at again since, and may have
    been swapped. A look that an older version of the app began names no batch.
    """
    look = state.look
    if look is None or look.id != data.get("look"):
        return []
    number = data.get("batch")
    taken = dict(look.taken)
    found = []
    for vm in vms:
        row = taken.get(vm)
        if row is not None and (number is None or row.batch <= number):
            del taken[vm]
            found.append(vm)
    if found:
        state.look = look.replace(taken=taken)
    return found


def give_back(effects: Effects, look: OpenLook, at: str) -> None:
    """Close the open look, which is dead; what it had taken is hinted at again, and another look may begin."""
    effects.state.look = None
    effects.lines.append(f"{look.id} has no live orchestration: its hints are looked at again")
    for vm, row in look.taken.items():
        add_hint(effects.state, vm, HintRow.from_json(row.without("batch").json))
    open_look(effects, at)


def _to_look_at(memory: Memory, vm: str, row: TakenRow) -> dict[str, Any]:
    return {"vm": row.id, "force": bool(row.force), "reply_to": list(row.reply_to), **memory.of(vm)}
