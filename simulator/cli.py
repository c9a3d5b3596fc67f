"""The command line: `python -m simulator serve|up|demo`.

Decides which arguments are valid and which module runs. `serve` is the local Azure alone, `up` adds the local Functions
host with the app in this directory, `demo` runs a demonstration. When everything listens, `serve` and `up` print one
line of JSON on stdout; `up` leaves it out in a terminal.
"""

from __future__ import annotations

import argparse
import asyncio
import errno
import json
import math
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn, override

from simulator.arm.front.seeding import BodyError
from simulator.clock import Clock, ClockKind, run
from simulator.engine.kinds import ENGINES, EngineKind
from simulator.scenarios import ScenarioError, names
from simulator.world import Endpoints, Simulator, StartError

DEFAULT_PORT = 7080
DEFAULT_TLS_PORT = 7443
DEFAULT_FUNCTIONS_PORT = 7071
_DEMO_SPEED_LIMIT = 30


@dataclass(frozen=True)
class Options:
    """The arguments. `speed` is simulated seconds per real second; port 0 is any; `svg` is the file of a picture."""

    command: str
    port: int
    tls_port: int
    functions_port: int
    speed: float
    clock: ClockKind
    seed: int
    scenario: str | None
    engine: EngineKind
    svg: Path | None = None
    verbose: bool = False

    def make_clock(self) -> Clock:
        """The clock of `--clock` and `--speed`."""
        return Clock(self.clock, self.speed)

    def make_simulator(self, clock: Clock) -> Simulator:
        """The simulator of the arguments, on `clock`."""
        return Simulator(clock, ports=(self.port, self.tls_port), seed=self.seed, scenario=self.scenario)


class _Parser(argparse.ArgumentParser):
    """Ends with one line for wrong arguments instead of the whole usage."""

    @override
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"simulator: {message}; `{self.prog} --help` lists the arguments\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out `arguments` (default: the command line); the exit code."""
    options = parse(arguments)
    if options.command == "serve":
        return _report_errors(lambda: run(lambda clock: end_in_order(_serve(options, clock), 0), options.make_clock()))
    # Imported only when needed: `serve` needs neither the Functions runtime nor the demo's terminal.
    module = import_module("simulator.up" if options.command == "up" else "simulator.demo")
    return _report_errors(lambda: int(module.main(options)))


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Read the command line; exits with code 2 and one line when it is not valid."""
    parser = _Parser(
        prog="python -m simulator",
        description="A local Azure on loopback: serve is Azure alone, up adds the app, demo runs a month, a tag edit "
        "and a rollback.",
    )
    parser.add_argument("command", choices=("serve", "up", "demo"))
    parser.add_argument("--port", type=_port, default=DEFAULT_PORT, help="http, 0 = any (default %(default)s)")
    parser.add_argument("--tls-port", type=_port, default=DEFAULT_TLS_PORT, help="https, 0 = any (default %(default)s)")
    parser.add_argument("--functions-port", type=_port, default=DEFAULT_FUNCTIONS_PORT, help="0 = any (default 7071)")
    parser.add_argument("--speed", type=_speed, default=1.0, help="simulated seconds per real second (default 1)")
    parser.add_argument("--clock", choices=("real", "virtual"), default="real")
    parser.add_argument("--seed", type=int, default=0, help="of durations and everything else that is random")
    parser.add_argument("--scenario", metavar="NAME|FILE", help=f"a JSON list of ARM bodies, or: {', '.join(names())}")
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        default="simulated",
        help="what runs the durable functions of up and demo: the simulator's hub, or Microsoft's Durable extension on "
        "Azurite, in real time (default %(default)s)",
    )
    parser.add_argument("--svg", type=Path, metavar="FILE", help="demo: write the output to FILE as a picture as well")
    parser.add_argument("--verbose", action="store_true", help="up: show the app's log in the terminal as well")
    typed = parser.parse_args(arguments)
    if typed.svg is not None and typed.command != "demo":
        parser.error(f"--svg makes a picture of demo; {typed.command} has none")
    if typed.verbose and typed.command != "up":
        parser.error("--verbose belongs to up: it shows the app's log")
    if typed.svg is not None and not typed.svg.absolute().parent.is_dir():
        parser.error(f"--svg: there is no folder {typed.svg.absolute().parent}")
    if typed.engine != "simulated":
        if typed.command == "serve":
            parser.error("serve runs no app, so --engine belongs to up and demo")
        if typed.clock == "virtual" or typed.speed != 1.0:
            parser.error(f"--engine {typed.engine} runs in real time: leave out --clock virtual and --speed")
    if typed.command == "serve" and typed.clock == "virtual":
        parser.error(
            "serve runs on the real clock only: a virtual clock jumps ahead when nothing is runnable in its own "
            "process, and a client of serve is another process"
        )
    if typed.command == "demo" and typed.speed > _DEMO_SPEED_LIMIT:
        parser.error(
            f"demo runs at speed {_DEMO_SPEED_LIMIT} at most: beyond it the overhead of this machine counts as downtime"
        )
    if typed.command == "demo" and typed.scenario not in (None, "demo"):
        parser.error(f"demo has its own fleet; `up --scenario {typed.scenario}` takes yours")
    return Options(**vars(typed))


async def end_in_order(work: Coroutine[Any, Any, int], on_signal: int | None = None) -> int:
    """The exit code of `work`, which SIGTERM and SIGINT cancel, so that it closes and removes what it has opened.

    After a signal the exit code is `on_signal`: 0 for work that runs until a signal; None means 128 and the signal.
    """
    task, signals = asyncio.ensure_future(work), list[int]()

    def cancel(number: int) -> None:
        signals.append(number)
        task.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, cancel, number)
    try:
        return await task
    except asyncio.CancelledError:
        if not signals:
            raise
        return 128 + signals[0] if on_signal is None else on_signal


async def forever() -> None:
    """Never returns; ends by being cancelled."""
    await asyncio.Event().wait()


def announce(endpoints: Endpoints) -> None:
    """Print the endpoints as one line of JSON."""
    print(json.dumps(endpoints.to_json()), flush=True)


async def _serve(options: Options, clock: Clock) -> int:
    async with options.make_simulator(clock) as simulator:
        assert simulator.endpoints is not None
        announce(simulator.endpoints)
        await forever()
    return 0


def _report_errors(command: Callable[[], int]) -> int:
    """Run `command`; errors that the user can correct are one sentence instead of a stack trace."""
    try:
        return command()
    except (ScenarioError, BodyError, StartError, OSError) as error:
        print(f"simulator: {error}{_cure(error)}", file=sys.stderr)
        return 2


def _cure(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return "; end the process that listens there, or choose with --port, --tls-port and --functions-port (0 is any)"
    return ""


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a port")
    return int(text)


def _speed(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not a number") from None
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not greater than 0 and finite")
    return number
