"""Which events a subscription receives.

Decides how a filter matches: all its parts must match, a part matches with any of its values, and case is ignored.
https://learn.microsoft.com/azure/event-grid/event-filtering
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Filters:
    """Event types, operation names and parts of the subject to receive; an empty tuple matches all."""

    event_types: tuple[str, ...] = ()
    operation_names: tuple[str, ...] = ()
    subject_contains: tuple[str, ...] = ()

    def match(self, event: Mapping[str, Any]) -> bool:
        """Whether `event` (Event Grid schema) passes."""
        return (
            _one_of(event["eventType"], self.event_types)
            and _one_of(event["data"]["operationName"], self.operation_names)
            and _contains(event["subject"], self.subject_contains)
        )


DEFAULT = Filters(
    event_types=("Microsoft.Resources.ResourceWriteSuccess",),
    operation_names=("Microsoft.Resources/tags/write", "Microsoft.Compute/virtualMachines/write"),
    subject_contains=("/providers/Microsoft.Compute/virtualMachines/",),
)


def _one_of(value: str, wanted: tuple[str, ...]) -> bool:
    return not wanted or value.lower() in {item.lower() for item in wanted}


def _contains(value: str, wanted: tuple[str, ...]) -> bool:
    return not wanted or any(item.lower() in value.lower() for item in wanted)
