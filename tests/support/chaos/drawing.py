"""Selects the seeds of Hypothesis: fixed ones in `make test`, new ones in `make soak`.

Decides the seed, the database and the deadline of every drawn test; no test sets its own. Does not know what is drawn.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis.internal.conjecture.providers import HypothesisProvider
from hypothesis.internal.constants_ast import Constants

FIXED, NEW = "fixed", "new"

# No deadline: the duration of a draw depends on the machine. No database: it would draw earlier failures first.
settings.register_profile(FIXED, derandomize=True, database=None, deadline=None)
settings.register_profile(NEW, derandomize=False, database=None, deadline=None)


def draw_from(profile: str) -> None:
    """Use the seeds of `profile`, FIXED or NEW, for all draws that follow.

    Call it before tests are imported. Hypothesis adds constants from the loaded local modules to its draws, so the same
    seed would draw other values after other tests; this call removes those constants.
    https://github.com/HypothesisWorks/hypothesis/pull/4356
    """
    HypothesisProvider._local_constants = Constants()  # type: ignore[assignment]
    settings.load_profile(profile)
