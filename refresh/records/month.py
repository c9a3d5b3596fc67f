"""The records of the monthly refresh that cross Durable: inputs, rows and results.

Decides their fields, their JSON names and their largest sizes. Leaves their values to activities and orchestrations.

A result is `{"kind", "period", "status", "images": [ImageRow], "vms": [VmRow]}`; a dry run has the same rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from refresh.domain.terms.month_reason import MonthReason
from refresh.records.record import Record

CREATE, SKIP, REFUSE, FAILED = "create", "skip", "refuse", "failed"
AUTO = "auto"
CANCEL_EVENT, CANCELLED = "cancel", "cancelled"
"""The event that cancels a run, and the status with which it ends then."""

MAX_ROW_BYTES = 400
_SHORTEST_MESSAGE = 60
# Left out of an image row when they are empty.
_LISTS = ("by_hand", "evidence", "regions")
_MAX_MESSAGE = 300
# There are few definitions, and Azure names a missing right at the end of a long message.
MAX_IMAGE_MESSAGE = 1000


@dataclass(frozen=True)
class MonthInput(Record):
    """The input of `refresh_month`, `create_images`, `create_disks` and `write_tags`.

    `period` is `YYYYMM` (none: the current month, UTC), `vms` are full ids (none: all in scope), `rollout` overrides
    the setting for this run, `force` overrides the reason "rejected before", `force_rebuild` makes one more version of
    the period.
    """

    period: str | None = None
    vms: tuple[str, ...] = ()
    rollout: str | None = None
    force: bool = False
    force_rebuild: bool = False


@dataclass(frozen=True)
class BulkInput(MonthInput):
    """How far bulk work is: `vms` still to do, `rows` of the others; `rows` is None before the scope is read."""

    rows: tuple[dict[str, Any], ...] | None = None


@dataclass(frozen=True)
class BatchInput(Record):
    """The input of a bulk activity: at most 50 VM ids of one period."""

    vms: tuple[str, ...]
    period: str
    force: bool = False


@dataclass(frozen=True)
class BuildInput(Record):
    """The input of `build_image`, and how far the build is.

    `regions` are those of the VMs that can need a disk from the version, `demand` is how many VMs those are in each.
    `machine` is a VM made for this build alone, captured instead of the source that `RefreshSource` names; `recipe`:
    such a VM must be made first.
    The other fields are planned once. `version` (a full id) is made from `source` with `body`, or already exists and is
    `kept`. Before it the definition (`definition_body`) and a managed `image` (`image_body`) may have to be made.
    `admit`: the version is excluded from latest until its checks have passed; `proof`: one of them is that a throw-away
    VM boots from it. `leftovers` are versions that earlier builds did not finish, `since` (ISO) is the build's begin.
    """

    definition: str
    period: str
    regions: tuple[str, ...] = ()
    force_rebuild: bool = False
    version: str | None = None
    source: str | None = None
    kept: bool = False
    since: str | None = None
    demand: dict[str, int] | None = None
    machine: str | None = None
    body: dict[str, Any] | None = None
    definition_body: dict[str, Any] | None = None
    image: str | None = None
    image_body: dict[str, Any] | None = None
    admit: bool = False
    proof: bool = False
    recipe: bool = False
    leftovers: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImageRow(Record):
    """What happened to one image definition and why; `version` is the version's name, where there is one.

    `by_hand` are commands for a person: they delete what a build left behind, or what only a person should delete.
    `evidence` are the last lines of a build VM's log, `regions` those that the version has reached.
    """

    definition: str
    decision: str
    reason: str
    message: str
    version: str | None = None
    by_hand: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The row with its message cut to `MAX_IMAGE_MESSAGE`."""
        row = super().to_json() | {"reason": str(self.reason), "message": self.message[:MAX_IMAGE_MESSAGE]}
        return {name: value for name, value in row.items() if value or name not in _LISTS}


@dataclass(frozen=True)
class VmRow(Record):
    """What happened to one VM and why: the disk it runs (`current`), gets (`next`), and its tag names (`wanted`)."""

    vm: str
    decision: str
    reason: str
    message: str
    current: str | None = None
    next: str | None = None
    wanted: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The row in at most 400 bytes: the message is cut first, then fields that can be read elsewhere go."""
        row = super().to_json() | {"reason": str(self.reason), "message": self.message[:_MAX_MESSAGE]}
        for shortest in (_SHORTEST_MESSAGE, 0):
            for dropped in (None, "wanted", "current", "next") if shortest == 0 else (None, "wanted", "current"):
                row.pop(dropped or "", None)
                row["message"] = _cut(row, shortest)
                if _size(row) <= MAX_ROW_BYTES:
                    return row
        return row


class Refusing(Protocol):
    """A refusal: of the month itself, or the failed check of a swap."""

    @property
    def reason(self) -> str:
        """The reason code."""
        ...

    @property
    def message(self) -> str:
        """One sentence with the cure."""
        ...


def refused(vm: str, refusal: Refusing, **more: str | None) -> VmRow:
    """The row of a VM whose work was refused."""
    return VmRow(vm, REFUSE, refusal.reason, refusal.message, **more)


def broken_rows(vms: Iterable[str], why: str) -> list[dict[str, Any]]:
    """The rows of VMs whose activity failed without an answer."""
    message = f"the work on this VM broke off and may be half done; run again ({why[:100]})"
    return [VmRow(vm, FAILED, MonthReason.BROKEN, message).to_json() for vm in vms]


def unread_rows(unread: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows of the subscriptions that could not be read; `vm` is the id of the subscription."""
    return [
        VmRow(f"/subscriptions/{row['subscription']}", FAILED, row["reason"], f"{row['message']}; run again").to_json()
        for row in unread
    ]


def status_of(rows: Iterable[Mapping[str, Any]]) -> str:
    """`failed` when a row failed, else `refused` when one was refused, else `succeeded`."""
    decisions = {row.get("decision") for row in rows}
    return "failed" if FAILED in decisions else "refused" if REFUSE in decisions else "succeeded"


def result_of(kind: str, period: str, rows: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """The result of a run of `kind`; `rows` holds its `images`, its `vms` or both."""
    status = status_of(row for part in rows.values() for row in part)
    return {"kind": kind, "period": period, "status": status, **rows}


def failure_of(kind: str, period: str, message: str) -> dict[str, Any]:
    """The result of a run that could not read its scope."""
    return {"kind": kind, "period": period, "status": "failed", "message": message[:_MAX_MESSAGE]}


def child_id(kind: str, period: str, unique: str) -> str:
    """The instance id of a step started by the month (`disks-202611-1a2b3c4d`); `unique` is a UUID."""
    return f"{kind}-{period}-{unique[:8]}"


def _size(row: Mapping[str, Any]) -> int:
    return len(json.dumps(row))


def _cut(row: Mapping[str, Any], shortest: int) -> str:
    message: str = row["message"]
    while len(message) > shortest and _size({**row, "message": message}) > MAX_ROW_BYTES:
        over = _size({**row, "message": message}) - MAX_ROW_BYTES
        # A character may take up to six bytes, so cut a little and measure again.
        message = message[: max(len(message) - max(over // 6, 1), shortest)]
    return message
