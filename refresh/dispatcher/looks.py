"""The look that reads hinted VMs: what it is given, and which of its answers count.

Decides that one look is open at a time, that no hint is lost when it dies, and the order of VMs: those that may be
down, those that a list has found in turn with those of new hints, and last those that could not be read or had no
decision before. Each hint is handed out under the number of a batch. See `records.dispatcher_state` for the state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from refresh.dispatcher import lists
from refresh.dispatcher.broken_vms import note_failure, take_out
from refresh.dispatcher.effects import Effects
from refresh.dispatcher.hints import add_hint, merged, note_hint, note_hints, send_receipt
from refresh.dispatcher.memory import Memory
from refresh.dispatcher.unread_vms import is_unread
from refresh.domain.terms import times
from refresh.domain.terms.swap_reason import Reason
from refresh.records import durable_names, swap
from refresh.records.dispatcher_state import Decided, DispatcherState
from refresh.records.durable_names import Operation
from refresh.records.hint_rows import HintRow, OpenLook, TakenRow
from refresh.records.rows import given

# A list has its turn in every third batch although there are hints at single VMs; in every second one if hints wait for
# it. In a storm of events they always do, and the VMs that the lists have found must be read as well.
LIST_EVERY, PRESSING_LIST_EVERY = 3, 2
# Looks at a VM that cannot be read, for a hint from an event or a request.
TRIES = 3
# From the first death on a VM is looked at alone.
DEATHS_BEFORE_OUT = 5


def hint(effects: Effects, data: Mapping[str, Any]) -> None:
    """Note VMs to look at, and have a look begin."""
    note_hints(effects, data)
    open_look(effects, data.get("at"))


def open_look(effects: Effects, at: str | None) -> None:
    """Start a look when there is something to read and none is open."""
    state = effects.state
    if state.look is not None or not (state.read_table("hints") or lists.next_list(state) is not None):
        return
    name = durable_names.look_id(state.next_number())
    state.look = OpenLook(id=name, since=at, taken={})
    effects.starts.append((durable_names.LOOK, name, {"look": name, swap.BOUNDED: True}))


def take(effects: Effects, data: Mapping[str, Any]) -> None:
    """Answer the next hints for the open look and the number of this batch, or a subscription to `list`.

    `listed` in `data` are the VMs that the look has found in a list; with `more` it has found others. An empty answer
    ends the look. Any other look gets nothing.
    """
    state, look, at = effects.state, effects.state.look, data.get("at")
    effects.answer = {"vms": []}
    if look is None or look.id != data["look"]:
        return
    listed = data.get("listed")
    if listed:
        _note_listed(effects, listed, at)
    number = look.batch + 1
    listing = None if listed and listed.get("more") else _choose_list(state, look, number)
    since = times.later(at, look.since)
    if listing is not None:
        state.look = OpenLook(id=look.id, since=since, batch=number, taken={})
        effects.answer = {"vms": [], "batch": number, "list": listing}
        return
    memory, vms, taken = Memory(state), [], {}
    for vm, row in _taken(effects, look, number, at).items():
        try:
            vms.append(_to_look_at(memory, vm, row, slow=row.tries > 0 or is_unread(state, vm)))
            taken[vm] = row
        except Exception as error:  # nothing that one hint has may end the look of the others
            note_failure(effects, vm, vm, Operation.TAKE, f"{type(error).__name__}: {error}", at)
    send_receipt(effects)
    goes_on = bool(listed and listed.get("more")) and not lists.is_full(state)
    if not vms and not state.hints and not goes_on:
        state.look = None
        return
    state.look = OpenLook(id=look.id, since=since, batch=number, taken=taken)
    if not vms and not goes_on:
        take(effects, {**data, "listed": None})
        return
    effects.answer = {"vms": vms, "batch": number, **given(more=goes_on)}


def _note_listed(effects: Effects, part: Mapping[str, Any], at: str | None) -> None:
    """Note a part of a list, and hint at its VMs."""
    row = lists.note_listed(effects.state, part, at)
    if part.get("error"):
        effects.loud.append(lists.line_of_error(part))
    for vm in part["vms"] if row is not None else ():
        note_hint(effects, vm, {"listed": True, **given(swept=row.swept if row is not None else None)}, at)


def _choose_list(state: DispatcherState, look: OpenLook, number: int) -> dict[str, Any] | None:
    row = None if look.taken else lists.next_list(state)
    if row is None:
        return None
    every = PRESSING_LIST_EVERY if lists.is_pressing(row) else LIST_EVERY
    if state.read_table("hints") and (any(True for _ in _first(state)) or number % every):
        return None
    return lists.begin(state, row)


def _taken(effects: Effects, look: OpenLook, number: int, at: str | None) -> dict[str, TakenRow]:
    """The hints of the look's next batch, which leave the state's hints.

    A look that takes again without having decided lost its answer: what it had taken is taken again.
    """
    state, taken = effects.state, dict(look.taken)
    state.hints.create()
    for vm in list(islice(_in_order(state, number), max(swap.HINTS_PER_LOOK - len(taken), 0))):
        try:
            fresh, old = state.hints.pop(vm), taken.get(vm)
            row = TakenRow.from_json(fresh.json) if old is None else merged(old, fresh)
            taken[vm] = row.replace(batch=number)
        except Exception as error:  # nothing that one hint has may end the look of the others
            taken.pop(vm, None)
            note_failure(effects, vm, vm, Operation.TAKE, f"{type(error).__name__}: {error}", at)
    return taken


def _in_order(state: DispatcherState, number: int) -> Iterator[str]:
    """The VMs of the next batch: those that may be down, then one kind of the others, so no kind delays another."""
    hints = state.read_table("hints")
    first = dict.fromkeys(_first(state))
    yield from first
    others = {vm: row if isinstance(row, Mapping) else {} for vm, row in hints.items() if vm not in first}
    failed = {vm for vm, row in others.items() if row.get("deaths") or row.get("tries") or is_unread(state, vm)}
    calm = {vm: row for vm, row in others.items() if vm not in failed}
    listed = [vm for vm, row in calm.items() if row.get("listed")]
    # The newest first: a hint that waits has others like it, and a person may wait for the last edit.
    edits = [vm for vm, row in calm.items() if not row.get("listed") and not row.get("swept")][::-1]
    swept = [vm for vm, row in calm.items() if not row.get("listed") and row.get("swept")]
    kinds = [kind for kind in ((listed, edits, swept) if number // 2 % 2 else (edits, listed, swept)) if kind]
    if kinds:
        yield from kinds[0]
        return
    if first:
        return
    unread = [vm for vm, row in others.items() if not row.get("deaths")]
    # A hint whose looks have died is looked at alone: it may be what ended them.
    yield from unread or list(others)[:1]


def _first(state: DispatcherState) -> Iterator[str]:
    down = state.read_table("down")
    for vm, row in state.read_table("hints").items():
        if vm in down or (isinstance(row, Mapping) and row.get("first")):
            yield vm


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


def hint_again(state: DispatcherState, taken: Mapping[str, TakenRow], rows: Mapping[str, Decided]) -> set[str]:
    """Hint again at the VMs of these decisions that could not be read and have tries left; returns them.

    A look reads a VM for seconds only, and Azure may be throttling it for longer. The hints of a sweep have no further
    try: the next sweep finds the VM again.
    """
    again = set()
    for vm, row in rows.items():
        hint = taken.get(vm)
        if hint is None or hint.swept or row.reason != Reason.UNREADABLE or hint.tries + 1 >= TRIES:
            continue
        add_hint(state, vm, HintRow.from_json(hint.without("batch").json).replace(tries=hint.tries + 1))
        again.add(vm)
    return again


def give_back(effects: Effects, look: OpenLook, at: str) -> None:
    """Close the open look, which is dead; what it had taken is hinted at again, and another look may begin.

    A VM whose looks all ended so, the last ones with this VM alone, is taken out: what its hint leads to ends them.
    """
    state = effects.state
    state.look = None
    effects.lines.append(f"{look.id} has no live orchestration: its hints are looked at again")
    for vm, row in look.taken.items():
        if row.deaths >= DEATHS_BEFORE_OUT and vm not in state.down and not row.first:
            take_out(
                effects, vm, row.id, f"{row.deaths + 1} looks in a row did not end, the last with this VM alone", at
            )
            continue
        hint_again = HintRow.from_json(row.without("batch").json)
        add_hint(state, vm, hint_again.replace(deaths=row.deaths + 1))
    open_look(effects, at)


def _to_look_at(memory: Memory, vm: str, row: TakenRow, *, slow: bool) -> dict[str, Any]:
    if row.id.lower() != vm:  # no decision about it would ever count
        raise ValueError(f"the hint has the id {row.id!r:.80}")
    more = given(slow=slow, asked=row.asked)
    hint = {"vm": row.id, "force": bool(row.force), "reply_to": list(row.reply_to), **more}
    return {**hint, **memory.of(vm)}
