"""The history of one orchestration execution, and functions that make its events.

Decides how events are made and stored. Does not know what they mean to an orchestrator.

Every turn sends the whole history, as in Azure, so the history is stored serialised: a turn copies bytes instead of
encoding every event again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from durabletask.internal import orchestrator_service_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp  # type: ignore[attr-defined] # protobuf makes it at run time
from google.protobuf.wrappers_pb2 import StringValue  # type: ignore[attr-defined]


class History:
    """Events in the order they happened, append only."""

    def __init__(self) -> None:
        self._wire = bytearray()

    def __bool__(self) -> bool:
        return bool(self._wire)

    def extend(self, events: Iterable[pb.HistoryEvent]) -> None:
        """Append events."""
        # Serialised protobuf messages of one type merge by concatenation, so a batch of past events can be appended.
        self._wire += pb.OrchestratorRequest(pastEvents=events).SerializeToString()

    def request(self, instance_id: str, execution_id: str, new_events: Iterable[pb.HistoryEvent]) -> bytes:
        """The serialised OrchestratorRequest of a turn: this history and the new events."""
        turn = pb.OrchestratorRequest(instanceId=instance_id, executionId=text(execution_id), newEvents=new_events)
        new: bytes = turn.SerializeToString()
        return bytes(self._wire) + new

    def events(self) -> list[pb.HistoryEvent]:
        """The events, decoded."""
        return list(pb.OrchestratorRequest.FromString(bytes(self._wire)).pastEvents)


def text(value: str | None) -> StringValue | None:
    """An optional string in protobuf's wrapper type."""
    return None if value is None else StringValue(value=value)


def optional(message: Any, field: str) -> str | None:
    """The optional string `field` of `message`, or None where it is not set."""
    return str(getattr(message, field).value) if message.HasField(field) else None


def optional_date(message: Any, field: str) -> datetime | None:
    """The optional date `field` of `message`, UTC, or None where it is not set."""
    if not message.HasField(field):
        return None
    moment: datetime = getattr(message, field).ToDatetime(tzinfo=UTC)
    return moment


def timestamp(at: datetime) -> Timestamp:
    """`at` as a protobuf timestamp."""
    stamp = Timestamp()
    stamp.FromDatetime(at)
    return stamp


def event(now: datetime, event_id: int = -1, **kind: Any) -> pb.HistoryEvent:
    """A history event of the one `kind` given, with `now` as its time."""
    return pb.HistoryEvent(eventId=event_id, timestamp=timestamp(now), **kind)


def failure_details(error_type: str, message: str, stack_trace: str | None = None) -> pb.TaskFailureDetails:
    """A failure in the form that tasks report."""
    return pb.TaskFailureDetails(errorType=error_type, errorMessage=message, stackTrace=text(stack_trace))
