"""What the dispatcher's state shows about single VMs and runs.

Decides which run is a VM's, and the sentence on why a VM waits. Does not change the state and does not know how it was
read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from refresh.dispatcher.memory import Memory, hold_of
from refresh.dispatcher.queue import admission_of, budgets_of, in_order
from refresh.domain.terms.resource_id import id_hash
from refresh.domain.terms.swap_reason import Wait
from refresh.records import durable_names
from refresh.records.dispatcher_state import DispatcherState, OutcomeRow, RunningRow
from refresh.records.vm_memory import KnownVms


class DispatcherView:
    """The dispatcher's state, read only; what is computed from all of it is computed once. VM ids have any case."""

    def __init__(self, state: DispatcherState, known: KnownVms | None = None) -> None:
        """A view of `state`, and of what is known about VMs that are no longer in it."""
        self.state = state
        self.known = known or KnownVms()

    def with_memory(self, known: KnownVms) -> DispatcherView:
        """The same, with what `vm_memory` has, which was read after the state."""
        return DispatcherView(self.state, known)

    def recall(self, vm_id: str) -> dict[str, Any]:
        """What the dispatcher and `vm_memory` have about a VM for decisions about it, and about its previous disk."""
        found = self._memory.of(vm_id.lower())
        ran = list(self.known.ran_of(vm_id, found["ran"]))
        # What a swap under way changes is its own work.
        last = None if self.running(vm_id) else self.known.fulfilled_of(vm_id, found.get("fulfilled"))
        return {**found, "ran": ran, "fulfilled": last, "hold": hold_of(vm_id, self.state, self.known)}

    def declined_by(self, vm_id: str) -> str | None:
        """The hash of the image version that a VM was rolled back from by a person."""
        return self.known.declined_by(vm_id, self.state.declined.get(id_hash(vm_id)))

    @property
    def max_swaps(self) -> int:
        """How many swaps may be in flight, as admission counts."""
        return budgets_of(self.state).max_swaps

    @cached_property
    def looking(self) -> list[str]:
        """The ids of the VMs that a look is about to read."""
        look = self.state.look
        rows = {**(look.taken if look is not None else {}), **self.state.hints}
        return [row.id for row in rows.values()]

    @cached_property
    def waits(self) -> Mapping[str, Wait]:
        """Why each of the queued VMs waits, by lower-case id; one that may start at once is absent."""
        return admission_of(self.state).waiting

    @cached_property
    def swaps_under_way(self) -> int:
        """The swaps that count against `max_swaps`: all but the starts of VMs that are down."""
        return sum(not row.urgent for row in self.state.running.values())

    @property
    def in_order(self) -> Iterator[str]:
        """The queued VMs, by lower-case id, in the order of their admission."""
        return in_order(self.state)

    def running(self, vm_id: str) -> RunningRow | None:
        """The swap under way of a VM."""
        return self.state.running.get(vm_id.lower())

    def outcome(self, vm_id: str) -> OutcomeRow | None:
        """How the VM's last swap ended, if it is among the last that are kept."""
        return self._outcomes.get(vm_id.lower())

    def outcome_of(self, run: str) -> OutcomeRow | None:
        """How the swap with this instance id ended, in short, if it is among the last that are kept."""
        return self._outcomes_by_run.get(run)

    def is_under_way(self, run: str) -> bool:
        """Whether this is the instance id of a swap under way."""
        return run in self._under_way

    def run_of(self, vm_id: str) -> str | None:
        """The swap under way of a VM, else its last one."""
        row, outcome = self.running(vm_id), self.outcome(vm_id)
        if row is not None:
            return durable_names.swap_id(vm_id, row.n)
        return outcome.run if outcome is not None else None

    def why_waiting(self, vm_id: str) -> str:
        """One sentence on why a queued VM has not been started."""
        wait = self.waits.get(vm_id.lower())
        if wait is Wait.PAUSED:
            why = self.state.paused.why if self.state.paused is not None else ""
            return f"the app is paused{f' ({why})' if why else ''}; POST /api/resume lets swaps start again"
        if wait is Wait.SELFCHECK:
            return f"{self._selfcheck_missing()}; POST /api/selfcheck runs one, swaps start when it has passed"
        if wait is Wait.SWAPS_IN_FLIGHT:
            return f"{self.swaps_under_way} swaps are under way and {self.max_swaps} are allowed at once"
        if wait is Wait.STARTS_IN_FLIGHT:
            return f"{budgets_of(self.state).max_starts} VMs that are down are being started, and no more at once"
        if wait is Wait.AVAILABILITY_SET:
            return "another VM of its availability set is being swapped, or could not be brought up again"
        if wait is Wait.SAME_DISK:
            return "a swap under way may need the same disk"
        if wait is Wait.SWAPPING:
            return "its last swap is still under way"
        return "it is the next to be started"

    def _selfcheck_missing(self) -> str:
        last = self.state.selfcheck
        if last is None or last.package != self.state.package:
            return "no self-check has run for this package"
        failed = ", ".join(check.name for check in last.checks if not check.ok)
        return f"the last self-check failed ({failed})"

    @cached_property
    def _under_way(self) -> frozenset[str]:
        return frozenset(durable_names.swap_id(vm, row.n) for vm, row in self.state.running.items())

    @cached_property
    def _memory(self) -> Memory:
        return Memory(self.state)

    @cached_property
    def _outcomes(self) -> dict[str, OutcomeRow]:
        return {row.vm.lower(): row for row in self.state.finished}

    @cached_property
    def _outcomes_by_run(self) -> dict[str, OutcomeRow]:
        return {row.run: row for row in self.state.finished}
