"""Formats the log lines of a process with simulated time.

Decides the format: simulated UTC time, as in all other output of the process, then level, logger and message. Leaves
the destination of the lines to the caller.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import override

from simulator.clock import Clock

_FORM = "%(asctime)s %(levelname)s %(name)s %(message)s"


class SimulatedTime(logging.Formatter):
    """Formats records with the time of `clock`."""

    def __init__(self, clock: Clock) -> None:
        """Make a formatter. The time is read when a record is formatted."""
        super().__init__(_FORM)
        self._clock = clock

    @override
    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return self._clock.now().isoformat(timespec="seconds")


@contextmanager
def logged(handler: logging.Handler, clock: Clock, level: int) -> Iterator[None]:
    """Make every logger write to `handler` with the time of `clock`, from `level` on; the app's loggers from INFO on.

    After the block nothing is logged: the app's connections are never closed, as in Azure, and Python's warnings about
    them at exit would come after the clock has ended.
    """
    handler.setFormatter(SimulatedTime(clock))
    # The worker logs this line for every function of every app.
    handler.addFilter(lambda record: "Auth level" not in record.getMessage())
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.getLogger("refresh").setLevel(logging.INFO)
    try:
        yield
    finally:
        logging.basicConfig(handlers=[logging.NullHandler()], force=True)
