"""Subscriptions whose VMs are listed, instead of one hint kept for each VM.

Decides when many hints become one list, and how many VMs of a list are looked at: the tag of a VM is its place in the
queue, so the state keeps only the next swaps, and a list finds the others when there is room again. A list looks at
each VM whose tag is not fulfilled once. Does not read lists; see `orchestrations/swap/look.py`. See
`records.dispatcher_state` for the state.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from refresh.domain.terms.encodable import encodable
from refresh.records.dispatcher_state import Budgets, DispatcherState, QueueRow
from refresh.records.hint_rows import ListRow
from refresh.records.rows import given

# Hints at more VMs of one subscription than this become a list: it costs a request for each page.
HINTS_BEFORE_LIST = 40
# The queue holds twice as many swaps as may be under way, so that the next one never waits for a list, and at least:
LEAST_QUEUE = 40
# A sweep finds the VMs of subscriptions beyond these.
MOST_LISTS = 300
# One VM of an availability set is swapped at a time; more of them would keep others out of the queue.
QUEUED_PER_GROUP = 3


def mark(
    state: DispatcherState, subscription: str, at: str | None, *, swept: str | None = None, resting: bool = False
) -> None:
    """Note that the VMs of a subscription are to be listed; with `resting` when there is room, or at the next sweep."""
    key = subscription.lower()
    old = state.lists.get(key)
    if old is None and len(state.lists) >= MOST_LISTS:
        return
    if old is None:
        state.lists[key] = ListRow(id=subscription, since=at, **given(swept=swept, resting=resting))
        return
    row = old if old.swept and swept else old.without("swept")
    if resting:
        row = row if row.resting else row.replace(skipped=True)
    else:
        row = row.without("resting")
        row = row.replace(again=True) if row.begun else row
    if row != old:
        state.lists[key] = row


def collapse(state: DispatcherState, at: str | None) -> None:
    """Turn the hints at many VMs of one subscription into a list. Hints that a list cannot replace stay."""
    hints = state.read_table("hints")
    if len(hints) <= HINTS_BEFORE_LIST:
        return
    plain = {vm: row for vm, row in hints.items() if _is_plain(state, vm, row)}
    for subscription, count in Counter(map(subscription_of, plain)).items():
        if count > HINTS_BEFORE_LIST:
            vms = [vm for vm in plain if subscription_of(vm) == subscription]
            swept = {plain[vm].get("swept") for vm in vms}
            for vm in vms:
                del state.hints[vm]
            mark(state, subscription, at, swept=None if None in swept else max(swept))


def _is_plain(state: DispatcherState, vm: str, row: Any) -> bool:
    """Whether a list can replace a hint, which then means no more than that the VM's tag may have changed."""
    if not isinstance(row, Mapping) or not vm.startswith("/subscriptions/"):
        return False  # whatever an older version has stored, the look deals with it
    if any(row.get(name) for name in ("force", "reply_to", "first", "listed", "proof", "deaths", "tries")):
        return False
    return not any(vm in state.read_table(part) for part in ("down", "unproven", "queue", "running"))


def subscription_of(vm: str) -> str:
    """The subscription of a VM's id."""
    return vm.split("/", 3)[2]


def wake(state: DispatcherState, *, swept: bool = False) -> None:
    """Have lists that rest begin again: when the queue has room, or at a sweep."""
    if not swept and not has_room(state):
        return
    for key, row in state.lists.items():
        if row.resting:
            state.lists[key] = row.without("resting")


def next_list(state: DispatcherState) -> ListRow | None:
    """The subscription to list now, those with the newest hints first; None when there is none, or no room."""
    if not state.read_table("lists") or not has_room(state):
        return None
    rows = [row for row in state.lists.values() if not row.resting]
    return min(rows, key=lambda row: row.after is not None and not row.again, default=None)


def is_pressing(row: ListRow) -> bool:
    """Whether hints wait for this list, so that its turn comes sooner."""
    return not row.begun


def begin(state: DispatcherState, row: ListRow) -> dict[str, Any]:
    """What a look needs to list a subscription; notes that it does."""
    state.lists[row.id.lower()] = row.replace(begun=True)
    return {"subscription": row.id, "after": row.after, "groups": dict(_groups(state)), "most": QUEUED_PER_GROUP}


def note_listed(state: DispatcherState, part: Mapping[str, Any], at: str | None) -> ListRow | None:
    """Note how far a look has come with a list; the row as it was, None when there is no such list any more."""
    key = str(part["subscription"]).lower()
    row = state.lists.get(key)
    if row is None:
        return None
    if part.get("skipped"):
        row = row.replace(skipped=True)
    if part.get("error"):
        state.lists[key] = row.without("begun", "again").replace(resting=True)
    elif part.get("more") or not part.get("end"):
        after = part["vms"][-1].lower() if part["vms"] else row.after
        state.lists[key] = row.replace(after=after, rest=int(part.get("rest", 0)))
    elif row.again:
        state.lists[key] = row.without("after", "again", "begun", "skipped", "rest").replace(since=at)
    elif row.skipped:
        state.lists[key] = row.without("after", "begun", "skipped", "rest").replace(resting=True)
    else:
        del state.lists[key]
    return row


def line_of_error(part: Mapping[str, Any]) -> str:
    """The line to log for a list that could not be read."""
    return f"the VMs of subscription {part['subscription']} could not be listed: {encodable(str(part['error'])[:300])}"


def has_room(state: DispatcherState) -> bool:
    """Whether so few swaps wait that a list is read for more."""
    return _queued(state) <= _queue_limit(state) // 2


def is_full(state: DispatcherState) -> bool:
    """Whether the queue takes no more swaps than those that cannot be found by a list."""
    return _queued(state) >= _queue_limit(state)


def keeps_out(state: DispatcherState, row: QueueRow) -> bool:
    """Whether the queue has no room for a swap that it does not hold yet.

    There is always room for a VM that is down, a swap back, and one that a run waits for.
    """
    if not _is_listable(row.json):
        return False
    return is_full(state) or (row.group is not None and _groups(state)[row.group] >= QUEUED_PER_GROUP)


def _queued(state: DispatcherState) -> int:
    return sum(map(_is_listable, state.read_table("queue").values()))


def _is_listable(row: Mapping[str, Any]) -> bool:
    return not any(row.get(name) for name in ("urgent", "back", "intent", "reply_to", "force"))


def _groups(state: DispatcherState) -> Counter[str]:
    return Counter(row["group"] for row in state.read_table("queue").values() if row.get("group"))


def _queue_limit(state: DispatcherState) -> int:
    return max(2 * (state.budgets or Budgets()).max_swaps, LEAST_QUEUE)
