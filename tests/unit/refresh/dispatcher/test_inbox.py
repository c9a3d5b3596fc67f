"""The inbox: hints of events and sweeps, handed to the dispatcher one batch at a time."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from refresh.dispatcher.inbox_operations import Done
from refresh.dispatcher.inbox_operations import apply as apply_to_inbox
from refresh.dispatcher.lists import HINTS_BEFORE_LIST, MOST_LISTS
from refresh.records.inbox_state import InboxState
from refresh.records.swap import FROM_EVENT, FROM_SWEEP, HINTS_PER_LOOK
from tests.support.worlds.builders import SUBSCRIPTION, VM_ID
from tests.support.worlds.dispatcher import Json, apply

AT = "2026-11-21T10:00:00+00:00"
SOON = "2026-11-21T10:01:00+00:00"
LATER = "2026-11-21T10:10:00+00:00"
VM = VM_ID.lower()
KEY = SUBSCRIPTION.lower()


def vm(number: int, subscription: str = SUBSCRIPTION) -> str:
    return VM_ID.replace("web01", f"vm{number:05}").replace(SUBSCRIPTION, subscription)


def play(*operations: tuple[str, Any], state: Json | None = None) -> Done:
    done = Done(InboxState(state))
    for operation, data in operations:
        done = apply_to_inbox(done.state, operation, data)
    return done


def hint(*vms: str, at: str | None = AT, source: str = FROM_EVENT, **more: Any) -> tuple[str, Json]:
    return "hint", {"vms": list(vms), "at": at, "source": source, **more}


def receipt(done: Done) -> tuple[str, Json]:
    """The dispatcher's receipt for the batch that the inbox has sent last."""
    assert done.state.sent is not None
    return "received", {"began": done.state.began, "n": done.state.sent.n}


def test_the_dispatcher_has_one_batch_at_a_time() -> None:
    """The first hint is sent at once; those after it wait for the receipt, and are sent together."""
    first = play(hint(vm(1)))
    assert [row["id"] for row in (first.parcel or {})["rows"]] == [vm(1)]
    more = play(hint(vm(2)), hint(vm(3)), hint(vm(2)), state=first.state.json)
    assert more.parcel is None
    second = play(receipt(more), state=more.state.json)
    assert [row["id"] for row in (second.parcel or {})["rows"]] == [vm(2), vm(3)]
    assert play(receipt(second), state=second.state.json).parcel is None


def test_a_receipt_of_an_earlier_batch_sends_nothing() -> None:
    """A receipt that arrives twice or late does not send two batches."""
    first = play(hint(vm(1)))
    second = play(hint(vm(2)), receipt(first), hint(vm(3)), state=first.state.json)
    assert play(receipt(first), state=second.state.json).parcel is None
    assert play(("received", {"began": "another", "n": 2}), state=second.state.json).parcel is None


def test_hints_at_many_vms_of_a_subscription_become_one_list() -> None:
    """The state stays small, whatever the number of events: the VM of each is in the subscription to list."""
    done = play(hint(vm(0)), *(hint(vm(number)) for number in range(1, 3000)))
    assert not done.state.waiting
    assert list(done.state.lists) == [KEY]
    assert len(json.dumps(done.state.json)) < 1000
    sent = play(receipt(done), state=done.state.json)
    assert sent.parcel is not None
    assert (list(sent.parcel["lists"]), sent.parcel["event"]) == ([KEY], True)


def test_a_few_vms_of_each_of_many_subscriptions_are_listed_too() -> None:
    """No number of subscriptions makes the state large."""
    others = [hint(vm(number, f"{number:08}-0000-0000-0000-000000000000")) for number in range(500)]
    done = play(hint(vm(0)), *others)
    assert len(done.state.waiting) <= 2 * HINTS_BEFORE_LIST
    assert len(done.state.lists) == MOST_LISTS
    assert len(json.dumps(done.state.json)) < 60_000


def test_only_the_sweep_makes_a_list_of_the_sweep() -> None:
    """A list that an event has caused does not count as an edit that the sweep alone has found."""
    busy = play(hint(vm(9))).state.json
    swept = play(hint(lists=[SUBSCRIPTION], source=FROM_SWEEP), state=busy)
    assert swept.state.lists[KEY].swept == AT
    assert play(hint(vm(1)), state=swept.state.json).state.lists[KEY].swept is None


def test_a_hint_that_is_there_already_changes_nothing() -> None:
    """The state is the same, so nothing is stored."""
    busy = play(hint(vm(9)), hint(vm(1))).state
    assert play(hint(vm(1)), state=busy.json).state.json == busy.json
    listed = play(hint(lists=[SUBSCRIPTION], source=FROM_EVENT), state=busy.json).state
    assert play(hint(vm(7)), state=listed.json).state.json == listed.json


def test_a_batch_without_a_receipt_is_sent_again_by_a_later_sweep() -> None:
    """A lost message delays hints until a sweep, and no longer."""
    done = play(hint(vm(1)), hint(vm(2)))
    assert play(("resend", {"at": SOON}), state=done.state.json).parcel is None
    again = play(("resend", {"at": LATER}), state=done.state.json)
    assert (again.parcel or {})["rows"] == [{"id": vm(1)}]
    assert (again.parcel or {})["parcel"]["n"] == 1


