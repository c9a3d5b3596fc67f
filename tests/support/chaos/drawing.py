"""Where drawn tests and stories get their seeds: `make test` draws from fixed ones, `make soak` from new ones.

Decides nothing of what is drawn. The only place that says so: tests name no seed, no database and no deadline of their
own.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis.internal.conjecture.providers import HypothesisProvider
from hypothesis.internal.constants_ast import Constants

FIXED, NEW = "fixed", "new"

# No deadline: how long a draw takes depends on the machine. No database: what failed once would be drawn first.
settings.register_profile(FIXED, derandomize=True, database=None, deadline=None)
settings.register_profile(NEW, derandomize=False, database=None, deadline=None)


def draw_from(profile: str) -> None:
    """Let everything that is drawn from now on have seeds of `profile`, FIXED or NEW.

    To be called before tests are imported. Hypothesis mixes constants that it finds in whatever local modules are
    loaded into its draws, so that the same seed draws something else after other tests; here it finds none.
    https://github.com/HypothesisWorks/hypothesis/pull/4356
    """
    HypothesisProvider._local_constants = Constants()  # type: ignore[assignment]
    settings.load_profile(profile)
