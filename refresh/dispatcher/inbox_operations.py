"""The operations of the inbox, each a pure function of its state.

The dispatcher does one operation after another, and a swap waits for its answers. Therefore hints from events and
sweeps, of which thousands can arrive at once, queue here: the dispatcher has one batch of them at a time, and sends a
receipt when looks have room for the next. Hints at many VMs of one subscription become one mark that its VMs are to be
listed, so the state stays small. Does not know Durable: `inbox.py` sends the batch and stores the state.

Every operation can be executed twice with the same result, and may arrive twice and late.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from refresh.dispatcher.edits import source_of
from refresh.dispatcher.hints import merged
from refresh.dispatcher.lists import HINTS_BEFORE_LIST, MOST_LISTS, subscription_of
from refresh.domain.terms import resource_id, times
from refresh.domain.terms.encodable import encodable
from refresh.records import swap
from refresh.records.dispatcher_state import BadOperation
from refresh.records.durable_names import InboxOperation
from refresh.records.hint_rows import HintRow, Parcel
from refresh.records.inbox_state import InboxState, ListMark, SentParcel
from refresh.records.rows import given

KEEP_BAD = 20
# A batch without a receipt after this time is sent again, by the next sweep.
RESEND_AFTER_S = 120.0
# The time of the last operation is stored in steps, so that most hints that are there already change nothing.
AT_STEP_S = 30.0


@dataclass
class Done:
    """The new state, the batch to send to the dispatcher, the lines to log as errors."""

    state: InboxState
    parcel: dict[str, Any] | None = None
    lines: list[str] = field(default_factory=list)


def apply(before: InboxState, operation: str, data: Any) -> Done:
    """Do one operation on a copy of `before`. Never raises: what cannot be read is kept under `bad`."""
    done = Done(InboxState(before.json))
    try:
        if not isinstance(data, Mapping):
            raise TypeError(f"the input is {type(data).__name__}, not an object")
        if operation == InboxOperation.HINT:
            _note_hints(done.state, data)
        elif operation == InboxOperation.RECEIVED:
            _note_receipt(done.state, data)
        elif operation == InboxOperation.RESEND:
            done.parcel = _resend(done.state, data.get("at"))
        else:
            raise ValueError("there is no such operation")
    except Exception as error:  # an operation that raises would silently lose its state and actions
        done = Done(InboxState(before.json))
        why = encodable(f"{type(error).__name__}: {error}"[:200])
        _keep_bad(done.state, operation, why)
        done.lines.append(f"inbox could not read operation {operation[:40]!r}: {why}")
    if done.parcel is None:
        done.parcel = _send(done.state)
    return done


def _note_hints(state: InboxState, data: Mapping[str, Any]) -> None:
    at = data.get("at") if isinstance(data.get("at"), str) else None
    if state.began is None:
        state.began = at or "unknown"
    if at is not None and not 0 <= (times.seconds_between(state.at, at) or -1.0) < AT_STEP_S:
        state.at = at
    if data.get("source") == swap.FROM_EVENT and not state.event:
        state.event = True
    fields = source_of({**data, "at": at})
    swept = fields.get("swept")
    for subscription in data.get("lists", ()):
        _mark(state, str(subscription).lower(), swept)
    for text in data["vms"]:
        vm = resource_id.parse_vm(text) if isinstance(text, str) else None
        if vm is None:
            _keep_bad(state, InboxOperation.HINT, f"not the id of a VM: {encodable(str(text)[:120])}")
            continue
        if subscription_of(vm.key) in state.lists:
            _mark(state, subscription_of(vm.key), swept)
            continue
        old, new = state.waiting.get(vm.key), HintRow(id=vm.text, **fields)
        newer = new if old is None else merged(old, new)
        if newer != old:
            state.waiting[vm.key] = newer
    _collapse(state)


def _collapse(state: InboxState) -> None:
    """Turn the hints at many VMs of one subscription into a mark that its VMs are to be listed."""
    waiting = state.read_table("waiting")
    if len(waiting) <= HINTS_BEFORE_LIST:
        return
    counts = Counter(map(subscription_of, waiting))
    # Hints at a few VMs of each of many subscriptions are many too: then each of them is listed.
    least = HINTS_BEFORE_LIST if len(waiting) <= 2 * HINTS_BEFORE_LIST else 0
    for subscription, count in counts.items():
        if count > least:
            rows = {vm: row for vm, row in state.waiting.items() if subscription_of(vm) == subscription}
            swept = [row.swept for row in rows.values()]
            for vm in rows:
                del state.waiting[vm]
            _mark(state, subscription, None if None in swept else max(one for one in swept if one is not None))


def _mark(state: InboxState, subscription: str, swept: str | None) -> None:
    old = state.lists.get(subscription)
    if old is None and len(state.lists) >= MOST_LISTS:
        return
    new = ListMark(**given(swept=swept if old is None or old.swept else None))
    if new != old:
        state.lists[subscription] = new


def _note_receipt(state: InboxState, data: Mapping[str, Any]) -> None:
    """The dispatcher has the batch that was sent. A receipt of an earlier one does nothing."""
    if state.sent is not None and state.sent.n == data["n"] and state.began == data.get("began"):
        state.sent = None


def _resend(state: InboxState, at: str | None) -> dict[str, Any] | None:
    """The batch that was sent and has had no receipt for some time; the dispatcher counts it once."""
    sent = state.sent
    if sent is None:
        return None
    waited_s = times.seconds_between(sent.at, at)
    if waited_s is not None and 0 <= waited_s <= RESEND_AFTER_S:
        return None
    known = waited_s is not None and waited_s > 0
    state.sent = sent.replace(at=at)
    return _to_json(state, sent) if known else None


def _send(state: InboxState) -> dict[str, Any] | None:
    """The next batch; None when there is nothing to send, or the last batch has no receipt yet."""
    if state.sent is not None or not (state.read_table("waiting") or state.read_table("lists")):
        return None
    rows = [row for _, row in zip(range(swap.HINTS_PER_LOOK), state.waiting.values(), strict=False)]
    state.seq += 1
    fields = given(rows=rows, lists=dict(state.lists), event=state.event)
    state.sent = sent = SentParcel(n=state.seq, at=state.at, **fields)
    for row in rows:
        del state.waiting[row.id.lower()]
    for subscription in list(state.lists):
        del state.lists[subscription]
    state.json.pop("event", None)
    return _to_json(state, sent)


def _to_json(state: InboxState, sent: SentParcel) -> dict[str, Any]:
    """A batch as the input of the dispatcher's operation `hint`."""
    parcel = Parcel(began=state.began, n=sent.n)
    return {"parcel": parcel.json, **sent.json}


def _keep_bad(state: InboxState, operation: str, why: str) -> None:
    state.bad = [*state.bad, BadOperation(operation=operation[:40], why=why)][-KEEP_BAD:]
