"""The tables of the swap benchmark: downtime over Azure's own work, and where the rest of the downtime went.

Decides which numbers come from the simulator's journal and operations, and how they are shown. Does not know how a VM
was swapped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from statistics import median
from typing import Any

from rich.table import Table

from bench.loss import Loss, Span, split_downtime
from simulator.clock import Clock
from simulator.world import Simulator

SUBSCRIPTION = "bbbbbbbb-0000-4000-8000-000000000001"
COMPUTE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-bench/providers/Microsoft.Compute"
MODES = {"deallocate": "deallocate", "power-off": "powerOff"}
OURS, PLAIN = "this app", "SDK's own pollers"
WHO = (OURS, PLAIN)


@dataclass(frozen=True)
class Run:
    """One VM's swap: the client that did it and the stop mode."""

    who: str
    mode: str
    name: str

    @property
    def vm(self) -> str:
        """The VM's id."""
        return f"{COMPUTE}/virtualMachines/{self.name}"

    @property
    def new_disk(self) -> str:
        """The id of the disk that the VM is swapped to."""
        return f"{COMPUTE}/disks/{self.name}-new"


@dataclass(frozen=True)
class _Seen:
    """Azure's record of one run."""

    simulator: Simulator
    journal: dict[str, Any]
    run: Run

    @cached_property
    def loss(self) -> Loss:
        work = [one for one in self.simulator.operations.of(self.run.vm) if one.kind in self._kinds and one.ended]
        spans = [Span(one.started, one.ended) for one in work if one.ended is not None]
        paths = {self.run.vm.lower(), *(f"/{one.name}" for one in work)}
        reads = [
            datetime.fromisoformat(request["t"])
            for request in self.journal["requests"]
            if request["method"] == "GET" and _is_one_of(str(request["path"]).lower(), paths)
        ]
        return split_downtime(self.journal["vms"][self.run.vm.lower()]["not_running_s"], spans, reads)

    @property
    def calls(self) -> int:
        path = self.run.vm.lower()
        return sum(str(request["path"]).lower().startswith(path) for request in self.journal["requests"])

    @property
    def _kinds(self) -> set[str]:
        return {MODES[self.run.mode], "update", "start"}


def _is_one_of(path: str, paths: Iterable[str]) -> bool:
    return any(path.endswith(one) for one in paths)


def ratio_table(simulator: Simulator, clock: Clock, runs: Sequence[Run]) -> Table:
    """Downtime divided by Azure's own work, for each stop mode and client."""
    table = Table(title="Downtime over Azure's own work, medians (real speed)", title_justify="left")
    for column in ("stop mode", "who", "VMs", "down s", "Azure's work s", "ratio", "worst ratio", "requests on the VM"):
        table.add_column(column)
    for mode, who, seen in _groups(simulator, clock, runs):
        losses = [one.loss for one in seen]
        ratios = [loss.ratio for loss in losses]
        numbers = (
            median(loss.down_s for loss in losses),
            median(loss.work_s for loss in losses),
            median(ratios),
            max(ratios),
            median(one.calls for one in seen),
        )
        table.add_row(mode, who, str(len(seen)), *(f"{number:.2f}" for number in numbers))
    return table


def loss_table(simulator: Simulator, clock: Clock, runs: Sequence[Run]) -> Table:
    """Where the downtime beyond Azure's own work went, in seconds, medians.

    A poll lasts from the end of an operation until the read that saw it, a hand-over from that read until the next
    operation is accepted.
    """
    table = Table(title="Downtime beyond Azure's own work, s, medians (real speed)", title_justify="left")
    for column in ("stop mode", "who", "all", "poll: stop", "to disk", "poll: disk", "to start", "other"):
        table.add_column(column)
    for mode, who, seen in _groups(simulator, clock, runs):
        rows = [_parts(one.loss) for one in seen]
        table.add_row(mode, who, *(f"{median(part):.2f}" for part in zip(*rows, strict=True)))
    return table


def _parts(loss: Loss) -> tuple[float, ...]:
    to_disk, to_start = zip(loss.polls_s, loss.hand_overs_s, strict=True)
    return (loss.down_s - loss.work_s, *to_disk, *to_start, loss.other_s)


def _groups(simulator: Simulator, clock: Clock, runs: Sequence[Run]) -> Iterator[tuple[str, str, list[_Seen]]]:
    journal = simulator.journal.to_json(clock.now())
    for mode in MODES:
        for who in WHO:
            if these := [each for each in runs if (each.who, each.mode) == (who, mode)]:
                yield mode, who, [_Seen(simulator, journal, each) for each in these]
