"""The store: every resource of the simulated Azure, by id without case.

Decides identity, order and how long a deleted id counts as just deleted. Ids keep the casing of their first write. Does
not know what a resource means: providers keep their own state beside the body.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from simulator.arm.core.ids import ResourceId

type Json = dict[str, Any]

# How long the front end still routes reads of a deleted resource to its provider, which answers its own "not found".
_DELETED_KNOWN_S = 60.0


@dataclass
class Record:
    """One resource: its id, its ARM body and the state of its provider, which no answer contains.

    `content` describes what is on a disk or in an image.
    """

    id: ResourceId
    body: Json
    state: Any = None
    content: Any = None

    @property
    def properties(self) -> Json:
        """The body's `properties`, added when missing."""
        properties: Json = self.body.setdefault("properties", {})
        return properties

    @property
    def location(self) -> str:
        """The resource's location, normalised: `West US` and `westus` are one."""
        return normal_location(str(self.body.get("location", "")))


def normal_location(location: str) -> str:
    """A location's short name: lower case, no spaces."""
    return location.replace(" ", "").lower()


class Store:
    """All resources and subscriptions."""

    def __init__(self) -> None:
        self._records: dict[str, Record] = {}
        self._by_type: dict[str, dict[str, Record]] = {}
        self._sorted: dict[str, list[str]] = {}
        self._deleted_at: dict[str, float] = {}
        self.subscriptions: dict[str, Json] = {}

    def get(self, resource_id: ResourceId | str) -> Record | None:
        """The resource with that id in any casing."""
        return self._records.get(resource_id.lower() if isinstance(resource_id, str) else resource_id.key)

    def put(self, record: Record) -> Record:
        """Add `record`, or replace the one with its id."""
        key, kind = record.id.key, record.id.type.lower()
        if key not in self._records:
            self._sorted.pop(kind, None)
        self._records[key] = record
        self._by_type.setdefault(kind, {})[key] = record
        self._deleted_at.pop(key, None)
        return record

    def delete(self, record: Record, at_s: float) -> None:
        """Remove `record` at simulated second `at_s`; for a while `was_just_deleted` is true for its id."""
        key, kind = record.id.key, record.id.type.lower()
        if self._records.pop(key, None) is not None:
            del self._by_type[kind][key]
            self._sorted.pop(kind, None)
            self._deleted_at[key] = at_s

    def was_just_deleted(self, resource_id: ResourceId, now_s: float) -> bool:
        """Whether the id was deleted so recently that its provider still answers requests for it."""
        at = self._deleted_at.get(resource_id.key)
        return at is not None and now_s - at < _DELETED_KNOWN_S

    def of_type(self, kind: str) -> Iterator[Record]:
        """Every resource of a type (any casing), ordered by id."""
        return self.page(kind, after="")

    def page(self, kind: str, after: str) -> Iterator[Record]:
        """Resources of a type ordered by id, only those after the id `after`."""
        kind = kind.lower()
        records = self._by_type.get(kind, {})
        keys = self._sorted.get(kind)
        if keys is None:
            keys = self._sorted[kind] = sorted(records)
        for key in keys[bisect_right(keys, after) :]:
            if (record := records.get(key)) is not None:
                yield record

    def below(self, resource_id: ResourceId) -> Iterator[Record]:
        """Every resource whose id lies below `resource_id`."""
        prefix = resource_id.key + "/"
        return iter([record for key, record in self._records.items() if key.startswith(prefix)])

    @contextmanager
    def showing(self, contents: Mapping[str, Record | None]) -> Iterator[None]:
        """Inside the block the store has `contents` by key instead of its own; None: no such resource."""
        actual = self._records, self._by_type, self._sorted
        shown = {**self._records, **contents}
        self._records = {key: record for key, record in shown.items() if record is not None}
        self._by_type, self._sorted = {}, {}
        for key, record in self._records.items():
            self._by_type.setdefault(record.id.type.lower(), {})[key] = record
        try:
            yield
        finally:
            self._records, self._by_type, self._sorted = actual

    def everything(self) -> Iterator[Record]:
        """Every resource, groups included, in the order of their first write."""
        return iter(self._records.values())

    def clear(self) -> None:
        """Remove everything."""
        for index in (self._records, self._by_type, self._sorted, self._deleted_at, self.subscriptions):
            index.clear()
