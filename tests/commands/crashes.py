"""`make soak-crashes`: at every boundary of every story a worker dies, or the whole hub is lost, once a story.

A death must change nothing; after a loss the VM comes up and its wish is decided anew. Prints how many were survived,
the rate, and every one that was not.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Iterator
from functools import partial

from simulator.clock import Clock
from tests.support.chaos.boundaries import HIDDEN_S, DieAt
from tests.support.chaos.crash_scenarios import STORIES, Story, boundaries_of, tell
from tests.support.chaos.hub_losses import lose_hub_in, places_to_lose_it

# What was lost is visible again at once, after a host's restart, or when Azure Storage hides it no longer.
REDELIVERIES_S = (0.0, 20.0, HIDDEN_S)
_TELL_EVERY = 100

type Trial = tuple[str, Callable[[], None]]


def _die(story: Story, number: int, after_s: float) -> None:
    death = DieAt(number, after_s)
    try:
        tell(story, death)
    except AssertionError as error:
        raise AssertionError(f"died {death.died}: {error}") from error


def _trials(story: Story, every: int) -> Iterator[Trial]:
    for number in range(0, len(boundaries_of(story)), every):
        for after_s in REDELIVERIES_S:
            yield (
                f"{story.name}, death at {number}, seen again after {after_s:.0f} s",
                partial(_die, story, number, after_s),
            )
    for number in places_to_lose_it(story)[::every]:
        yield f"{story.name}, hub lost at {number}", partial(lose_hub_in, story, number)


def main() -> int:
    """Run it; 1 when one was not survived."""
    parser = argparse.ArgumentParser(prog="python -m tests.commands.crashes")
    parser.add_argument("--story", choices=[story.name for story in STORIES])
    parser.add_argument("--every", type=int, default=1, help="only every so many boundaries")
    typed = parser.parse_args()
    logging.disable(logging.CRITICAL)  # the Durable library warns of every answer that comes twice
    began_s, count, lost = Clock.stopwatch(), 0, 0
    for story in (story for story in STORIES if typed.story in (None, story.name)):
        for what, trial in _trials(story, typed.every):
            count += 1
            try:
                trial()
            except AssertionError as error:
                lost += 1
                print(f"{what}: {str(error)[:600]}", flush=True)
            if count % _TELL_EVERY == 0:
                print(f"{story.name}: {count - lost} of {count} survived", flush=True)
    took_s = Clock.stopwatch() - began_s
    print(f"{count - lost} of {count} survived in {took_s:.0f} s ({count / took_s * 60:.0f} a minute)")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
