"""The records of looks and swaps that cross Durable: claims, steps, outcomes, and the limits of message sizes.

Decides the fields, their JSON names and their meaning. Leaves how a record becomes JSON to `record.py`, and names of
functions to `durable_names.py`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from refresh.domain.health.boot_log import ALL_BOOTS
from refresh.domain.terms.decision_kind import DecisionKind
from refresh.records.record import Record

# Where a hint about a VM comes from: Event Grid, or the sweep, which finds what no event reported.
FROM_EVENT = "event"
FROM_SWEEP = "sweep"

# Sizes that keep messages small, and the start of a stopped VM ahead of bulk work.
HINTS_PER_LOOK = 20
LISTED_PER_LOOK = 10
VMS_PER_LIST = 200
VMS_PER_BULK_ACTIVITY = 50
VMS_PER_SIGNAL = 100
VMS_AT_ONCE = 40
BULK_ACTIVITIES_OUTSTANDING = 10
VMS_PER_HISTORY = 500


BOUNDED = "bounded"
"""In the input of a look and of a swap: it waits for the dispatcher's answers for a limited time."""


class OutcomeStatus(StrEnum):
    """How the swap of one VM ended."""

    SUCCEEDED = "succeeded"
    NOT_PROVEN = "not-proven"
    ROLLED_BACK = "rolled-back"
    NEEDS_ATTENTION = "needs-attention"
    REFUSED = "refused"
    SKIPPED = "skipped"


class StepState(StrEnum):
    """The state of a step of a swap."""

    DONE = "done"
    WAITING = "waiting"
    """Not at its end: the activity is called again."""
    FAILED = "failed"
    """For good."""
    HELD = "held"
    """The VM is on hold by its tag."""
    GONE = "gone"
    """The VM does not exist any more, or another VM has its name."""
    STOPPED = "stopped"
    """The VM is stopped, and not by the app."""
    CHANGED = "changed"
    """The VM has another OS disk, and not from the app."""


@dataclass(frozen=True)
class Health(Record):
    """What a VM must show after its start, recorded before its stop; `timeout_s` where it has a time limit of its own.

    `computer_names` are the names the VM may report, `data_disks` its disks (`data_disks_of`), `probe` the tag's value.
    `probe_answered` is whether the VM answered the probe before the stop, `app_unhealthy` whether Application Health
    reported it unhealthy then, `boots` how many boots the serial log had that a power off keeps. `agent` is the value
    on the image definition: True, the guest agent must report; False, a missing report proves nothing; None, a missing
    report counts where the agent reported before the stop.
    """

    computer_names: tuple[str, ...] = ()
    data_disks: tuple[str, ...] = ()
    probe: str | None = None
    agent: bool | None = None
    timeout_s: int | None = None
    probe_answered: bool = True
    app_unhealthy: bool | None = None
    boots: int | None = None

    def of_old_disk(self) -> Health:
        """What the VM must show on the disk it ran before: no more than it showed then.

        The value on the new image's definition does not apply to that disk, and neither does a probe that had no
        answer before the stop. A log that is kept shows the failed boot of the new disk.
        """
        probe, boots = self.probe if self.probe_answered else None, None if self.boots is None else ALL_BOOTS
        return dataclasses.replace(self, agent=None, probe=probe, boots=boots)


@dataclass(frozen=True)
class SwapWarning(Record):
    """One thing a person should know about a swap, although it does not prevent the swap: a code and a sentence."""

    code: str
    message: str


@dataclass(frozen=True)
class Intent(Record):
    """What a swap is about to do, stored once with its claim: enough to bring the VM up again after any failure.

    `previous` is the value of `OsDiskPrevious` before the swap (None: it had none); `agent_spoke` whether a guest agent
    had reported ready, so that a missing report afterwards counts; `unique_id` is the VM's `vmId`. `stop_mode` is
    chosen once, before the stop, and `stop_why` is why. `back`: the swap takes the VM's one way back, from a disk of
    the image version `declined` (a hash).
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
    warnings: tuple[SwapWarning, ...] = ()
    back: bool | None = None
    declined: str | None = None
    stop_why: str | None = None


@dataclass(frozen=True)
class Claimed(Record):
    """The dispatcher's answer to a claim: `yours`, or why not. With an `intent`, the run finishes what was begun.

    `force` applies to the disk `wanted` alone. `tags` belong to an intent and may not be on the VM yet.
    `proves_since`: the swap ended at that time, and only the new disk's health is left to check. `ended`: the swap is
    not under way, and `past_outcomes` may have its outcome. `asked`: a person has requested the swap to `wanted`.
    `fulfilled` is the row about the last fulfilled tag in the dispatcher's state. `way` is the VM's way
    back, where the dispatcher has it.
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
    ended: bool | None = None
    asked: bool | None = None
    fulfilled: dict[str, Any] | None = None
    way: dict[str, Any] | None = None


