"""`make soak N=1000`: runs that many random failure scenarios; `--stories` selects the kind.

Prints the seed first, a new one each time, then the rate, and the smallest scenario that failed. `--lot` scenarios form
a lot; each lot has its own process and its own seed, and `--jobs` lots run at a time. A scenario that fails ends its
lot; the other lots go on.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import logging
import os
import pkgutil
import secrets
import sys
from collections.abc import Callable

from hypothesis import given, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

import refresh
from simulator.clock import Clock
from tests.support.chaos.conflicting_fleet import ConflictingFleetScenario
from tests.support.chaos.disturbances import Disturbance, disturbances
from tests.support.chaos.drawing import NEW, draw_from
from tests.support.chaos.fleet_scenario import FleetScenario, drawn
from tests.support.chaos.isolation_story import assert_isolated, run_story, undisturbed
from tests.support.chaos.recipe_scenario import BuildFaults, build_faults, play

_REPORT_EVERY = 50
_SEEDS = 10_000_000


def main() -> int:
    """Run the scenarios; the exit code is 1 when one failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.commands.soak")
    parser.add_argument("--stories", choices=sorted(_SOAKS), default="fleets", help="which scenarios to run")
    parser.add_argument("--examples", type=int, default=1000, help="how many scenarios")
    parser.add_argument("--seed", type=int, help="of the first lot; the others count up from it; default: a new seed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many lots run at the same time")
    parser.add_argument("--lot", type=int, default=500, help="how many scenarios share one seed")
    typed = parser.parse_args()
    if typed.seed is None:
        typed.seed = secrets.randbelow(_SEEDS)
        print(f"seed {typed.seed}: SOAK_SEED={typed.seed} repeats these scenarios", flush=True)
    if typed.examples > typed.lot:
        return asyncio.run(_share(typed.stories, typed.examples, typed.seed, typed.jobs, typed.lot))
    return _soak(typed.stories, typed.examples, typed.seed)


async def _share(stories: str, examples: int, first_seed: int, jobs: int, lot: int) -> int:
    began_s = Clock.stopwatch()
    sizes = [min(lot, examples - done) for done in range(0, examples, lot)]
    free = asyncio.Semaphore(jobs)

    async def play_lot(number: int, size: int) -> int:
        counts = ("--examples", str(size), "--lot", str(size), "--seed", str(first_seed + number))
        arguments = ("--stories", stories, *counts)
        async with free:
            process = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.commands.soak", *arguments)
            return await process.wait()

    codes = await asyncio.gather(*(play_lot(number, size) for number, size in enumerate(sizes)))
    took_s = Clock.stopwatch() - began_s
    bad = [first_seed + number for number, code in enumerate(codes) if code]
    passed = sum(size for size, code in zip(sizes, codes, strict=True) if not code)
    rate = (
        f"in {took_s:.0f} s ({passed / took_s * 60:.0f} a minute), seeds {first_seed} to {first_seed + len(sizes) - 1}"
    )
    print(f"{passed} of {examples} scenarios in lots without a failure {rate}")
    if bad:
        print(f"a scenario failed in the lots with seed {', '.join(map(str, bad))}", file=sys.stderr)
    return bool(bad)


def _soak(stories: str, examples: int, lot_seed: int) -> int:
    logging.disable(logging.CRITICAL)  # the Durable library logs a warning for every late answer; here many are late
    _import_app()
    draw_from(NEW)
    began_s, count = Clock.stopwatch(), 0

    def count_one() -> None:
        nonlocal count
        count += 1
        if count % _REPORT_EVERY == 0:
            rate = count / (Clock.stopwatch() - began_s)
            print(f"seed {lot_seed}: {count} ended well, {rate * 60:.0f} a minute", flush=True)

    try:
        _SOAKS[stories](examples, lot_seed, count_one)
    except BaseException:
        print(f"seed {lot_seed}: a scenario failed after about {count} that ended well", file=sys.stderr)
        raise
    took_s = Clock.stopwatch() - began_s
    print(f"seed {lot_seed}: {count} ended well in {took_s:.0f} s ({count / took_s * 60:.0f} a minute)")
    return 0


def _soak_fleets(
    examples: int, lot_seed: int, ended_well: Callable[[], None], kind: type[FleetScenario] = FleetScenario
) -> None:
    @seed(lot_seed)
    class Counted(kind):  # type: ignore[misc, valid-type]  # the kind of scenario is an argument
        def teardown(self) -> None:
            super().teardown()
            ended_well()

    run_state_machine_as_test(Counted, settings=drawn(examples))


def _soak_recipes(examples: int, lot_seed: int, ended_well: Callable[[], None]) -> None:
    @seed(lot_seed)
    @settings(max_examples=examples)
    @given(build_faults())
    def counted(faults: BuildFaults) -> None:
        play(faults)
        ended_well()

    counted()


def _soak_isolation(examples: int, lot_seed: int, ended_well: Callable[[], None]) -> None:
    @seed(lot_seed)
    @settings(max_examples=examples)
    @given(disturbances(), st.booleans())
    def counted(disturbance: Disturbance, paused: bool) -> None:
        assert_isolated(run_story(disturbance, paused=paused), undisturbed(paused=paused), disturbance)
        ended_well()

    counted()


def _soak_conflicts(examples: int, lot_seed: int, ended_well: Callable[[], None]) -> None:
    _soak_fleets(examples, lot_seed, ended_well, ConflictingFleetScenario)


_SOAKS = {
    "fleets": _soak_fleets,
    "conflicts": _soak_conflicts,
    "recipes": _soak_recipes,
    "isolation": _soak_isolation,
}


def _import_app() -> None:
    """Import the app's modules once: the host unloads only what it imported, and imports are a fifth of a scenario."""
    for module in pkgutil.walk_packages(refresh.__path__, "refresh."):
        importlib.import_module(module.name)


if __name__ == "__main__":
    sys.exit(main())
