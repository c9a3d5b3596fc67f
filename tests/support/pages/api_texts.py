"""The texts about each request and field of the HTTP API; without the text of one, `make docs` fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from refresh.triggers.http.get_runs import DEFAULT_TOP, MAX_TOP
from refresh.triggers.http.requests import MAX_VMS
from refresh.views.runs import INNER_KINDS, KINDS


@dataclass(frozen=True)
class Request:
    """What a request does, and its answer."""

    does: str
    answer: str


_STARTS = "202 with `id` and `href` of the run; with `dryRun` 200 with the plan"
_STARTS_ALWAYS = "202 with `id` and `href` of the run"

_SWITCHED = (
    "200 with `paused`, `paused_since`, `paused_why`, `paused_by`, `paused_also` (pauses requested "
    "during that one), those of the last resume (`resumed_at`, `resumed_why`, `resumed_by`), and `was_paused`"
)

REQUESTS: Mapping[str, Request] = {
    "POST /api/images": Request("Builds the month's version of every image definition in the monthly build.", _STARTS),
    "POST /api/disks": Request("Makes the month's OS disk for each VM.", _STARTS),
    "POST /api/tags": Request("Writes the month's disk into `OsDiskName` of each VM, which causes the swaps.", _STARTS),
    "POST /api/swap": Request(
        "Swaps each VM onto the disk that its tag names, or writes `disk` into the tag first.", _STARTS
    ),
    "POST /api/adopt": Request(
        "Writes the disk that each VM runs into its `OsDiskName`, and stops nothing: others may have changed it "
        "([when](operations.md#the-os-disk-was-changed-by-others)).",
        _STARTS,
    ),
    "POST /api/rollback": Request(
        "Swaps each VM back to the disk that it ran before its last swap, once: asked again, the row says "
        "`already-back`. A VM with nothing to go back to is skipped without a write. With `run`, which must have "
        "ended, exactly the VMs that still run what that run gave them go back. A month does not give a VM that went "
        "back the same image version again.",
        _STARTS,
    ),
    "POST /api/refresh": Request(
        "The whole month: images (with `vms` only those that these VMs use), disks and, with rollout `auto`, tags and"
        " swaps. The run ends with verified outcomes.",
        _STARTS,
    ),
    "POST /api/retention": Request(
        "Lists the disks and image versions that are no longer needed, with size and monthly cost, and why each of the "
        'others is kept ([rules](retention.md)). `dryRun` is true by default here; `"dryRun": false` deletes.',
        f'200 with the plan; with `"dryRun": false` {_STARTS_ALWAYS}',
    ),
    "POST /api/selfcheck": Request(
        "Runs each part of the platform once (an activity, a timer, a claim, the dispatcher, a query for runs) and, in "
        "each subscription, lists VMs, the app's rights and registered resource providers. Ends within a minute; "
        "changes nothing in Azure.",
        _STARTS_ALWAYS,
    ),
    "GET /api/selfcheck": Request(
        "The result of the last self-check, and whether one under way is stuck.",
        "200 with `required`, `package`, `bundle`, `ok`, `passed` (for the running package), `running`, `standing` (a "
        "row when a self-check is stuck) and `last`: a row for each check, with its cure",
    ),
    "POST /api/pause": Request(
        "Stops no further VM. A swap under way goes on to its end, and a VM that a swap has left down is started.",
        f"{_SWITCHED}; a pause during another keeps the reason, time and caller of the first (`was_paused` is true)",
    ),
    "POST /api/resume": Request("Starts swaps again.", _SWITCHED),
    "GET /api/vms": Request(
        "Every VM in scope, first those that need a person. With `vm`, one VM read exactly. With `drift`, the VMs that "
        "are not on the latest image version, the oldest first.",
        "200 with a list of [VM records](#the-vm-record), 100 a page, and `unread`; with `vm` one record",
    ),
    "GET /api/orphans": Request(
        "Lists leftovers of failed builds: disks, image versions, managed images, temporary groups. Deletes nothing.",
        "200 with a list of `kind`, `id`, `message` and `commands` (the `az` commands that delete it), and `unread`",
    ),
    "GET /api/queue": Request(
        "The swaps under way and the VMs that wait, in the order of their start, with the reason.",
        "200 with `paused`, `paused_since`, `paused_why`, `paused_by` (`unknown` where the platform names no caller), "
        "`paused_also`, `resumed_at`, `resumed_why`, `resumed_by`, `max_swaps` and the lists `running`, `waiting`, "
        "`looking` and "
        "`listing`: subscriptions with more VMs to swap than wait in the queue; they are found when swaps have ended",
    ),
    "GET /api/runs": Request(
        "Runs, newest first; without `from` those of the last 7 days.",
        "200 with a list of [run records](#the-run-record)",
    ),
    "GET /api/runs/{id}": Request("One run with every VM in it.", "200 with a [run record](#the-run-record)"),
    "POST /api/runs/{id}/cancel": Request(
        "Cancels a run of a month, disks, tags or swaps (rollbacks too). What has not begun does not begin: where "
        "the run wrote `OsDiskName` for such a swap, the tag names the disk that the VM runs again; a tag that a "
        "person wrote stays. What is under way (a build, a swap) ends as usual, and then the run ends as `cancelled`.",
        "202 with `id`, `status` and `href`, also when the run is cancelled already; with `dryRun` 200 with its "
        "present `status`; 409 when it has ended otherwise",
    ),
}


def _codes(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


FIELDS: Mapping[str, str] = {
    "vms": f"VMs by name or full resource id, at most {MAX_VMS}",
    "all": "every VM in scope",
    "period": "the month, at most the next one; default: the current one, UTC",
    "disk": "the disk to write into `OsDiskName` first",
    "force": "also a disk that was rolled back before; overrides `rejected-before` and nothing else",
    "run": "an ended run of months or swaps, by its id: what it gave is taken back",
    "rollout": "`auto`: go on to tags and swaps; `manual`: stop after the disks; default: `REFRESH_ROLLOUT`",
    "rebuild": "one more image version in the same month",
    "why": "a text for people, shown with each VM that waits for the end of the pause",
    "dryRun": "answer with the plan and change nothing",
    "vm": "one VM, by name or full resource id",
    "after": "the next page; follow `nextLink` as it is",
    "drift": "`true`: only VMs that are not on the latest image version",
    "from": "runs started at this time (ISO 8601) or later",
    "to": "runs started before this time (ISO 8601)",
    "kind": f"runs of one kind: {_codes(KINDS)}. Without it, steps of other runs ({_codes(INNER_KINDS)}) are left out",
    "top": f"runs on a page, 1 to {MAX_TOP}; default {DEFAULT_TOP}",
}
"""Fields of bodies and parameters of queries."""

RECORD_FIELDS: Mapping[str, str] = {
    "vm": "full resource id",
    "decision": "`swap`, `skip` or `refuse`; in rows about disks and tags also `create` and `failed`",
    "reason": "a code ([every reason](results.md))",
    "message": "one sentence, with the remedy if there is one",
    "current": "the OS disk that the VM runs",
    "wanted": "the disk that `OsDiskName` names",
    "previous": "the disk that `@previous` means",
    "next": "the newest free disk that the app made for this VM",
    "run": "the swap under way, else the last one",
    "version": "image version of the OS disk, `<definition>/<version>`",
    "latest": "the latest good version for this VM",
    "disk_age_days": "days since the OS disk was made",
    "days_behind": "days from the publication of `version` to that of `latest`; 0 on the latest",
    "stop_mode": "how a swap stops the VM: `deallocate` or `power-off`; `auto` where that is decided later",
    "stop_why": "why so: the tag, the setting, or what `auto` avoids",
    "warnings": "what to know before a swap, each with `code` and `message` ([list](preflight.md#warnings))",
    "old_disk": "the disk before the swap, full id",
    "new_disk": "the disk that the swap was for, full id",
    "down_s": "seconds from the accepted stop until the VM was seen running",
}
"""Fields of VM records and of the rows in runs."""
