"""The requests that the Durable extension refuses, with its gRPC status and its wording.

Decides whether a request is valid for its instance. Changes nothing.
https://github.com/Azure/azure-functions-durable-extension/blob/dev/src/WebJobs.Extensions.DurableTask/LocalGrpcListener.cs
"""

from __future__ import annotations

import uuid
from typing import Literal

import grpc
from durabletask.internal import orchestrator_service_pb2 as pb

from simulator.durable.records import TERMINAL

type Status = pb.OrchestrationStatus | None
Management = Literal["terminate", "suspend", "resume"]

_PENDING, _RUNNING = pb.ORCHESTRATION_STATUS_PENDING, pb.ORCHESTRATION_STATUS_RUNNING
_SUSPENDED = pb.ORCHESTRATION_STATUS_SUSPENDED
_POSSIBLE: dict[Management, frozenset[pb.OrchestrationStatus]] = {
    "terminate": frozenset({_PENDING, _RUNNING, _SUSPENDED}),
    "suspend": frozenset({_PENDING, _RUNNING}),
    "resume": frozenset({_SUSPENDED}),
}


class Refused(Exception):
    """A client's request is refused with gRPC status `code`."""

    def __init__(self, code: grpc.StatusCode, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


def unknown() -> Refused:
    """The error for an exception that the extension does not handle."""
    return Refused(grpc.StatusCode.UNKNOWN, "Exception was thrown by handler.")


def exists_already(instance_id: str) -> Refused:
    """The error for a start of an id that is in use."""
    text = f"An Orchestration instance with the ID {instance_id} already exists."
    return Refused(grpc.StatusCode.ALREADY_EXISTS, text)


def no_history(instance_id: str) -> Refused:
    """The error for the history of an instance that does not exist."""
    return Refused(grpc.StatusCode.NOT_FOUND, f"Orchestration instance with ID {instance_id} was not found.")


def check_event(name: str, status: Status, instance_id: str) -> None:
    """Raises Refused unless an event called `name` can be raised for the instance."""
    if not name:
        raise Refused(grpc.StatusCode.INVALID_ARGUMENT, "Value cannot be null. (Parameter 'eventName')")
    if status is None:
        raise _not_found(instance_id)
    if status in TERMINAL:
        text = "The orchestration instance with the provided instance id is not running."
        raise Refused(grpc.StatusCode.FAILED_PRECONDITION, text)


def check_management(verb: Management, status: Status, instance_id: str) -> None:
    """Raises Refused unless the instance can be terminated, suspended or resumed."""
    if status is None:
        raise _not_found(instance_id, "ArgumentException: ")
    if status not in _POSSIBLE[verb]:
        what = f"Cannot {verb} the orchestration instance {instance_id}"
        text = f"InvalidOperationException: {what} because instance is in the {_name(status)} state."
        raise Refused(grpc.StatusCode.FAILED_PRECONDITION, text)


def check_rewind(status: Status, instance_id: str) -> None:
    """Raises Refused unless the instance failed."""
    if status is None:
        raise _not_found(instance_id)
    if status != pb.ORCHESTRATION_STATUS_FAILED:
        text = "The rewind operation is only supported on failed orchestration instances."
        raise Refused(grpc.StatusCode.FAILED_PRECONDITION, text)


def check_restart(status: Status, instance_id: str, *, new_id: bool) -> None:
    """Raises Refused unless the instance has ended, or `new_id`: the restart gets an id of its own."""
    if status is None:
        raise _not_found(instance_id, "ArgumentException: ")
    if status not in TERMINAL and not new_id:
        why = f"An Orchestration instance with the status {_name(status)} already exists."
        text = f"Non-terminal instance with this instance ID already exists: {why}"
        raise Refused(grpc.StatusCode.FAILED_PRECONDITION, text)


def check_purge(status: Status, instance_id: str) -> None:
    """Raises Refused while the instance runs. Purging an instance that does not exist is accepted."""
    if status is not None and status not in TERMINAL:
        what = f"the orchestration with instance ID {instance_id} has status {_name(status)}"
        text = f"Only orchestrations in a terminal state can be purged, but {what}"
        raise Refused(grpc.StatusCode.FAILED_PRECONDITION, text)


def check_request_id(request_id: str) -> None:
    """Raises Refused unless the id of a signal is a GUID."""
    try:
        uuid.UUID(request_id)
    except ValueError as error:
        raise unknown() from error


def check_entity_id(entity_id: str) -> None:
    """Raises Refused unless the id is `@name@key`."""
    if not entity_id.startswith("@") or not entity_id[1:].partition("@")[1]:
        raise unknown()


def _not_found(instance_id: str, prefix: str = "") -> Refused:
    text = f"{prefix}No instance with ID '{instance_id}' was found. (Parameter 'instanceId')"
    return Refused(grpc.StatusCode.NOT_FOUND, text)


def _name(status: pb.OrchestrationStatus) -> str:
    name: str = pb.OrchestrationStatus.Name(status)  # type: ignore[attr-defined] # protobuf makes it at run time
    return name.removeprefix("ORCHESTRATION_STATUS_").capitalize()