@dataclass(frozen=True)
class StepInput(Record):
    """The input of a step's activity: the VM, what the step must achieve, and ARM's times of earlier attempts.

    `since` is when the step was first tried, `begun_at` when its operation was last accepted, `started_at` when the
    VM was started, `asked_at` when the orchestration called the activity. `unique_id` is the VM's `vmId`: another VM
    with the same name has another one.
    `despite_hold` is set only for the start of a VM that the app itself has stopped.
    `last_code` is Azure's last error code, `begins` how often the operation was accepted.
    `token` names the operation under way, so that its failure can be read: it contains a signed URL and must not be
    shown or logged.
    `rungs` are the results of the health check so far.
    `leave_stopped`: a VM that is found stopped stays stopped, and its disk is not at fault.
    `insist`: an operation that was accepted and changed nothing is begun again, because nothing else can be tried.
    `preempts`: the stop does not wait for another operation that holds the VM. `disks` are the swap's two OS disks.
    `settled`, `disturbed_at`, `stopped_since`, `changed_since`: what the readings have shown so far.
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
    preempts: bool = False
    disks: tuple[str, ...] = ()
    settled: str | None = None
    disturbed_at: str | None = None
    stopped_since: str | None = None
    changed_since: str | None = None


@dataclass(frozen=True)
class StepResult(Record):
    """The state of a step after an activity.

    Times are ARM's own (ISO), `settled_at` is the end of the VM's last operation. `evidence` is what was seen, `proved`
    whether a signal from the guest proved the VM's health, `rungs` are the results of the health check.
    `wait_s` is Azure's Retry-After where that is too long for an activity. `begins` is how often the operation was
    accepted. `token` names the operation under way for the next call of the activity alone (see `StepInput`).
    `blames`, of a failed step: whether what was seen is evidence against the new disk; None from an older version of
    the app. `os_disk` is the disk that somebody else has put in. The last four are carried over to the next call.
    """

    state: StepState
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
    blames: bool | None = None
    os_disk: str | None = None
    settled: str | None = None
    disturbed_at: str | None = None
    stopped_since: str | None = None
    changed_since: str | None = None


@dataclass(frozen=True)
class Prepared(Record):
    """What `prepare_swap` decided right before downtime: `swap` with intent, tags and steps, `revive`, or why not.

    `down_s` is the expected downtime. `notice_s` are the seconds between the `starting` event and the stop of a running
    VM; None: no such event is published. `about` is `print_of` the VM, `refused` the reason with which the last swap of
    the same VM and wish was refused, which has been announced.
    """

    decision: DecisionKind
    reason: str
    message: str
    intent: Intent | None = None
    tags: dict[str, str] | None = None
    steps: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()
    down_s: float | None = None
    notice_s: int | None = None
    about: str | None = None
    refused: str | None = None


@dataclass(frozen=True)
class Outcome(Record):
    """The result of one VM's swap, as verified at its end.

    `status` is a plain text where a newer version has another one. `reason` is a value of `Reason` or `Wait`, `message`
    one sentence a person can act on. `down_s` are the seconds from the stop until the VM ran again, `arm_s` the seconds
    that Azure's own operations took, `stop_mode` is how the VM was stopped, and `stop_why` why so. `by_hand` are the
    commands that finish the swap where a person is needed.
    """

    vm: str
    run: str
    status: OutcomeStatus | str
    reason: str
    message: str
    old_disk: str | None = None
    new_disk: str | None = None
    down_s: float | None = None
    started: str | None = None
    ended: str | None = None
    evidence: tuple[str, ...] = ()
    by_hand: tuple[str, ...] = ()
    warnings: tuple[SwapWarning, ...] = ()
    stop_mode: str | None = None
    arm_s: float | None = None
    stop_why: str | None = None
