"""Log lines of a process in which time is simulated.

Decides their form: simulated UTC time as everywhere else in what the process says, level, logger, message. Refuses to
know who logs and where the lines go.
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
        """Make it; the time is read when a record is formatted."""
        super().__init__(_FORM)
        self._clock = clock

    @override
    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return self._clock.now().isoformat(timespec="seconds")


@contextmanager
def logged(handler: logging.Handler, clock: Clock, level: int) -> Iterator[None]:
    """Have every logger write to `handler` in the time of `clock`, from `level` on; the app itself from INFO on.

    Afterwards nothing is written any more: nobody closes the app's connections, in Azure neither, and what Python says
    about them while it ends would come when there is no clock left to ask.
    """
    handler.setFormatter(SimulatedTime(clock))
    # The worker repeats this about every function of every app.
    handler.addFilter(lambda record: "Auth level" not in record.getMessage())
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.getLogger("refresh").setLevel(logging.INFO)
    try:
        yield
    finally:
        logging.basicConfig(handlers=[logging.NullHandler()], force=True)
