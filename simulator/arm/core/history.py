"""What resources were some seconds ago, for reads that a replica answers which lags behind.

Decides which earlier contents are kept, and which of them was valid at a time. Every place that may change a resource
calls `remember` first. Does not know faults and requests.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace

from simulator.arm.core.ids import ResourceId
from simulator.arm.core.store import Record, Store
from simulator.clock import Clock

# The oldest content that a read can return.
LONGEST_S = 300.0


class History:
    """Earlier contents of the resources that were written."""

    def __init__(self, clock: Clock, store: Store) -> None:
        self._clock, self._store = clock, store
        self._versions: dict[str, list[tuple[float, Record | None]]] = {}

    def remember(self, resource_id: ResourceId) -> None:
        """Keep the content of a resource up to now, also that it does not exist: a change may follow."""
        now_s, record = self._clock.time(), self._store.get(resource_id)
        kept = [each for each in self._versions.get(resource_id.key, ()) if each[0] > now_s - LONGEST_S]
        if kept and kept[-1][0] == now_s:
            return  # the content until now is kept already; a change in the same moment was never visible
        content = record and replace(record, body=copy.deepcopy(record.body), state=copy.deepcopy(record.state))
        self._versions[resource_id.key] = [*kept, (now_s, content)]

    def at(self, time_s: float) -> Mapping[str, Record | None]:
        """The resources by key that had another content at a simulated second; None: it did not exist."""
        found: dict[str, Record | None] = {}
        for key, versions in self._versions.items():
            for until_s, record in versions:
                if until_s > time_s:
                    found[key] = record
                    break
        return found

    def clear(self) -> None:
        """Start over."""
        self._versions.clear()
