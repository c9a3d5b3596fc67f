"""What a scene shows: a live table of VMs in a terminal, otherwise a line for each change.

Decides the form. Does not know what a scene is about.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from simulator.demo.azure import Seen, Work
from simulator.demo.text import write

_COLOUR = {"running": "green", "deallocated": "yellow"}
_APP = "the app"
_NAME_WIDTH, _STATE_WIDTH = 15, 18
# Where the text after time and name begins.
_INDENT = 12 + _NAME_WIDTH


class Screen:
    """A scene: `show` is called with every new state until the scene is over."""

    def __init__(self, console: Console, title: str, goals: int) -> None:
        """A scene with a number of goals to reach."""
        self._console = console
        self._bar = Progress(SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self._task = self._bar.add_task(title, total=goals)
        self._live = Live(console=console, refresh_per_second=8, transient=True) if console.is_terminal else None
        # A picture stays short: it leaves out VMs where many move at once, and the percentages of a replication.
        self._shows_vms = not console.record or goals == 1
        self._shows_percent = not console.record
        self._shown: dict[str, str] = {}

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, at_s: float, vms: Sequence[Seen], work: Work, reached: int) -> None:
        """Show VMs and the app's work at simulated second `at_s`, `reached` goals being reached."""
        self._bar.update(self._task, completed=reached)
        if self._live is None:
            self._write_changes(at_s, vms, work)
            return
        table = Table.grid(padding=(0, 2))
        for name, step in work.builds.items():
            table.add_row(f"  {name}", "image", step, "")
        for vm in vms:
            colour = _COLOUR.get(vm.power, "cyan")
            table.add_row(f"  {vm.name}", f"[{colour}]{vm.power}[/]", vm.os_disk, f"[cyan]{vm.doing}[/]")
        self._live.update(Group(f"  {at_s:.0f} s  [cyan]{work.text}[/]", table, self._bar))

    def _write_changes(self, at_s: float, vms: Sequence[Seen], work: Work) -> None:
        if work.text:
            self._write(at_s, _APP, work.text)
        for name, step in work.builds.items():
            self._write(at_s, name, step if self._shows_percent else step.partition(":")[0])
        for vm in vms if self._shows_vms else ():
            # The first state of a VM is no change.
            is_new = vm.name not in self._shown
            self._write(at_s, vm.name, f"{vm.doing or vm.power:{_STATE_WIDTH}} {vm.os_disk}", silent=is_new)

    def _write(self, at_s: float, who: str, text: str, *, silent: bool = False) -> None:
        if self._shown.get(who) == text:
            return
        self._shown[who] = text
        if not silent:
            write(self._console, f"  {at_s:6.0f} s  {who:{_NAME_WIDTH}} {text}".rstrip(), indent=_INDENT + 1)
