"""What the audience sees: a live table of VMs while something is going on, plain lines where there is no terminal.

Decides how it looks; refuses to know what it means.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from simulator.demo.azure import Seen

_COLOUR = {"running": "green", "deallocated": "yellow"}
_APP = "the app"


class Screen:
    """A scene: `show` is called again and again with what is seen, until the scene is over."""

    def __init__(self, console: Console, title: str, goals: int) -> None:
        """A scene with `goals` things to happen."""
        self._console = console
        self._bar = Progress(SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self._task = self._bar.add_task(title, total=goals)
        self._live = Live(console=console, refresh_per_second=8, transient=True) if console.is_terminal else None
        # A picture is read at a glance: where many VMs move at once, only what the app does is shown.
        self._shows_vms = not console.record or goals == 1
        self._told: dict[str, tuple[str, str]] = {}

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, at_s: float, vms: Sequence[Seen], doing: str, reached: int) -> None:
        """Show the VMs at simulated second `at_s` and what the app is doing, `reached` goals being reached."""
        self._bar.update(self._task, completed=reached)
        if self._live is None:
            if doing:
                self._tell(at_s, _APP, (doing, ""))
            for vm in vms if self._shows_vms else ():
                self._tell(at_s, vm.name, (vm.doing or vm.power, vm.os_disk))
            return
        table = Table.grid(padding=(0, 2))
        for vm in vms:
            colour = _COLOUR.get(vm.power, "cyan")
            table.add_row(f"  {vm.name}", f"[{colour}]{vm.power}[/]", vm.os_disk, f"[cyan]{vm.doing}[/]")
        self._live.update(Group(f"  {at_s:.0f} s  [cyan]{doing}[/]", table, self._bar))

    def _tell(self, at_s: float, who: str, now: tuple[str, str]) -> None:
        before = self._told.get(who)
        self._told[who] = now
        if now != before and (before is not None or who == _APP):
            self._console.print(f"  {at_s:6.0f} s  {who:9} {now[0]:18} {now[1]}".rstrip(), highlight=False)
