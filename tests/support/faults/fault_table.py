"""The fault matrix as data: the expected end of every failure at every step of a swap.

One row for each step and failure: status and reason of the outcome, the VM's power and OS disk (`old`, `new`) at the
time of the outcome, the number of stops, and how often the operation of that step began in total, including the way
back (`5+`: at least 5 times, `-`: the step has no operation). An impossible combination has a row with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.faults.fault_matrix import Failure, Step

_TABLE = """
step        failure                     status          reason                power        disk stops begins
check       authorization-failed        refused         rights-missing        running      old  0 -
intent      authorization-failed        refused         rights-missing        running      old  0 -
deallocate  authorization-failed        refused         rights-missing        running      old  0 0
power-off   authorization-failed        refused         rights-missing        running      old  0 0
new-disk    authorization-failed        rolled-back     rights-missing        running      old  1 0
start       authorization-failed        needs-attention rights-missing        deallocated  new  1 0
health      authorization-failed        needs-attention rights-missing        running      new  1 -
rejection   authorization-failed        rolled-back     unhealthy             running      old  2 -
back-stop   authorization-failed        needs-attention rights-missing        running      new  1 1
back-disk   authorization-failed        needs-attention rights-missing        running      new  2 1
back-start  authorization-failed        needs-attention rights-missing        deallocated  old  2 1
back-health authorization-failed        needs-attention rights-missing        running      old  2 -

check       linked-authorization-failed refused         linked-rights-missing running      old  0 -
intent      linked-authorization-failed refused         linked-rights-missing running      old  0 -
deallocate  linked-authorization-failed refused         linked-rights-missing running      old  0 0
power-off   linked-authorization-failed refused         linked-rights-missing running      old  0 0
new-disk    linked-authorization-failed rolled-back     linked-rights-missing running      old  1 0
start       linked-authorization-failed needs-attention linked-rights-missing deallocated  new  1 0
health      linked-authorization-failed needs-attention linked-rights-missing running      new  1 -
rejection   linked-authorization-failed rolled-back     unhealthy             running      old  2 -
back-stop   linked-authorization-failed needs-attention linked-rights-missing running      new  1 1
back-disk   linked-authorization-failed needs-attention linked-rights-missing running      new  2 1
back-start  linked-authorization-failed needs-attention linked-rights-missing deallocated  old  2 1
back-health linked-authorization-failed needs-attention linked-rights-missing running      old  2 -

check       disallowed-by-policy        refused         disallowed-by-policy  running      old  0 -
intent      disallowed-by-policy        refused         disallowed-by-policy  running      old  0 -
deallocate  disallowed-by-policy        refused         disallowed-by-policy  running      old  0 0
power-off   disallowed-by-policy        refused         disallowed-by-policy  running      old  0 0
new-disk    disallowed-by-policy        rolled-back     disallowed-by-policy  running      old  1 0
start       disallowed-by-policy        needs-attention disallowed-by-policy  deallocated  new  1 0
health      disallowed-by-policy        needs-attention disallowed-by-policy  running      new  1 -
rejection   disallowed-by-policy        rolled-back     unhealthy             running      old  2 -
back-stop   disallowed-by-policy        needs-attention disallowed-by-policy  running      new  1 1
back-disk   disallowed-by-policy        needs-attention disallowed-by-policy  running      new  2 1
back-start  disallowed-by-policy        needs-attention disallowed-by-policy  deallocated  old  2 1
back-health disallowed-by-policy        needs-attention disallowed-by-policy  running      old  2 -

check       scope-locked                refused         locked                running      old  0 -
intent      scope-locked                refused         locked                running      old  0 -
deallocate  scope-locked                refused         locked                running      old  0 0
power-off   scope-locked                refused         locked                running      old  0 0
new-disk    scope-locked                rolled-back     locked                running      old  1 0
start       scope-locked                needs-attention locked                deallocated  new  1 0
health      scope-locked                needs-attention locked                running      new  1 -
rejection   scope-locked                rolled-back     unhealthy             running      old  2 -
back-stop   scope-locked                needs-attention locked                running      new  1 1
back-disk   scope-locked                needs-attention locked                running      new  2 1
back-start  scope-locked                needs-attention locked                deallocated  old  2 1
back-health scope-locked                needs-attention locked                running      old  2 -

