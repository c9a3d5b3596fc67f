"""Counts the queries of each caller: 15 in 5 seconds, reported in the headers of every answer.

Decides the quota headers and when a caller's quota is used up. Leaves the refusal to `service`.
https://learn.microsoft.com/azure/governance/resource-graph/concepts/guidance-for-throttled-requests
"""

from __future__ import annotations

import math

from simulator.clock import Clock

_QUERIES = 15
_WINDOW_S = 5.0


class Quota:
    """A fixed window per caller, on the simulator's clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._windows: dict[str, tuple[float, int]] = {}

    def exhausted(self, principal: str) -> bool:
        """Whether `principal` has no query left in this window."""
        opened, used = self._windows.get(principal, (0.0, 0))
        return used >= _QUERIES and self._clock.time() - opened < _WINDOW_S

    def spend(self, principal: str) -> dict[str, str]:
        """Count one query of `principal`; returns headers with the remaining quota and its time to reset (hh:mm:ss)."""
        now = self._clock.time()
        opened, used = self._windows.get(principal, (now, 0))
        if now - opened >= _WINDOW_S:
            opened, used = now, 0
        self._windows[principal] = (opened, used + 1)
        remaining = str(max(0, _QUERIES - used - 1))
        resets_s = math.ceil(opened + _WINDOW_S - now)
        return {
            "x-ms-ratelimit-remaining-tenant-resource-requests": remaining,
            "x-ms-user-quota-remaining": remaining,
            "x-ms-user-quota-resets-after": f"00:00:{resets_s:02d}",
        }
