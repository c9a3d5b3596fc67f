"""The rows of the dispatcher's state about hints: VMs and subscriptions to look at, and the look that is open.

Decides the fields of these rows. Leaves all changes to the operations of the dispatcher. A stored name never changes.
"""

from __future__ import annotations

from collections.abc import Mapping

from refresh.records.rows import Row


class HintRow(Row):
    """A VM to look at. `swept` is the time of the sweep where the sweep alone hinted at it.

    `reply_to` are the runs that wait for the VM's outcome. `first`: the VM may be down, so a look takes it first.
    `asked`: a person has requested the swap. `listed`: a list of its subscription has found it. `proof`: its disk is
    still to be proved. `deaths` is how many looks ended without a decision about it, `tries` how many could not read
    it.
    """

    id: str
    swept: str | None = None
    first: bool = False
    force: bool = False
    asked: bool = False
    reply_to: tuple[str, ...] = ()
    listed: bool = False
    proof: bool = False
    deaths: int = 0
    tries: int = 0


class TakenRow(HintRow):
    """A hint that the open look has taken, and the number of the batch it was handed out with."""

    batch: int = 0


class OpenLook(Row):
    """The look that is open, and the hints it has taken and not decided about.

    `since` is the time of its last request to the dispatcher.
    """

    id: str
    taken: Mapping[str, TakenRow]
    since: str | None = None
    batch: int = 0


class ListRow(Row):
    """A subscription whose VMs are to be listed, because more of them have hints than the state holds.

    `begun`: a look lists it now, or has looked at the VMs up to id `after`. `again`: more hints came since then.
    `skipped`: some VMs were left out, because the queue has no room for them. `resting`: it is listed when there is
    room, or at the next sweep. `swept` as in a hint. `rest` is how many VMs of the last list are still to be looked at.
    """

    id: str
    since: str | None = None
    begun: bool = False
    after: str | None = None
    again: bool = False
    skipped: bool = False
    resting: bool = False
    swept: str | None = None
    rest: int = 0


class UnreadRow(Row):
    """A VM that could not be read: how many looks in a row, and when the last of them was."""

    times: int = 0
    at: str | None = None


class Parcel(Row):
    """A batch of hints from the inbox: the time of the inbox's first operation, and the batch's number since then.

    `owed`: its receipt is sent when a look has taken some of its hints.
    """

    began: str | None = None
    n: int = 0
    owed: bool = False


class EventsSeen(Row):
    """When the last event arrived, and the edits that the sweep alone has found since then.

    `since` is the first sweep that found one, `sweeps` the last of them, `vms` the last VMs, `told` the sweep that was
    logged last.
    """

    seen: str | None = None
    since: str | None = None
    sweeps: tuple[str, ...] = ()
    vms: tuple[str, ...] = ()
    told: str | None = None
