"""How often the app reads what Azure has under way, and for how long: one table, in seconds.

Decides the numbers, each with its measured or documented reason ("recorded" means measured on Azure). Does not know
what is read; `rhythm.py` computes the pauses of a swap's steps from these numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

from refresh.domain.terms.stop_mode import StopMode


@dataclass(frozen=True)
class Poll:
    """When one thing is read.

    Pauses begin with `every_s`, each is `growth` times the one before, at most `longest_s`; the first read comes after
    `first_s` where that is given. Reading ends after `budget_s`. `operation_s` is how long an operation that Azure
    accepted may take by ARM's clock.
    """

    every_s: float
    budget_s: float = 0.0
    first_s: float = 0.0
    growth: float = 1.0
    longest_s: float | None = None
    operation_s: float = 0.0

    def next_pause_s(self, pause_s: float) -> float:
        """The pause after one of `pause_s` seconds."""
        return min(pause_s * self.growth, self.longest_s if self.longest_s is not None else pause_s)


# --- The steps of a swap: a VM is down while they wait ---

# A read comes late by at most this share of the time that has passed, however long an operation takes.
GROWTH = 0.05
LONGEST_S = 5.0
# Longer than any usual operation takes: a few seconds more do not matter.
SELDOM_FROM_S, SELDOM_S = 300.0, 15.0

# Below these the pauses grow: an empty bucket answers 429, and a wait that Azure sets is longer than any pause here.
# Compute holds 36 GETs of a VM and refills 12 a minute, 45 GETs of an operation's status and 15 a minute:
# https://learn.microsoft.com/azure/virtual-machines/compute-throttling-limits
ENOUGH_OF_RESOURCE = 12
# ARM holds 250 reads of an app in a subscription and refills 25 a second, for all its VMs together:
# https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
ENOUGH_OF_SUBSCRIPTION = 100

# The first read of a step comes after the shortest recorded duration.
# Recorded. Deallocate: 10 s at least, half within 26 s, 288 s at most. Power off: 3.5 s, 8.7 s, 22 s.
STOP = {
    StopMode.DEALLOCATE: Poll(0.5, 600.0, first_s=10.0, operation_s=900.0),
    StopMode.POWER_OFF: Poll(0.3, 600.0, first_s=3.5, operation_s=900.0),
}
# Recorded: deallocated 0.6 s at least, half within 0.9 s; powered off 2.5 s, 2.8 s; nearly all within 61 s, one 614 s.
OS_DISK = {
    StopMode.DEALLOCATE: Poll(0.3, 300.0, first_s=0.8, operation_s=900.0),
    StopMode.POWER_OFF: Poll(0.3, 300.0, first_s=2.5, operation_s=900.0),
}
# Recorded: from deallocated 8 s at least, half within 13 s, 30 s at most; from powered off 2.8 s, 5.5 s, 12.5 s.
START = {
    StopMode.DEALLOCATE: Poll(2.0, 900.0, first_s=8.0, operation_s=900.0),
    StopMode.POWER_OFF: Poll(2.0, 900.0, first_s=3.0, operation_s=900.0),
}
# `budget_s` is added to the health timeout, which the ladder keeps: it ends a step whose VM cannot be read.
HEALTH = Poll(5.0, 60.0)
# The serial log and Resource Health change slowly and cost a call or two each.
BOOT_LOG = Poll(15.0, first_s=10.0)
RESOURCE_HEALTH = Poll(30.0, first_s=60.0)
# A guest that has given no signal before is watched this long for one and for a boot that fails: six recorded agents
# reported 26 to 69 s after the boot.
QUIET_GUEST_S = 90.0

# Between reads of an operation every fourth read is of the VM: a person may have put the VM on hold, and Compute's
# counter of an operation (45) is larger than that of a VM (36), which other callers use as well.
VM_EVERY = 4
OPERATION_UNREAD_S = 5.0
# An activity returns to the orchestrator after this time, so that none outlives a platform update unnoticed.
ACTIVITY_S = 50.0
# A role assignment that Azure does not apply everywhere yet can refuse a read, and a front end of ARM that lags behind
# does not find a VM that exists; reads refused for this long, or without a VM, end the step.
REFUSED_READS_S = MISSING_S = 30.0
# An operation that repeatedly has no effect is begun again after a pause of at most this long.
LONGEST_REST_S = 120.0
# Azure has no capacity for the VM: an earlier retry finds none either. Pauses grow to ten minutes.
# https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/allocation-failure
NO_CAPACITY = Poll(60.0, longest_s=600.0)

# --- Bulk work: nothing is down while it waits ---

# A batch begins with five disks and begins one more every two seconds, to leave ARM's quota to swaps.
DISK_BURST, DISK_GAP_S = 5, 2.0
# Recorded: a disk from an image version takes 0.3 to 1.0 s, once 21.7 s.
MAKE_DISK = Poll(1.0, 120.0, growth=1.6, longest_s=10.0)
# A disk that another request made at the same time is still being changed for some seconds.
DISK_SETTLES_S = 30.0
# Recorded: Azure takes 0.1 to 4.9 s to delete a disk.
DELETE_DISK = Poll(0.5, 60.0, growth=2.0, longest_s=10.0)
# Recorded: an image definition takes 3.5 s at most.
MAKE_DEFINITION_BUDGET_S = 60.0
MAKE_IMAGE_BUDGET_S = 45.0
# A build is given up after four hours; one from a VM made for it after a day, because that VM is deleted when the build
# ends, and a version needs its source until then.
BUILD_VERSION = Poll(60.0, 4 * 3600.0)
BUILD_FROM_VM_BUDGET_S = 24 * 3600.0
# Recorded: a change of a version takes 736 s at most, a deletion 90 to 150 s.
CHANGE_VERSION = Poll(60.0, 30 * 60.0)
DELETE_VERSION = Poll(60.0, 20 * 60.0)

# --- Recipes: a read costs a GET or two ---

# Every read stays in the history of the orchestration, which is sent with each of its steps: after half an hour a stage
# is read at a quarter of the rhythm.
SLOWER_AFTER_S, SLOWER = 1800.0, 4
# Recorded: a VM with its OS takes two minutes, rarely half an hour; Azure gives up on the OS after 40 minutes.
MAKE_VM = Poll(20.0, 3600.0)
RECIPE_STAGE = Poll(20.0, 1800.0)
ONE_READ = Poll(20.0)
RUN_RECIPE = Poll(30.0, 8 * 3600.0)
# The health ladder has a timeout of its own, of an hour at most.
PROVE_VM = Poll(20.0, 3 * 3600.0)
# Recorded deletes of a VM: half within 34 s, one took 47 minutes.
DELETE_GROUP = Poll(30.0, 5400.0)
# Azure writes the serial log out in pieces, and its delay is not documented: the last line may still be on its way.
LAST_LOG_LINE = Poll(30.0, 4 * 30.0)

# --- One call of Azure ---

# After Unavailable, or a conflict with another operation, when Azure names no Retry-After.
RETRY = Poll(1.0, growth=2.0, longest_s=30.0)
# How long one call is retried: reads for a decision, tags of a swap, lists that a caller of the HTTP API waits for
# (Azure names a Retry-After), one read or write of bulk work, one call of a recipe's stage.
READ_BUDGET_S = 30.0
# Reads for decisions take less than half of what ARM refills (25 a second), so that swaps under way have the rest. The
# burst is a twelfth of what ARM holds (250), and enough to decide about one VM or two.
READ_GAP_S, READ_BURST = 0.1, 20
# A look reads many VMs: one that cannot be read must not delay the others. It reads each again at a later look.
LOOK_READ_BUDGET_S = 10.0
LOOK_LIMIT_S = 15.0
# A VM that was not read so is read once more behind all others, for longer than one request may take.
LOOK_SLOW_BUDGET_S = 30.0
LOOK_SLOW_LIMIT_S = 35.0
TAG_WRITE_BUDGET_S = 60.0
# A look removes one leftover tag after the other, before it reads the next VMs.
LEFTOVER_LIMIT_S = 5.0
LIST_BUDGET_S = 20.0
BULK_BUDGET_S = 120.0
# All pages of one subscription's lists, retries included: for a caller of the HTTP API, whose front end gives up after
# 230 seconds, or a sweep, and for bulk work. One request is given up after 30 seconds (`arm/clients.py`).
LIST_LIMIT_S = 60.0
BULK_LIST_LIMIT_S = 300.0
STAGE_CALL_BUDGET_S = 30.0