check       conflict                    refused         unreadable            running      old  0 -
intent      conflict                    succeeded       verified              running      new  1 -
deallocate  conflict                    succeeded       verified              running      new  1 1
power-off   conflict                    succeeded       verified              running      new  1 1
new-disk    conflict                    succeeded       verified              running      new  1 1
start       conflict                    succeeded       verified              running      new  1 1
health      conflict                    succeeded       verified              running      new  1 -
rejection   conflict                    rolled-back     unhealthy             running      old  2 -
back-stop   conflict                    rolled-back     unhealthy             running      old  2 2
back-disk   conflict                    rolled-back     unhealthy             running      old  2 2
back-start  conflict                    rolled-back     unhealthy             running      old  2 2
back-health conflict                    rolled-back     unhealthy             running      old  2 -

check       bad-request                 refused         unreadable            running      old  0 -
intent      bad-request                 refused         tags-not-written      running      old  0 -
deallocate  bad-request                 refused         step-failed           running      old  0 0
power-off   bad-request                 refused         step-failed           running      old  0 0
new-disk    bad-request                 rolled-back     step-failed           running      old  1 0
start       bad-request                 needs-attention undo-failed           deallocated  old  1 0
health      bad-request                 needs-attention undo-failed           running      new  1 -
rejection   bad-request                 rolled-back     unhealthy             running      old  2 -
back-stop   bad-request                 needs-attention undo-failed           running      new  1 1
back-disk   bad-request                 needs-attention undo-failed           running      new  2 1
back-start  bad-request                 needs-attention undo-failed           deallocated  old  2 1
back-health bad-request                 needs-attention undo-failed           running      old  2 -

check       operation-fails             impossible: a read begins no operation
intent      operation-fails             refused         tags-not-written      running      old  0 -
deallocate  operation-fails             rolled-back     step-failed           running      old  2 2
power-off   operation-fails             rolled-back     step-failed           running      old  2 2
new-disk    operation-fails             rolled-back     step-failed           running      old  1 3
start       operation-fails             needs-attention undo-failed           deallocated  old  1 5+
health      operation-fails             impossible: a read begins no operation
rejection   operation-fails             rolled-back     unhealthy             running      old  2 -
back-stop   operation-fails             needs-attention undo-failed           running      new  3 3
back-disk   operation-fails             needs-attention undo-failed           running      new  2 4
back-start  operation-fails             needs-attention undo-failed           deallocated  old  2 5+
back-health operation-fails             impossible: a read begins no operation

check       operation-hangs             impossible: a read begins no operation
intent      operation-hangs             impossible: a tag write has no long-running operation
deallocate  operation-hangs             needs-attention undo-failed           deallocating old  1 1
power-off   operation-hangs             needs-attention undo-failed           stopping     old  1 1
new-disk    operation-hangs             needs-attention undo-failed           deallocated  new  1 1
start       operation-hangs             needs-attention undo-failed           starting     new  1 1
health      operation-hangs             impossible: a read begins no operation
rejection   operation-hangs             impossible: a tag write has no long-running operation
back-stop   operation-hangs             needs-attention undo-failed           deallocating new  2 2
back-disk   operation-hangs             needs-attention undo-failed           deallocated  old  2 2
back-start  operation-hangs             needs-attention undo-failed           starting     old  2 2
back-health operation-hangs             impossible: a read begins no operation

check       operation-takes-614-s       impossible: a read begins no operation
intent      operation-takes-614-s       impossible: a tag write has no long-running operation
deallocate  operation-takes-614-s       succeeded       verified              running      new  1 1
power-off   operation-takes-614-s       succeeded       verified              running      new  1 1
new-disk    operation-takes-614-s       succeeded       verified              running      new  1 1
start       operation-takes-614-s       succeeded       verified              running      new  1 1
health      operation-takes-614-s       impossible: a read begins no operation
rejection   operation-takes-614-s       impossible: a tag write has no long-running operation
back-stop   operation-takes-614-s       rolled-back     unhealthy             running      old  2 2
back-disk   operation-takes-614-s       rolled-back     unhealthy             running      old  2 2
back-start  operation-takes-614-s       rolled-back     unhealthy             running      old  2 2
back-health operation-takes-614-s       impossible: a read begins no operation

