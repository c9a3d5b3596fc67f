"""What resources were some seconds ago, for reads that a replica answers which lags behind.

Decides which earlier contents are kept, and which of them was valid at a time. Every place that may change a resource
calls `remember` first. Does not know faults and requests.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator.arm.core.ids import ResourceId
from simulator.arm.core.store import Record, Store
from simulator.clock import Clock

# The oldest content that a read can return.
LONGEST_S = 300.0


@dataclass(frozen=True)
class _Version:
    """The content of a resource until a simulated second, body and state packed; None: it did not exist.

    Most contents are never read, and packing takes a third of the time of a deep copy.
    """

    until_s: float
    packed: bytes | None
    id: ResourceId
    content: Any = None

    def record(self) -> Record | None:
        """The resource as it was."""
        if self.packed is None:
            return None
        body, state = pickle.loads(self.packed)  # noqa: S301 # packed by this process
        return Record(self.id, body, state, self.content)


class History:
    """Earlier contents of the resources that were written."""

    def __init__(self, clock: Clock, store: Store) -> None:
        self._clock, self._store = clock, store
        self._versions: dict[str, list[_Version]] = {}

    def remember(self, resource_id: ResourceId) -> None:
        """Keep the content of a resource up to now, also that it does not exist: a change may follow."""
        now_s, record = self._clock.time(), self._store.get(resource_id)
        kept = [each for each in self._versions.get(resource_id.key, ()) if each.until_s > now_s - LONGEST_S]
        if kept and kept[-1].until_s == now_s:
            return  # the content until now is kept already; a change in the same moment was never visible
        if record is None:
            version = _Version(now_s, None, resource_id)
        else:
            packed = pickle.dumps((record.body, record.state), pickle.HIGHEST_PROTOCOL)
            version = _Version(now_s, packed, record.id, record.content)
        self._versions[resource_id.key] = [*kept, version]

    def at(self, time_s: float) -> Mapping[str, Record | None]:
        """The resources by key that had another content at a simulated second; None: it did not exist."""
        found: dict[str, Record | None] = {}
        for key, versions in self._versions.items():
            version = next((each for each in versions if each.until_s > time_s), None)
            if version is not None:
                found[key] = version.record()
        return found

    def clear(self) -> None:
        """Start over."""
        self._versions.clear()
