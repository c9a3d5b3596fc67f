"""What the dispatcher's state has about one VM besides its swaps under way, for decisions.

Decides which outcomes count as over. Leaves what follows from it to the decision about the VM.
"""

from __future__ import annotations

from typing import Any

from refresh.domain.terms import resource_id
from refresh.domain.terms.swap_reason import Reason
from refresh.domain.vm.reservation import Hold
from refresh.records import durable_names
from refresh.records.dispatcher_state import DispatcherState
from refresh.records.rows import given
from refresh.records.swap import OutcomeStatus
from refresh.records.vm_memory import KnownVms


def hold_of(vm: str, state: DispatcherState, known: KnownVms) -> Hold:
    """What is recorded of a VM whose previous disk another VM wishes for; `known` was read after `state`."""
    way = known.way_of(vm, state.ways.get(resource_id.id_hash(vm)))
    unproven = vm.lower() in state.unproven or vm.lower() in state.running or known.note_about(vm) is not None
    return Hold(way.at if way is not None else None, unproven=unproven)


class Memory:
    """The disks each VM ran, the disks and versions found unhealthy on it, its runs that are over: indexed once."""

    def __init__(self, state: DispatcherState) -> None:
        """Index the rejections and outcomes of `state`."""
        self._ran = state.ran
        self._fulfilled = state.read_table("fulfilled")
        self._ended = state.over
        self._rejected: dict[str, set[str]] = {}
        self._over: dict[str, list[str]] = {}
        for rejection in state.rejected:
            self._rejected.setdefault(rejection.vm, set()).update(rejection.names)
        for outcome in state.finished:
            # A VM that needs attention, or that was not found and is there again, may still have to be brought up.
            if outcome.status != OutcomeStatus.NEEDS_ATTENTION and outcome.reason != Reason.VM_GONE:
                self._over.setdefault(outcome.vm.lower(), []).append(outcome.run)

    def of(self, vm: str) -> dict[str, Any]:
        """`ran` (hashes of disk ids), `rejected` (ids), `over` (runs) and `fulfilled` of a VM, by its lower-case id."""
        vm_hash = resource_id.id_hash(vm)
        ended = (run for run in self._ended if run.startswith(durable_names.swap_prefix(vm_hash)))
        return {
            "ran": list(self._ran.get(vm_hash, ())),
            "rejected": sorted(self._rejected.get(vm, ())),
            "over": list(dict.fromkeys((*ended, *self._over.get(vm, ())))),
            **given(fulfilled=self._fulfilled.get(vm_hash)),
        }
