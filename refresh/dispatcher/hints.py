"""Hints: which VMs are to be looked at.

Decides how hints about one VM are merged, and which are left out: those of a sweep about a VM that is taken out, or
that could not be read a short time ago. More hints than the state holds become one list of their subscription; see
`lists.py`. See `records.dispatcher_state` for the state.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from refresh.dispatcher import lists
from refresh.dispatcher.broken_vms import is_taken_out, keep_bad, note_failure
from refresh.dispatcher.edits import merge_sources, note_event, source_of
from refresh.dispatcher.effects import Effects, Signal
from refresh.dispatcher.unread_vms import is_too_early
from refresh.domain.terms import resource_id
from refresh.domain.terms.encodable import encodable
from refresh.records import durable_names, swap
from refresh.records.dispatcher_state import BadOperation, DispatcherState
from refresh.records.durable_names import InboxOperation, Operation
from refresh.records.hint_rows import HintRow, Parcel
from refresh.records.rows import given

KEEP_FORCED = 200


def note_hints(effects: Effects, data: Mapping[str, Any]) -> None:
    """Note the hints of an operation: a batch of the inbox (`rows`, `lists`), or one hint at `vms`. `force` and
    `asked` count once.

    A VM that is being swapped is looked at when its swap is over.
    """
    if "parcel" in data:
        _receive(effects, data)
        return
    state, source = effects.state, data.get("source")
    if source == swap.FROM_EVENT:
        note_event(state, data.get("at"))
    counts = bool(data.get("force") or data.get("asked")) and not _is_repeated(state, data)
    asks = {name: counts and bool(data.get(name)) for name in ("force", "asked")}
    replies = [str(data["reply_to"])] if data.get("reply_to") else []
    fields = given(**asks, reply_to=replies, first=bool(data.get("first")), proof=bool(data.get("proof")))
    for text in data["vms"]:
        note_hint(effects, text, {**source_of(data), **fields}, data.get("at"))
    lists.collapse(state, data.get("at"))


def note_hint(effects: Effects, text: object, fields: Mapping[str, Any], at: str | None) -> None:
    """Note one hint with the `fields` of its row; one that cannot be read is kept under `bad`."""
    state, vm = effects.state, resource_id.parse_vm(text) if isinstance(text, str) else None
    if vm is None:
        why = f"not the id of a VM: {encodable(str(text)[:120])}"
        keep_bad(state, BadOperation(operation="hint", why=why))
        return
    # A VM with the mark of a swap may be down, and is looked at in any case.
    is_spared = "swept" in fields and not fields.get("first")
    if is_spared and (is_taken_out(state, vm.key, at) or is_too_early(state, vm.key, at)):
        return
    try:
        add_hint(state, vm.key, HintRow(id=vm.text, **fields))
    except Exception as error:  # the hints after this one still count
        note_failure(effects, vm.key, vm.text, Operation.HINT, f"{type(error).__name__}: {error}", at)


def _receive(effects: Effects, data: Mapping[str, Any]) -> None:
    """Note a batch of the inbox once, and send the receipt when a look can take more hints."""
    state, at = effects.state, data.get("at")
    parcel = Parcel.from_json(dict(data["parcel"]))
    last = state.parcel
    if last is not None and last.began == parcel.began and parcel.n < last.n:
        return  # a late copy of an earlier batch
    if last is None or last.began != parcel.began or last.n < parcel.n:
        if data.get("event"):
            note_event(state, at)
        for row in data.get("rows", ()):
            note_hint(effects, row.get("id"), {name: row[name] for name in row if name != "id"}, at)
        for subscription, stored in data.get("lists", {}).items():
            lists.mark(state, str(subscription), at, swept=stored.get("swept"))
        lists.collapse(state, at)
    state.parcel = parcel.replace(owed=True)
    send_receipt(effects)


def send_receipt(effects: Effects) -> None:
    """Have the inbox send its next batch, once the hints of the last one leave room."""
    state, parcel = effects.state, effects.state.parcel
    if parcel is None or not parcel.owed or len(state.hints) >= swap.HINTS_PER_LOOK:
        return
    state.parcel = parcel.without("owed")
    receipt = {"began": parcel.began, "n": parcel.n}
    effects.signals.append(Signal(durable_names.INBOX, durable_names.INBOX_KEY, InboxOperation.RECEIVED, receipt))


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
        newer = new if again is None else merged(again, new)
        if newer != again:
            state.running[vm] = running.replace(again=newer)
    else:
        old = state.hints.get(vm)
        newer = new if old is None else merged(old, new)
        if newer != old:
            state.hints[vm] = newer


def merged[R: HintRow](old: R, new: HintRow) -> R:
    """The row `old` with what a newer hint for the same VM adds."""
    both = old.updated(new).without("swept").replace(**merge_sources(old, new))
    replies = tuple(dict.fromkeys([*old.reply_to, *new.reply_to]))
    return both.replace(reply_to=replies) if replies else both
