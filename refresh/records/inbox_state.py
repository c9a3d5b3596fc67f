"""The inbox's state: hints from events and sweeps that the dispatcher has not received yet.

Decides the names of its parts. Leaves all changes to the operations of the inbox. A stored name never changes.
"""

from __future__ import annotations

from collections.abc import Mapping

from refresh.records.dispatcher_state import BadOperation
from refresh.records.hint_rows import HintRow
from refresh.records.rows import ListOf, OneOf, Row, StoredState, TableOf, ValueOf


class ListMark(Row):
    """A subscription whose VMs are to be listed. `swept`: the sweep alone has hinted at them."""

    swept: str | None = None


class SentParcel(Row):
    """The batch of hints that was sent to the dispatcher and has no receipt; `at` is a time of ARM, if known."""

    n: int
    at: str | None = None
    rows: tuple[HintRow, ...] = ()
    lists: Mapping[str, ListMark] = {}
    event: bool = False


class InboxState(StoredState):
    """The state of the inbox.

    `waiting` are hints by lower-case VM id, `lists` the subscriptions that have more hints than are kept one by one.
    `seq` is the number of the last batch, `began` the time of the first operation. `event`: an event has arrived since
    the last batch; `at` is the time of the last operation that had one.
    """

    seq = ValueOf(0)
    began = ValueOf[str | None](None)
    waiting = TableOf(HintRow.from_json)
    lists = TableOf(ListMark.from_json)
    sent = OneOf(SentParcel)
    event = ValueOf(False)  # the default of a stored value
    at = ValueOf[str | None](None)
    bad = ListOf(BadOperation)
