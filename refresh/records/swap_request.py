"""The input of the orchestration `swap_vms`.

Decides the fields, their JSON names and their meaning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from refresh.records.record import Record


@dataclass(frozen=True)
class SwapRequest(Record):
    """The input of `swap_vms`: the VMs to swap; `disk` is written into their tag first, with `adopt` the disk they run.

    `done` are the rows of VMs that earlier histories of the same run finished. `since` (ISO) is when the tags began to
    be written, where another orchestration wrote them: a swap that ended after it counts as this request's outcome.
    `asked`: a person has named these VMs in a request.
    `paced`: hints are sent for `VMS_AT_ONCE` VMs at a time; a run that an older version began sent all at once.
    `back`: each VM goes back to the disk that it ran before; with `given` (disks before and after, by lower-case VM id)
    only what run `of_run` gave it is taken back. `cancelled`: the run was cancelled before this part of it began.
    """

    vms: tuple[str, ...]
    disk: str | None = None
    force: bool = False
    done: tuple[dict[str, Any], ...] = ()
    since: str | None = None
    paced: bool | None = None
    asked: bool | None = None
    adopt: bool | None = None
    back: bool | None = None
    of_run: str | None = None
    given: dict[str, Any] | None = None
    cancelled: dict[str, Any] | None = None
