"""What crosses Durable: function names, instance ids, and the JSON records of orchestrations, activities and entities.

Decides how these are spelled. Refuses to know what anybody does with them. Only plain JSON crosses: the Functions
converter takes str, int, float, bool, None, list and dict and refuses dataclasses, so records travel as
`to_json()` and are read with `from_json()`, which names what is missing or of the wrong type.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from refresh.records.record import Record

# Who hints at a VM: Event Grid, or the sweep, which looks for what no event reported.
FROM_EVENT = "event"
FROM_SWEEP = "sweep"

# Sizes that keep messages small and nobody's start behind bulk work.
HINTS_PER_LOOK = 50
VMS_PER_BULK_ACTIVITY = 50
VMS_PER_SIGNAL = 100
BULK_ACTIVITIES_OUTSTANDING = 10
VMS_PER_HISTORY = 500


BOUNDED = "bounded"
"""In the input of a look and of a swap: it waits for the dispatcher's answers for a limited time."""


# --- the swap of one VM ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Health(Record):
    """What a VM must show after its start, recorded before its stop; `timeout_s` where it has a time of its own.

    `computer_names` are the names the VM goes by, `data_disks` its disks (`data_disks_of`), `probe` the tag's text.
    `probe_answered` is whether it was answered then. `agent` is the image owner's word: True, its agent must report;
    False, its silence says nothing; None, as before.
    """

    computer_names: tuple[str, ...] = ()
    data_disks: tuple[str, ...] = ()
    probe: str | None = None
    agent: bool | None = None
    timeout_s: int | None = None
    probe_answered: bool = True

    def of_old_disk(self) -> Health:
        """What the VM must show on the disk that ran before: no more than it did.

        The new image's word is not about that disk, and a probe that went unanswered before the stop is no promise.
        """
        return dataclasses.replace(self, agent=None, probe=self.probe if self.probe_answered else None)


@dataclass(frozen=True)
class WarningRecord(Record):
    """One thing a person should know about a swap though it did not forbid it: a code and a sentence."""

    code: str
    message: str


@dataclass(frozen=True)
class Intent(Record):
    """What a swap set out to do, stored once with its claim: enough to bring the VM back up whatever happens.

    `previous` is the value of `OsDiskPrevious` before the intent (None: there was none); `agent_spoke` whether a
    guest agent had reported ready, so that its silence afterwards means something; `unique_id` is the VM's `vmId`;
    `warnings` are what a person should know.
    """

    run: str
    was_running: bool
    old_disk: str
    new_disk: str
    agent_spoke: bool = False
    previous: str | None = None
    version: str | None = None
    unique_id: str | None = None
    stop_mode: str = "deallocate"
    health: Health | None = None
    warnings: tuple[WarningRecord, ...] = ()


@dataclass(frozen=True)
class Claimed(Record):
    """The dispatcher's answer to a claim: `yours`, or why not. An `intent` means: finish what was begun.

    `force` is meant for the disk `wanted` alone. `tags` are those of an intent that may not have been written onto the
    VM yet. `proves_since`: the swap is over since then and only its disk is to be proved.
    """

    answer: str
    force: bool = False
    intent: Intent | None = None
    step: str | None = None
    reply_to: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    ran: tuple[str, ...] = ()
    over: tuple[str, ...] = ()
    tags: dict[str, str] | None = None
    wanted: str | None = None
    proves_since: str | None = None


@dataclass(frozen=True)
class StepInput(Record):
    """What a step needs to know: the VM, what to make so, and ARM's times of what was begun before.

    `since` is when the step was first tried, `begun_at` when its operation was last accepted, `started_at` when the
    VM was started. `despite_hold` only for the start of a VM that the app itself has stopped. `unique_id` is the `vmId`
    of the VM that is meant: one that took its name is another VM. `asked_at` is when the orchestration asked,
    `last_code` Azure's last word where it said no, `begins` how often the operation was accepted,
    `token` what names the one under way, so that its reason can be asked for: it holds a signed URL and is never told.
    `rungs` are what the parts of a health check have said so far.
    `leave_stopped`: a VM that somebody has stopped is left so, and that is no fault of its disk.
    `insist`: what Azure took up and did not do is asked for again, because there is nothing to fall back on.
    """

    vm: str
    disk: str | None = None
    since: str | None = None
    begun_at: str | None = None
    started_at: str | None = None
    agent_spoke: bool = False
    despite_hold: bool = False
    unique_id: str | None = None
    asked_at: str | None = None
    last_code: str | None = None
    begins: int = 0
    token: str | None = None
    stop_mode: str = "deallocate"
    health: Health | None = None
    rungs: tuple[str, ...] = ()
    leave_stopped: bool = False
    insist: bool = False


@dataclass(frozen=True)
class StepResult(Record):
    """How a step stands: `done`, `waiting` (ask again), `failed` for good, `held` by a person, `gone` with the VM,
    `stopped` by somebody else.

    Times are ARM's own (ISO), `settled_at` the end of the VM's last operation; `evidence` is what was seen, `proved`
    whether the guest itself spoke, `wait_s` how long Azure asked to be left alone where that is too long for an
    activity, `rungs` what each part of a health check said, `begins` how often the operation was accepted,
    `token` names the operation under way for the next round and nobody else.
    """

    state: str
    since: str | None = None
    begun_at: str | None = None
    at: str | None = None
    code: str | None = None
    message: str | None = None
    evidence: str | None = None
    proved: bool = False
    wait_s: float | None = None
    rungs: tuple[str, ...] = ()
    settled_at: str | None = None
    begins: int = 0
    token: str | None = None


@dataclass(frozen=True)
class Prepared(Record):
    """What a swap found right before downtime: `swap` with its intent, tags and steps, `revive`, or why not.

    `notice_s` is how long people are to be told before a running VM is stopped; None: nobody is told.
    """

    decision: str
    reason: str
    message: str
    intent: Intent | None = None
    tags: dict[str, str] | None = None
    steps: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()
    down_s: float | None = None
    notice_s: int | None = None


@dataclass(frozen=True)
class Outcome(Record):
    """What was verified at the end of one VM's turn.

    `status` is one of `succeeded`, `not-proven`, `rolled-back`, `needs-attention`, `refused`, `skipped`; `reason` an
    enum's value, `message` one sentence a person can act on, `down_s` seconds from the stop until it ran again,
    `arm_s` how long Azure's own operations took, `stop_mode` how it was stopped,
    `by_hand` the commands that finish it where a person is needed, `warnings` what else a person should know.
    """

    vm: str
    run: str
    status: str
    reason: str
    message: str
    old_disk: str | None = None
    new_disk: str | None = None
    down_s: float | None = None
    started: str | None = None
    ended: str | None = None
    evidence: tuple[str, ...] = ()
    by_hand: tuple[str, ...] = ()
    warnings: tuple[WarningRecord, ...] = ()
    stop_mode: str | None = None
    arm_s: float | None = None


@dataclass(frozen=True)
class SwapRequest(Record):
    """Swap these VMs; `disk` is written into their tag first. `done` are the rows of VMs already dealt with.

    `since` (ISO) is when somebody else began to write the tags: a swap that ended since then is this request's answer.
    """

    vms: tuple[str, ...]
    disk: str | None = None
    force: bool = False
    done: tuple[dict[str, Any], ...] = ()
    since: str | None = None