check       no-answer                   succeeded       verified              running      new  1 -
intent      no-answer                   succeeded       verified              running      new  1 -
deallocate  no-answer                   succeeded       verified              running      new  1 1
power-off   no-answer                   succeeded       verified              running      new  1 1
new-disk    no-answer                   succeeded       verified              running      new  1 1
start       no-answer                   succeeded       verified              running      new  1 1
health      no-answer                   succeeded       verified              running      new  1 -
rejection   no-answer                   rolled-back     unhealthy             running      old  2 -
back-stop   no-answer                   rolled-back     unhealthy             running      old  2 2
back-disk   no-answer                   rolled-back     unhealthy             running      old  2 2
back-start  no-answer                   rolled-back     unhealthy             running      old  2 2
back-health no-answer                   rolled-back     unhealthy             running      old  2 -

check       throttled                   refused         unreadable            running      old  0 -
intent      throttled                   succeeded       verified              running      new  1 -
deallocate  throttled                   succeeded       verified              running      new  1 1
power-off   throttled                   succeeded       verified              running      new  1 1
new-disk    throttled                   succeeded       verified              running      new  1 1
start       throttled                   succeeded       verified              running      new  1 1
health      throttled                   succeeded       verified              running      new  1 -
rejection   throttled                   rolled-back     unhealthy             running      old  2 -
back-stop   throttled                   rolled-back     unhealthy             running      old  2 2
back-disk   throttled                   rolled-back     unhealthy             running      old  2 2
back-start  throttled                   rolled-back     unhealthy             running      old  2 2
back-health throttled                   rolled-back     unhealthy             running      old  2 -

check       reset-before                succeeded       verified              running      new  1 -
intent      reset-before                succeeded       verified              running      new  1 -
deallocate  reset-before                succeeded       verified              running      new  1 1
power-off   reset-before                succeeded       verified              running      new  1 1
new-disk    reset-before                succeeded       verified              running      new  1 1
start       reset-before                succeeded       verified              running      new  1 1
health      reset-before                succeeded       verified              running      new  1 -
rejection   reset-before                rolled-back     unhealthy             running      old  2 -
back-stop   reset-before                rolled-back     unhealthy             running      old  2 2
back-disk   reset-before                rolled-back     unhealthy             running      old  2 2
back-start  reset-before                rolled-back     unhealthy             running      old  2 2
back-health reset-before                rolled-back     unhealthy             running      old  2 -

check       reset-after                 succeeded       verified              running      new  1 -
intent      reset-after                 succeeded       verified              running      new  1 -
deallocate  reset-after                 succeeded       verified              running      new  1 1
power-off   reset-after                 succeeded       verified              running      new  1 1
new-disk    reset-after                 succeeded       verified              running      new  1 1
start       reset-after                 succeeded       verified              running      new  1 1
health      reset-after                 succeeded       verified              running      new  1 -
rejection   reset-after                 rolled-back     unhealthy             running      old  2 -
back-stop   reset-after                 rolled-back     unhealthy             running      old  2 2
back-disk   reset-after                 rolled-back     unhealthy             running      old  2 2
back-start  reset-after                 rolled-back     unhealthy             running      old  2 2
back-health reset-after                 rolled-back     unhealthy             running      old  2 -

check       success-that-did-nothing    impossible: a read changes nothing anyway
intent      success-that-did-nothing    succeeded       verified              running      new  1 -
deallocate  success-that-did-nothing    rolled-back     step-failed           running      old  2 2
power-off   success-that-did-nothing    rolled-back     step-failed           running      old  2 2
new-disk    success-that-did-nothing    rolled-back     step-failed           running      old  1 1
start       success-that-did-nothing    needs-attention undo-failed           deallocated  old  1 5+
health      success-that-did-nothing    impossible: a read changes nothing anyway
rejection   success-that-did-nothing    rolled-back     unhealthy             running      old  2 -
back-stop   success-that-did-nothing    needs-attention undo-failed           running      new  3 3
back-disk   success-that-did-nothing    needs-attention undo-failed           running      new  2 4
back-start  success-that-did-nothing    needs-attention undo-failed           deallocated  old  2 5+
back-health success-that-did-nothing    impossible: a read changes nothing anyway

