"""`make soak-crashes`: a worker dies at every boundary of every story, one death a story; each must end as it would.

Prints how many deaths were survived, the rate, and every one that was not.
"""

from __future__ import annotations

import argparse
import logging
import sys

from simulator.clock import Clock
from tests.support.boundaries import DieAt
from tests.support.crash_stories import STORIES, Story, boundaries_of, tell

# What was lost is visible again at once, after a host's restart, or when Azure Storage hides it no longer.
REDELIVERIES_S = (0.0, 20.0, 300.0)
_TELL_EVERY = 100


def survive(story: Story, number: int, after_s: float) -> str | None:
    """Tell a story with the death at that boundary; None when it ended well, else what was wrong."""
    death = DieAt(number, after_s)
    try:
        tell(story, death)
    except AssertionError as error:
        return f"{story.name} {number}, seen again after {after_s:.0f} s: {death.died}: {str(error)[:300]}"
    return None


def main() -> int:
    """Run it; 1 when a death was not survived."""
    parser = argparse.ArgumentParser(prog="python -m tests.crashes")
    parser.add_argument("--story", choices=[story.name for story in STORIES])
    parser.add_argument("--every", type=int, default=1, help="only every so many boundaries")
    typed = parser.parse_args()
    logging.disable(logging.CRITICAL)  # the Durable library warns of every answer that comes twice
    began_s, count, lost = Clock.stopwatch(), 0, 0
    for story in STORIES:
        if typed.story not in (None, story.name):
            continue
        numbers = range(0, len(boundaries_of(story)), typed.every)
        print(f"{story.name}: {len(numbers)} boundaries, {len(REDELIVERIES_S)} deaths at each", flush=True)
        for number in numbers:
            for after_s in REDELIVERIES_S:
                count += 1
                fault = survive(story, number, after_s)
                if fault is not None:
                    lost += 1
                    print(fault, flush=True)
            if count % _TELL_EVERY < len(REDELIVERIES_S):
                print(f"{count - lost} of {count} survived, {Clock.stopwatch() - began_s:.0f} s", flush=True)
    took_s = Clock.stopwatch() - began_s
    print(f"{count - lost} of {count} deaths survived in {took_s:.0f} s ({count / took_s * 60:.0f} a minute)")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