@pytest.mark.parametrize("at", [None, "", "2099-01-01T00:00:00+00:00", "0001-01-01", "x"])
def test_a_batch_is_sent_again_whatever_time_its_event_names(at: str | None) -> None:
    """The second sweep after it sends it again at the latest."""
    done = play(hint(vm(1), at=at), ("resend", {"at": SOON}))
    assert done.parcel is not None or play(("resend", {"at": LATER}), state=done.state.json).parcel is not None


@pytest.mark.parametrize("data", [None, 7, [], {}, {"vms": 7}, {"vms": [None, 7, [], "x"]}, {"vms": [VM_ID], "at": 7}])
@pytest.mark.parametrize("operation", ["hint", "received", "resend", "no such"])
def test_no_input_fails_an_operation(operation: str, data: Any) -> None:
    """What cannot be read is kept under `bad`, and hints that wait are kept."""
    before = play(hint(vm(1)), hint(vm(2))).state.json
    after = play((operation, data), state=before).state
    assert vm(2).lower() in after.waiting
    json.dumps(after.json)


def receive(state: Json | None, parcel: Json) -> Any:
    return apply(state, "hint", parcel)


def test_a_batch_counts_once() -> None:
    """A batch that the inbox sends again hints at nothing a second time, but its receipt is sent."""
    parcel = play(hint(vm(1))).parcel or {}
    first = receive(None, parcel)
    assert (len(first.state["hints"]), len(first.signals)) == (1, 1)
    taken = apply(first.state, "take", {"look": "look-1", "at": AT})
    again = receive(taken.state, parcel)
    assert (again.state["hints"], len(again.signals)) == ({}, 1)


def test_an_inbox_that_begins_anew_is_heard() -> None:
    """After the loss of its state the inbox counts from one again, and its batches still count."""
    state = receive(None, {**(play(hint(vm(1))).parcel or {}), "parcel": {"began": AT, "n": 70}}).state
    new = receive(state, play(hint(vm(2), at=LATER)).parcel or {})
    assert vm(2).lower() in new.state["hints"]


def test_the_receipt_waits_until_looks_have_room() -> None:
    """The dispatcher's own hints stay few: it has the next batch sent when a look has taken some."""
    hints = {vm(n).lower(): {"id": vm(n)} for n in range(HINTS_PER_LOOK + 5)}
    full: Json = {"look": {"id": "look-9", "taken": {}, "since": AT}, "hints": hints}
    held = receive(full, play(hint(VM_ID)).parcel or {})
    assert held.signals == []
    taken = apply(held.state, "take", {"look": "look-9", "at": AT})
    assert [(signal.entity, signal.operation) for signal in taken.signals] == [("inbox", "received")]


@pytest.mark.parametrize("seed", range(40))
def test_no_hint_is_lost_between_inbox_and_dispatcher(seed: int) -> None:
    """With operations that run twice and messages that arrive late or twice, every VM is hinted at or listed."""
    chance = Random(seed)  # noqa: S311 # fixed seeds
    inbox: Json = {}
    dispatcher: Json = {}
    post: list[tuple[str, str, Json]] = []
    seen: set[str] = set()
    wanted = [vm(number) for number in range(chance.choice((3, 30, 300)))]
    post += [("inbox", *hint(one)) for one in wanted]
    for _ in range(5000):
        if not post:
            look = dispatcher.get("look")
            if not look:
                break
            post.append(("dispatcher", "take", {"look": look["id"], "at": AT}))
        to, operation, data = post.pop(chance.randrange(min(len(post), 8)))
        state, after = (inbox if to == "inbox" else dispatcher), {}
        for _ in range(chance.choice((1, 1, 1, 2))):  # a batch of an entity runs again when its worker dies
            if to == "inbox":
                done = play((operation, data), state=state)
                sent, after = [("dispatcher", "hint", done.parcel)] if done.parcel else [], done.state.json
            else:
                played = apply(state, operation, data)
                sent, after = [("inbox", one.operation, one.data) for one in played.signals], played.state
                seen |= {row["vm"] for row in played.answer["vms"]} if operation == "take" else set()
                listed = (played.answer or {}).get("list")
                if listed:
                    part = {"subscription": listed["subscription"], "vms": [], "end": True}
                    sent.append(("dispatcher", "take", {"look": data["look"], "at": AT, "listed": part}))
                    seen |= set(wanted)
                if operation == "take" and played.answer["vms"]:
                    rows = [{"vm": row["vm"], "decision": "skip", "reason": "m"} for row in played.answer["vms"]]
                    answer = {"look": data["look"], "batch": played.answer["batch"], "decisions": rows, "at": AT}
                    sent.append(("dispatcher", "decided", answer))
            post += sent * chance.choice((1, 1, 2))
        inbox, dispatcher = (after, dispatcher) if to == "inbox" else (inbox, after)
    assert not inbox.get("waiting")
    assert not inbox.get("lists")
    assert not inbox.get("sent")
    assert not dispatcher.get("hints")
    assert set(wanted) <= seen
