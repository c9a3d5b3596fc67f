"""What the functions of one swap have in common: the run, the VM, and from its plan on the intent and the steps."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from durabletask.task import OrchestrationContext, Task

from refresh.orchestrations.shared.dispatcher_calls import ANSWER_TIMEOUT, call_dispatcher, signal_dispatcher
from refresh.records.durable_names import Operation
from refresh.records.swap import Intent, Outcome

type SwapSteps = Generator[Task[Any], Any, Outcome]
"""A part of the swap: it yields durable tasks and returns how the swap ended."""


@dataclass(frozen=True)
class SwapRun:
    """One run of `swap_vm`: swap number `n` of `vm`; `bounded` as in `is_bounded`."""

    ctx: OrchestrationContext
    vm: str
    n: int
    bounded: bool

    def planned(self, intent: Intent, steps: tuple[str, ...], undo: tuple[str, ...]) -> PlannedSwap:
        """The same run with its plan."""
        return PlannedSwap(self.ctx, self.vm, self.n, self.bounded, intent, steps, undo)

    def call_dispatcher(
        self, operation: Operation, timeout: timedelta = ANSWER_TIMEOUT, **data: Any
    ) -> Generator[Task[Any], Any, Any]:
        """Call the dispatcher about this swap and wait for its answer. NoAnswer as in `call_dispatcher`."""
        vm, n = self.vm, self.n
        return call_dispatcher(self.ctx, operation, bounded=self.bounded, timeout=timeout, vm=vm, n=n, **data)

    def report_step(self, step: str, **more: Any) -> None:
        """Send the dispatcher the step under way, without waiting."""
        signal_dispatcher(self.ctx, Operation.STEP, vm=self.vm, n=self.n, step=step, **more)


@dataclass(frozen=True)
class PlannedSwap(SwapRun):
    """A run with its intent, the steps that put the new disk in, and the steps that put the old disk back (`undo`)."""

    intent: Intent
    steps: tuple[str, ...]
    undo: tuple[str, ...]
