"""Compares the dispatcher of this checkout with the one of an older commit: its state, its operations, and storms.

`make bench-dispatcher`: both versions are measured by the same code, each in processes of its own, one after the other.
The state and the operations are those of a fleet that the app's own trigger, orchestrations and entities have worked
on, in this process and without a hub. A storm is played on the simulator's hub, where time is simulated, or on
Microsoft's Durable engine in real time (`ENGINE=azure-storage`).
"""

from __future__ import annotations

import argparse
import json
import logging
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from bench import dispatcher_state, storm
from bench.app_trees import BASELINE, ROOT, extract_commit, use_app
from bench.comparison import Compared, Figure, compare, comparison_table, figures_from
from simulator.clock import Clock, run
from simulator.engine.kinds import ENGINES, EngineKind

PARTS = ("state", "storm")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark; print the table, or with `--measure` the figures of one version as JSON."""
    typed = _parser().parse_args(arguments)
    if typed.measure:
        print(json.dumps([asdict(figure) for figure in _measure(typed)]))
        return
    console = Console(width=130)
    rows = _compare(typed, console)
    console.print(comparison_table(rows, f"The dispatcher before ({typed.baseline}) and after (this checkout)"))
    if all(row.before is None for row in rows):
        console.print(f"The baseline is missing: this clone does not have commit {typed.baseline}.")
    if typed.json:
        typed.json.write_text(json.dumps([row.to_json() for row in rows], indent=1) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.dispatcher")
    parser.add_argument("--vms", type=int, default=10_000, help="VMs of the fleet (default 10000)")
    parser.add_argument("--events", type=int, default=100_000, help="events about the fleet (default 100000)")
    parser.add_argument("--repeats", type=int, default=9, help="repetitions of an operation (default 9)")
    parser.add_argument("--storm", type=int, default=3000, help="VMs and events of a storm (default 3000)")
    parser.add_argument("--part", choices=PARTS, help="this part alone (default: all)")
    parser.add_argument("--engine", choices=ENGINES, default="simulated", help="of the storm (default %(default)s)")
    parser.add_argument(
        "--latency-ms", type=float, default=10.0, help="of each request to storage, with azure-storage (default 10)"
    )
    parser.add_argument("--baseline", default=BASELINE, help="the older commit (default %(default)s)")
    parser.add_argument("--json", type=Path, help="write the table as JSON to this file too")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)  # a folder: measure the app in it
    return parser


def _compare(typed: argparse.Namespace, console: Console) -> list[Compared]:
    with tempfile.TemporaryDirectory(prefix="bench-dispatcher-") as folder:
        apps = [ROOT]
        if extract_commit(typed.baseline, Path(folder)):
            apps.insert(0, Path(folder))
        before: list[Figure] = []
        after: list[Figure] = []
        for part in (typed.part,) if typed.part else PARTS:
            for app in apps:
                name = "this checkout" if app == ROOT else typed.baseline
                console.print(f"measuring the {part} of {name} ...")
                (after if app == ROOT else before).extend(_measure_apart(typed, part, app))
    return compare(before, after)


def _measure_apart(typed: argparse.Namespace, part: str, app: Path) -> list[Figure]:
    """Measure one part of the app in a folder in a process of its own."""
    options: dict[str, Any] = {name: getattr(typed, name) for name in ("vms", "events", "repeats", "storm", "engine")}
    options |= {"latency-ms": typed.latency_ms, "part": part, "measure": app}
    command = [sys.executable, "-m", "bench.dispatcher"]
    command += [text for name, value in options.items() for text in (f"--{name}", str(value))]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)  # noqa: S603 - our own arguments
    return figures_from(json.loads(done.stdout))


def _measure(typed: argparse.Namespace) -> list[Figure]:
    if typed.part == "storm":
        logging.disable(logging.WARNING)  # the engine warns of each message that it delivers again
        kind: EngineKind = typed.engine
        clock = Clock("virtual") if kind == "simulated" else Clock("real", 1.0)
        return run(lambda on: storm.play(on, typed.measure, typed.storm, kind, typed.latency_ms / 1000), clock)
    logging.disable(logging.ERROR)  # the lines of 10,000 swaps
    use_app(typed.measure)
    return list(dispatcher_state.measure(typed.vms, typed.events, typed.repeats))


if __name__ == "__main__":
    main()
