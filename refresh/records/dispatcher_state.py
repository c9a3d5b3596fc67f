"""The dispatcher's state: hints, queue, running swaps, rejections, pause, as typed rows around the stored JSON.

Decides the names of the parts and the fields of their rows. The state is plain JSON and small, because every signal
rewrites it. VMs are keyed by their lower-case id. Leaves all changes to the operations of the dispatcher. A stored name
never changes: a new version of the app continues with the state of the old one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from refresh.records.fulfilled import FulfilledRow
from refresh.records.hint_rows import EventsSeen, HintRow, ListRow, OpenLook, Parcel, UnreadRow
from refresh.records.pause_rows import Pause, Resumption, Switch
from refresh.records.rows import Json, ListOf, OneOf, Row, StoredState, TableOf, ValueOf
from refresh.records.short_ids import restore_ids, shorten_ids
from refresh.records.swap import Intent

DEFAULT_MAX_SWAPS = 20
DEFAULT_MAX_STARTS = 24
# Parts with hashes and run ids only.
_WITHOUT_IDS = frozenset(
    {"ran", "proved", "fulfilled", "filled", "said", "spilled", "over", "forced", "ways", "declined"}
)


class StoredIntent(Row):
    """The intent of a swap as it is stored: what the dispatcher itself reads of it."""

    was_running: bool = False
    old_disk: str | None = None
    new_disk: str | None = None
    previous: str | None = None
    back: bool | None = None
    declined: str | None = None

    def record(self) -> Intent:
        """The whole intent. BadRecord when a field of it is missing."""
        return Intent.from_json(self.json)


class QueueRow(HintRow):
    """A VM that waits for its swap to `wanted`, or for the proof of the disk it was swapped to while it was stopped.

    `group` is its availability set. A proof has the `intent` of the swap, its `step`, and the time that swap ended
    (`proves_since`). `urgent`: it brings up a VM that a swap has left down. `back`: to a disk that the VM ran before.
    """

    since: str | None = None
    group: str | None = None
    wanted: str | None = None
    intent: StoredIntent | None = None
    step: str | None = None
    proves_since: str | None = None
    urgent: bool = False
    back: bool = False


class RunningRow(QueueRow):
    """A swap under way: number `n`, which is claimed once its orchestration has begun.

    `tags` are those of an intent that may not have been written yet. `step_n` and `step_at` are number and time of the
    last step, `attention` why a person is needed, `again` a hint that came meanwhile, `missing` how many sweeps in a
    row found no orchestration.
    """

    n: int
    claimed: bool = False
    tags: dict[str, str] | None = None
    step_n: int | None = None
    step_at: str | None = None
    attention: str | None = None
    attention_reason: str | None = None
    again: HintRow | None = None
    missing: int = 0


class DownRow(Row):
    """A VM that a swap could not bring up again."""

    id: str
    group: str | None = None


class UnprovenRow(Row):
    """A VM that was swapped while it did not run; that swap ended at `at`."""

    id: str
    intent: StoredIntent
    at: str | None = None


class WayRow(Row):
    """The one way back of a VM (hashes of disk ids): see `domain.swap.way_back`.

    `at` is when the swap ended, or the proof of a disk that was put in while the VM did not run.
    """

    source: str
    target: str
    taken: bool = False
    at: str | None = None


class Rejection(Row):
    """Ids of a disk and its image version, lower-case, that were found unhealthy on a VM."""

    vm: str
    names: tuple[str, ...]
    at: str | None = None


class OutcomeRow(Row):
    """How a swap ended: what lists show of an `Outcome`. The whole one is the output of the swap's own instance."""

    vm: str
    run: str
    status: str
    reason: str = ""
    message: str = ""
    old_disk: str | None = None
    new_disk: str | None = None
    down_s: float | None = None
    started: str | None = None
    ended: str | None = None


class SpilledRow(Row):
    """What a VM had when it was sent to `vm_memory` under number `n` at `at`; `digest` is that of its contents.

    `kept`: the entity has answered that it has them. `since` is the first time after that.
    """

    n: int
    digest: str
    at: str | None = None
    kept: bool = False
    since: str | None = None


class SelfcheckCheck(Row):
    """One check of a self-check."""

    name: str
    ok: bool
    message: str = ""


class SelfcheckResult(Row):
    """How the last self-check ended, and of which package; `began` is missing in one of an older version."""

    ok: bool = False
    package: str | None = None
    run: str | None = None
    began: str | None = None
    at: str | None = None
    checks: tuple[SelfcheckCheck, ...] = ()


class Budgets(Row):
    """What the settings allow, as the last look has read it; `selfcheck`: swaps wait for one that passes.

    `max_starts`: VMs that are down and are started at the same time, beside `max_swaps`.
    """

    max_swaps: int = DEFAULT_MAX_SWAPS
    max_starts: int = DEFAULT_MAX_STARTS
    selfcheck: bool = False


