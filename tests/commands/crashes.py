"""`make soak-crashes`: runs every crash scenario once for each boundary, with a worker crash or a lost hub there.

A crash must change nothing; after the loss of the hub the VM is started and its tag is decided again. Prints the number
of trials that passed, the rate, and every trial that failed.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Iterator
from functools import partial

from simulator.clock import Clock
from tests.support.chaos.boundaries import HIDDEN_S, CrashAt
from tests.support.chaos.crash_scenarios import STORIES, Story, boundaries_of, run_story
from tests.support.chaos.hub_losses import lose_hub_in, loss_boundaries

# Lost work is visible again at once, after a host's restart, or when the visibility timeout of Azure Storage ends.
REDELIVERIES_S = (0.0, 20.0, HIDDEN_S)
_REPORT_EVERY = 100

type Trial = tuple[str, Callable[[], None]]


def _crash(story: Story, number: int, after_s: float) -> None:
    crash = CrashAt(number, after_s)
    try:
        run_story(story, crash)
    except AssertionError as error:
        raise AssertionError(f"crash {crash.crashed}: {error}") from error


def _trials(story: Story, every: int) -> Iterator[Trial]:
    for number in range(0, len(boundaries_of(story)), every):
        for after_s in REDELIVERIES_S:
            yield (
                f"{story.name}, crash at {number}, visible again after {after_s:.0f} s",
                partial(_crash, story, number, after_s),
            )
    for number in loss_boundaries(story)[::every]:
        yield f"{story.name}, hub lost at {number}", partial(lose_hub_in, story, number)


def main() -> int:
    """Run the trials; the exit code is 1 when one failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.commands.crashes")
    parser.add_argument("--story", choices=[story.name for story in STORIES])
    parser.add_argument("--every", type=int, default=1, help="test every Nth boundary (default 1: every one)")
    typed = parser.parse_args()
    logging.disable(logging.CRITICAL)  # the Durable library logs a warning for every doubled answer
    began_s, count, failed = Clock.stopwatch(), 0, 0
    for story in (story for story in STORIES if typed.story in (None, story.name)):
        for what, trial in _trials(story, typed.every):
            count += 1
            try:
                trial()
            except AssertionError as error:
                failed += 1
                print(f"{what}: {str(error)[:600]}", flush=True)
            if count % _REPORT_EVERY == 0:
                print(f"{story.name}: {count - failed} of {count} survived", flush=True)
    took_s = Clock.stopwatch() - began_s
    print(f"{count - failed} of {count} survived in {took_s:.0f} s ({count / took_s * 60:.0f} a minute)")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
