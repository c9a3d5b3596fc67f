"""Log lines of a process in which time is simulated.

Decides their form: simulated UTC time as everywhere else in what the process says, level, logger, message. Refuses to
know who logs and where the lines go.
"""

from __future__ import annotations

import logging
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


def log_to(handler: logging.Handler, clock: Clock, level: int) -> None:
    """Have every logger write to `handler` in the time of `clock`, from `level` on; the app itself from INFO on."""
    handler.setFormatter(SimulatedTime(clock))
    # The worker repeats this about every function of every app.
    handler.addFilter(lambda record: "Auth level" not in record.getMessage())
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.getLogger("refresh").setLevel(logging.INFO)