class BadOperation(Row):
    """An operation whose input could not be read; `vm` (an id) where it is about one VM."""

    operation: str
    why: str
    vm: str | None = None


class BrokenRow(Row):
    """A VM on which the app itself failed: how many times in a row, why the last time, and of which package.

    `times` at its limit: the VM is taken out, and hints of the sweep alone no longer have it looked at.
    """

    id: str
    times: int = 0
    why: str = ""
    at: str | None = None
    package: str | None = None


class Decided(Row):
    """What a look has decided about a VM; `up` when it was seen running, `current` the name of its OS disk then.

    `lost` is the warning about a swap of which the app has no record. `back`: the VM ran the wanted disk before.
    `unproven` is the note about the VM's disk in `vm_memory`, `told` what of its refusals has been logged. `retried`: a
    swap like this one was refused and has been announced. `outdated`: such a note no longer holds.
    `fulfilled` is what the decision knew of the last fulfilled tag, where that counts, and `os_disk` the `disk_key` of
    the disk that the VM runs.
    """

    vm: str
    decision: str
    reason: str
    message: str = ""
    wanted: str | None = None
    current: str | None = None
    group: str | None = None
    force: bool = False
    reply_to: tuple[str, ...] = ()
    up: bool = False
    lost: str | None = None
    back: bool = False
    unproven: UnprovenRow | None = None
    fulfilled: FulfilledRow | None = None
    os_disk: str | None = None
    asked: bool = False
    told: str | None = None
    retried: bool = False
    outdated: bool = False


class DispatcherState(StoredState):
    """The state of the dispatcher.

    `ran` and `proved` are keyed by the hash of a VM's id and hold hashes of disk ids: the last disks the VM is known
    to have run, newest last, and the last one it was proved healthy on; `ways` has their ways back by the same key.
    `fulfilled` has the newest rows about fulfilled tags, of which `vm_memory` has all, at the keys in `filled`. The
    first three and `unproven` have the newest VMs only: the entity `vm_memory` has the others. `spilled` has the VMs
    (by the same hash) that are being moved there, `spills` the number of the last message to it; `moved`: some have
    been moved. `over` are the last swaps that ended and left nothing to be done. `said` has the hash of the last
    decision that was logged for a VM, by the same key. `seq` is the number of the last swap or look; none is used
    twice. `forced` are hashes of the last signals with force. `swept` is the time of the last sweep, `package` the
    fingerprint of the code that did the last operation. `broken` has the VMs on which the app itself failed, `unread`
    those that could not be read, by the hash of their ids. `lists` are keyed by lower-case subscription. `parcel` is
    the last batch of hints. `json` has whole ids.
    """

    seq = ValueOf(0)
    hints = TableOf(HintRow.from_json)
    look = OneOf(OpenLook)
    queue = TableOf(QueueRow.from_json)
    running = TableOf(RunningRow.from_json)
    down = TableOf(DownRow.from_json)
    unproven = TableOf(UnprovenRow.from_json)
    rejected = ListOf(Rejection)
    ran = TableOf[tuple[str, ...]](tuple)
    proved = TableOf(str)
    fulfilled = TableOf(FulfilledRow.from_json)
    filled = ValueOf("")
    ways = TableOf(WayRow.from_json)
    declined = TableOf(str)
    said = TableOf(str)
    spilled = TableOf(SpilledRow.from_json)
    spills = ValueOf(0)
    moved = ValueOf(False)
    finished = ListOf(OutcomeRow)
    over = ValueOf[list[str]]([])
    selfcheck = OneOf(SelfcheckResult)
    switch = OneOf(Switch)
    swept = ValueOf[str | None](None)
    events = OneOf(EventsSeen)
    forced = ValueOf[list[str]]([])
    package = ValueOf[str | None](None)
    paused = OneOf(Pause)
    resumed = OneOf(Resumption)
    budgets = OneOf(Budgets)
    bad = ListOf(BadOperation)
    broken = TableOf(BrokenRow.from_json)
    unread = TableOf(UnreadRow.from_json)
    lists = TableOf(ListRow.from_json)
    parcel = OneOf(Parcel)

    def __init__(self, stored: Mapping[str, Any] | None = None) -> None:
        """The state that is stored as `stored`, with short ids or whole ones; an empty one for None."""
        super().__init__(restore_ids(dict(stored or {}), _WITHOUT_IDS))

    def stored(self) -> Json:
        """The JSON to store: with short resource ids, but with whole ones while the app is paused.

        A deployment pauses the app, and an older version that is deployed then knows whole ids only.
        """
        return self.json if self.paused is not None else shorten_ids(self.json, _WITHOUT_IDS)

    def next_number(self) -> int:
        """A number for a swap or a look that none has had."""
        self.seq += 1
        return self.seq

    def next_spill(self) -> int:
        """A number for a message to `vm_memory`, higher than that of any before."""
        self.spills += 1
        return self.spills
