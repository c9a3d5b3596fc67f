"""`make soak N=1000`: that many drawn calamities befall small fleets; the same check as in the property tests.

Prints the seed, the rate, and when one ends badly the smallest such case that was found.
"""

from __future__ import annotations

import argparse
import logging
import sys

from hypothesis import HealthCheck, given, seed, settings

from simulator.clock import Clock
from tests.property.test_fleet_chaos import assert_ends_well
from tests.support.chaos import Calamity, calamities

_TELL_EVERY = 50


def main() -> int:
    """Run it; 1 when a calamity ended badly."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--examples", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    typed = parser.parse_args()
    logging.disable(logging.CRITICAL)  # the Durable library warns of every late answer, and these are made to be late
    began_s, count = Clock.stopwatch(), 0

    @seed(typed.seed)
    @settings(max_examples=typed.examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(calamities())
    def soak(calamity: Calamity) -> None:
        nonlocal count
        assert_ends_well(calamity)
        count += 1
        if count % _TELL_EVERY == 0:
            rate = count / (Clock.stopwatch() - began_s)
            print(f"{count} ended well, {rate * 60:.0f} a minute, seed {typed.seed}", flush=True)

    try:
        soak()
    except BaseException:
        print(f"seed {typed.seed}: one ended badly after {count} that ended well", file=sys.stderr)
        raise
    took_s = Clock.stopwatch() - began_s
    print(f"{count} of {count} ended well in {took_s:.0f} s ({count / took_s * 60:.0f} a minute), seed {typed.seed}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
