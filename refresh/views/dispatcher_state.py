"""What the dispatcher's book (`entities.ledger`) says about one VM, for everybody who only reads it.

Decides how the book is asked. Refuses to change it and to know how it was fetched. A book that does not exist yet is
an empty one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from refresh.dispatcher.edits import are_missing
from refresh.dispatcher.looks import remembered
from refresh.dispatcher.queue import DEFAULT_MAX_SWAPS, admission_of
from refresh.domain.terms.swap_reason import Wait
from refresh.records import durable_names

type Json = dict[str, Any]


@dataclass(frozen=True)
class Book:
    """The dispatcher's state, read only. VM ids may come in any case."""

    state: Json

    def recall(self, vm_id: str) -> Json:
        """What a decision about this VM rests on besides what ARM says: as `FactReader.read` takes it."""
        found: Json = remembered(self.state, vm_id.lower())
        return found

    @property
    def running(self) -> Mapping[str, Json]:
        """The swaps under way, by lower-case VM id."""
        found: dict[str, Json] = self.state.get("running", {})
        return found

    @property
    def events(self) -> Mapping[str, Any]:
        """When the last event came, and which edits the sweep alone has found since."""
        found: Mapping[str, Any] = self.state.get("events", {})
        return found

    @property
    def events_are_missing(self) -> bool:
        """Whether edits are found by the sweep alone again and again."""
        return are_missing(self.state)

    @property
    def queue(self) -> Mapping[str, Json]:
        """The VMs that wait to be swapped, by lower-case id, first come first."""
        found: dict[str, Json] = self.state.get("queue", {})
        return found

    @property
    def paused(self) -> Json | None:
        """Since when and why nobody is admitted; None when the app is not paused."""
        found: Json | None = self.state.get("paused")
        return found

    @property
    def selfcheck(self) -> Json | None:
        """How the last self-check ended; None before the first."""
        found: Json | None = self.state.get("selfcheck")
        return found

    @property
    def max_swaps(self) -> int:
        """The budget of swaps in flight that admission goes by."""
        return int(self.state.get("budgets", {}).get("max_swaps", DEFAULT_MAX_SWAPS))

    @cached_property
    def looking(self) -> list[str]:
        """The VMs about to be looked at."""
        taken = (self.state.get("look") or {}).get("taken", {})
        rows = {**taken, **self.state.get("hints", {})}
        return [row["id"] for row in rows.values()]

    @cached_property
    def waits(self) -> Mapping[str, Wait]:
        """Why each of the queued VMs waits, by lower-case id; one that may start at once is absent."""
        return admission_of(self.state).waiting

    def outcome(self, vm_id: str) -> Json | None:
        """How the VM's last swap ended, as far back as the book remembers."""
        return self._outcomes.get(vm_id.lower())

    def outcome_of(self, run: str) -> Json | None:
        """How the swap with this instance id ended."""
        return next((row for row in reversed(self._finished) if row.get("run") == run), None)

    def run_of(self, vm_id: str) -> str | None:
        """The swap this VM is in, else its last one."""
        row = self.running.get(vm_id.lower())
        if row is not None:
            return durable_names.swap_id(vm_id, row["n"])
        return (self.outcome(vm_id) or {}).get("run")

    def why_waiting(self, vm_id: str) -> str:
        """One sentence on why a queued VM has not been started."""
        wait = self.waits.get(vm_id.lower())
        if wait is Wait.PAUSED:
            why = str((self.paused or {}).get("why") or "")
            return f"the app is paused{f' ({why})' if why else ''}; POST /api/resume lets swaps start again"
        if wait is Wait.SELFCHECK:
            return f"{self._selfcheck_missing()}; POST /api/selfcheck runs one, swaps start when it has passed"
        if wait is Wait.SWAPS_IN_FLIGHT:
            return f"{len(self.running)} swaps are under way and {self.max_swaps} are allowed at once"
        if wait is Wait.AVAILABILITY_SET:
            return "another VM of its availability set is being swapped, or could not be brought up again"
        if wait is Wait.SAME_DISK:
            return "a swap under way may need the disk it asks for"
        if wait is Wait.SWAPPING:
            return "its last swap is still under way"
        return "it is the next to be started"

    def _selfcheck_missing(self) -> str:
        last = self.selfcheck
        if last is None or last.get("package") != self.state.get("package"):
            return "no self-check has run for this package"
        failed = ", ".join(row["name"] for row in last.get("checks", ()) if not row["ok"])
        return f"the last self-check failed ({failed})"

    @property
    def _finished(self) -> list[Json]:
        found: list[Json] = self.state.get("finished", [])
        return found

    @cached_property
    def _outcomes(self) -> dict[str, Json]:
        return {str(row["vm"]).lower(): row for row in self._finished}