check       crash-before                succeeded       verified              running      new  1 -
intent      crash-before                succeeded       verified              running      new  1 -
deallocate  crash-before                succeeded       verified              running      new  1 1
power-off   crash-before                succeeded       verified              running      new  1 1
new-disk    crash-before                succeeded       verified              running      new  1 1
start       crash-before                succeeded       verified              running      new  1 1
health      crash-before                succeeded       verified              running      new  1 -
rejection   crash-before                rolled-back     unhealthy             running      old  2 -
back-stop   crash-before                rolled-back     unhealthy             running      old  2 2
back-disk   crash-before                rolled-back     unhealthy             running      old  2 2
back-start  crash-before                rolled-back     unhealthy             running      old  2 2
back-health crash-before                rolled-back     unhealthy             running      old  2 -

check       crash-during                succeeded       verified              running      new  1 -
intent      crash-during                succeeded       verified              running      new  1 -
deallocate  crash-during                succeeded       verified              running      new  1 1
power-off   crash-during                succeeded       verified              running      new  1 1
new-disk    crash-during                succeeded       verified              running      new  1 1
start       crash-during                succeeded       verified              running      new  1 1
health      crash-during                succeeded       verified              running      new  1 -
rejection   crash-during                rolled-back     unhealthy             running      old  2 -
back-stop   crash-during                rolled-back     unhealthy             running      old  2 2
back-disk   crash-during                rolled-back     unhealthy             running      old  2 2
back-start  crash-during                rolled-back     unhealthy             running      old  2 2
back-health crash-during                rolled-back     unhealthy             running      old  2 -

check       crash-after                 succeeded       verified              running      new  1 -
intent      crash-after                 succeeded       verified              running      new  1 -
deallocate  crash-after                 succeeded       verified              running      new  1 1
power-off   crash-after                 succeeded       verified              running      new  1 1
new-disk    crash-after                 succeeded       verified              running      new  1 1
start       crash-after                 succeeded       verified              running      new  1 1
health      crash-after                 succeeded       verified              running      new  1 -
rejection   crash-after                 rolled-back     unhealthy             running      old  2 -
back-stop   crash-after                 rolled-back     unhealthy             running      old  2 2
back-disk   crash-after                 rolled-back     unhealthy             running      old  2 2
back-start  crash-after                 rolled-back     unhealthy             running      old  2 2
back-health crash-after                 rolled-back     unhealthy             running      old  2 -

check       vm-deleted                  skipped         vm-gone               gone         gone 0 -
intent      vm-deleted                  skipped         vm-gone               gone         gone 0 -
deallocate  vm-deleted                  skipped         vm-gone               gone         gone 0 0
power-off   vm-deleted                  skipped         vm-gone               gone         gone 0 0
new-disk    vm-deleted                  skipped         vm-gone               gone         gone 1 0
start       vm-deleted                  skipped         vm-gone               gone         gone 1 0
health      vm-deleted                  skipped         vm-gone               gone         gone 1 -
rejection   vm-deleted                  skipped         vm-gone               gone         gone 1 -
back-stop   vm-deleted                  skipped         vm-gone               gone         gone 1 1
back-disk   vm-deleted                  skipped         vm-gone               gone         gone 2 1
back-start  vm-deleted                  skipped         vm-gone               gone         gone 2 1
back-health vm-deleted                  skipped         vm-gone               gone         gone 2 -
"""


@dataclass(frozen=True)
class Row:
    """One row; `impossible` is the reason why a failure cannot happen at a step; such a row has no expectation."""

    step: Step
    failure: Failure
    expected: tuple[str, ...] = ()
    impossible: str = ""

    def __str__(self) -> str:
        """The row's name in a test report."""
        return f"{self.step} {self.failure}"


def _row(line: str) -> Row:
    step, failure, *rest = line.split(maxsplit=2)
    if rest[0].startswith("impossible: "):
        return Row(Step(step), Failure(failure), impossible=rest[0].removeprefix("impossible: "))
    return Row(Step(step), Failure(failure), tuple(rest[0].split()))


ROWS = tuple(_row(line) for line in _TABLE.strip().splitlines()[1:] if line)


def steps_of(failure: Failure) -> tuple[Step, ...]:
    """The steps at which `failure` can happen."""
    return tuple(row.step for row in ROWS if row.failure is failure and not row.impossible)
