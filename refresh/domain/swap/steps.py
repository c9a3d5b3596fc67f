"""The state of a step of a swap, judged from one reading of the VM.

Decides for each step whether it is done, must be begun, must wait or has failed. Level-triggered: the reading and the
age of the last begin are enough, so a step can be repeated after any crash. Does not know how a VM is read.
"""

from __future__ import annotations

from dataclasses import dataclass

from refresh.domain.azure.vms import Power, Vm
from refresh.domain.health.evidence import can_repeat
from refresh.domain.terms import resource_id, times
from refresh.domain.terms.stop_mode import StopMode
from refresh.domain.terms.verdict import Move, StepVerdict

# An accepted operation that shows no effect after this long is begun again; ARM's reads follow its writes in seconds.
LOST_AFTER_S = 30.0
PREEMPTED = "OperationPreempted"
# Azure rounds the times of operations and of a VM's status differently.
ANOTHER_AFTER_S = 1.0
# An OS disk change that was accepted, has failed and shows no effect after this long has failed.
DISK_UNCHANGED_AFTER_S = 5.0
# A replica of ARM that lags behind shows the state before a write, with a current Date. What a read shows against an
# operation that succeeded counts only when it has been read for this long.
# https://github.com/hashicorp/terraform-provider-azurerm/pull/25758
SETTLES_AFTER_S = 60.0


def _moving(vm: Vm) -> bool:
    return vm.provisioning_state in ("Updating", "Creating", "Deleting")


def is_held(vm: Vm) -> bool:
    """Whether another operation holds a VM that runs or starts."""
    return _moving(vm) and vm.power in (Power.RUNNING, Power.STARTING)


def _state(vm: Vm) -> str:
    return f"{vm.power}, provisioning {vm.provisioning_state or 'unknown'}"


def _begin_unless_recent(vm: Vm, begun_age_s: float | None) -> StepVerdict:
    recent = begun_age_s is not None and begun_age_s < LOST_AFTER_S
    return StepVerdict(Move.WAIT if recent else Move.BEGIN, _state(vm))


def judge_stopped(
    vm: Vm,
    begun_age_s: float | None,
    unless_disk: str | None = None,
    mode: StopMode = StopMode.DEALLOCATE,
    *,
    preempts: bool = False,
) -> StepVerdict:
    """Whether the VM is stopped as `mode` requires; `begun_age_s` is how long ago the last stop was accepted.

    A VM whose OS disk already is `unless_disk` need not be stopped for it. With `preempts` a running VM that another
    operation holds is stopped as well: a deallocate preempts a start that an extension holds for up to 90 minutes.
    https://github.com/Azure/azure-linux-extensions/issues/750
    """
    if preempts and is_held(vm):
        return _begin_unless_recent(vm, begun_age_s)
    if _moving(vm) or vm.power in (Power.STOPPING, Power.DEALLOCATING, Power.STARTING, Power.UNKNOWN):
        return StepVerdict(Move.WAIT, _state(vm))
    if vm.power is Power.DEALLOCATED or (mode is StopMode.POWER_OFF and vm.power is Power.STOPPED):
        return StepVerdict(Move.DONE, _state(vm))
    if resource_id.same(vm.os_disk_id, unless_disk):
        return StepVerdict(Move.DONE, f"{_state(vm)}, has disk {vm.os_disk_name}")
    return _begin_unless_recent(vm, begun_age_s)


@dataclass(frozen=True)
class Ended:
    """How Azure reports the end of a step's operation: whether it succeeded, or the error's code; `at` (ISO)."""

    succeeded: bool
    code: str | None = None
    at: str | None = None


def judge_disk(
    vm: Vm, disk_id: str, begun_age_s: float | None, *, ended: Ended | None = None, insist: bool = False
) -> StepVerdict:
    """Whether `disk_id` is the OS disk, read back: Azure has answered an update with 200 and changed nothing.

    `ended` is the end of the last change. One that failed because of the platform, or of another's operation, is begun
    again; any other is not repeated, because the old disk can be put back; with `insist` it is, for the undo.
    https://github.com/MicrosoftDocs/azure-docs/issues/23224
    """
    seen = f"OS disk {vm.os_disk_name}, {_state(vm)}"
    if _moving(vm):
        return StepVerdict(Move.WAIT, seen)
    if resource_id.same(vm.os_disk_id, disk_id):
        return StepVerdict(Move.DONE, seen)
    if begun_age_s is None:
        return StepVerdict(Move.BEGIN, seen)
    failed = ended is not None and not ended.succeeded
    if begun_age_s < (DISK_UNCHANGED_AFTER_S if failed else SETTLES_AFTER_S):
        return StepVerdict(Move.WAIT, seen)
    again = insist or (failed and ended is not None and can_repeat(ended.code))
    what = (
        f"Azure reports {ended.code}" if failed and ended else "Azure accepted the change and the operation has ended"
    )
    return StepVerdict(Move.BEGIN if again else Move.FAILED, f"{seen}, although {what}")


def judge_started(vm: Vm, begun_age_s: float | None) -> StepVerdict:
    """Whether the VM runs. The start operation may still be under way then: extensions can delay its end."""
    if vm.power is Power.RUNNING:
        return StepVerdict(Move.DONE, _state(vm))
    if _moving(vm) or not vm.power.settled:
        return StepVerdict(Move.WAIT, _state(vm))
    return _begin_unless_recent(vm, begun_age_s)


def is_stopped_by_others(start: Ended | None, settled_at: str | None) -> bool:
    """Whether a VM that is stopped after the app's `start` was stopped by somebody else.

    Another operation has ended after that start (`settled_at`), which had succeeded or was preempted by it: the app
    begins none meanwhile. https://github.com/kubernetes-sigs/cloud-provider-azure/pull/1356
    """
    if start is None or not (start.succeeded or start.code == PREEMPTED):
        return False
    return (times.seconds_between(start.at, settled_at) or 0.0) >= ANOTHER_AFTER_S
