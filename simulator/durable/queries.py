"""What clients see of instances and entities: pages of them, filtered, in the messages of the gRPC protocol.

Decides filters, order and pages, as the Durable extension does on Azure Storage. Refuses to change anything.
https://github.com/Azure/durabletask/blob/main/src/DurableTask.AzureStorage/Tracking/OrchestrationInstanceStatusQueryCondition.cs
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from durabletask.internal import orchestrator_service_pb2 as pb

from simulator.durable.history import text, timestamp
from simulator.durable.records import Entity, Instance

_PAGE_SIZE = 100
# https://learn.microsoft.com/rest/api/storageservices/query-timeout-and-pagination
MOST_ON_A_PAGE = 1000


class PageTooLarge(ValueError):
    """A page of more rows than Azure Tables gives: it answers 400."""


def state_of(instance: Instance, *, with_input: bool, with_output: bool) -> pb.OrchestrationState:
    """An instance as clients see it; its input and its output only where they are asked for."""
    return pb.OrchestrationState(
        instanceId=instance.id,
        name=instance.name,
        version=text(instance.version),
        orchestrationStatus=instance.status,
        scheduledStartTimestamp=None if instance.scheduled_at is None else timestamp(instance.scheduled_at),
        createdTimestamp=timestamp(instance.created_at),
        lastUpdatedTimestamp=timestamp(instance.updated_at),
        completedTimestamp=None if instance.completed_at is None else timestamp(instance.completed_at),
        input=text(instance.input) if with_input else None,
        output=text(instance.output) if with_output else None,
        customStatus=text(instance.custom_status),
        failureDetails=instance.failure,
        executionId=text(instance.execution_id),
        parentInstanceId=text(instance.parent.address.instance_id) if instance.parent else None,
        tags=instance.tags,
    )


def instance_reply(instance: Instance | None, *, payloads: bool) -> pb.GetInstanceResponse:
    """The answer to a question for one instance, there or not."""
    if instance is None:
        return pb.GetInstanceResponse(exists=False)
    state = state_of(instance, with_input=payloads, with_output=payloads)
    return pb.GetInstanceResponse(exists=True, orchestrationState=state)


def query_instances(instances: Iterable[Instance], query: pb.InstanceQuery) -> pb.QueryInstancesResponse:
    """One page of instances in the order of their ids, each with its output, asked for or not. PageTooLarge."""
    matching = sorted(
        (
            instance
            for instance in instances
            if _in(instance.status, query.runtimeStatus)
            and _between(instance.created_at, query, "createdTimeFrom", "createdTimeTo")
            and instance.id.startswith(query.instanceIdPrefix.value)
        ),
        key=lambda instance: instance.id,
    )
    if not query.maxInstanceCount:  # a page of no rows has none, and no next one
        return pb.QueryInstancesResponse()
    page, token = _page(matching, query.continuationToken.value, query.maxInstanceCount)
    states = [state_of(instance, with_input=query.fetchInputsAndOutputs, with_output=True) for instance in page]
    return pb.QueryInstancesResponse(orchestrationState=states, continuationToken=text(token))


def list_instance_ids(instances: Iterable[Instance], request: pb.ListInstanceIdsRequest) -> pb.ListInstanceIdsResponse:
    """One page of the ids of instances that ended, in the order they ended; the page's key is its last id's place."""
    ended = sorted(
        (instance.completed_at.isoformat(), instance.id)
        for instance in instances
        if instance.completed_at is not None
        and _in(instance.status, request.runtimeStatus)
        and _between(instance.completed_at, request, "completedTimeFrom", "completedTimeTo")
    )
    begin = 0
    if request.lastInstanceKey.value:
        at, _, instance_id = request.lastInstanceKey.value.partition("|")
        begin = bisect_right(ended, (at, instance_id))
    page = ended[begin : begin + (request.pageSize or _PAGE_SIZE)]
    more = begin + len(page) < len(ended)
    key = "|".join(page[-1]) if page and more else None
    return pb.ListInstanceIdsResponse(instanceIds=[instance_id for _, instance_id in page], lastInstanceKey=text(key))


def to_purge(instances: Iterable[Instance], chosen: pb.PurgeInstanceFilter) -> list[str]:
    """The ids of ended instances that a purge filter chooses."""
    return [
        instance.id
        for instance in instances
        if instance.ended
        and _in(instance.status, chosen.runtimeStatus)
        and _between(instance.created_at, chosen, "createdTimeFrom", "createdTimeTo")
    ]


def metadata_of(entity: Entity, *, state: bool) -> pb.EntityMetadata:
    """An entity as clients see it; its state only with `state`."""
    return pb.EntityMetadata(
        instanceId=entity.id,
        lastModifiedTime=timestamp(entity.updated_at),
        backlogQueueSize=len(entity.inbox),
        serializedState=text(entity.state) if state else None,
    )


def query_entities(entities: Iterable[Entity], query: pb.EntityQuery) -> pb.QueryEntitiesResponse:
    """One page of entities by id; those without a state only if the query includes transient ones. PageTooLarge."""
    matching = sorted(
        (
            entity
            for entity in entities
            if (query.includeTransient or entity.state is not None)
            and _between(entity.updated_at, query, "lastModifiedFrom", "lastModifiedTo")
            and entity.id.startswith(query.instanceIdStartsWith.value)
        ),
        key=lambda entity: entity.id,
    )
    page, token = _page(matching, query.continuationToken.value, query.pageSize.value or MOST_ON_A_PAGE)
    metadata = [metadata_of(entity, state=query.includeState) for entity in page]
    return pb.QueryEntitiesResponse(entities=metadata, continuationToken=text(token))


def _in(status: pb.OrchestrationStatus, wanted: Sequence[pb.OrchestrationStatus]) -> bool:
    return not wanted or status in wanted


def _between(moment: datetime, query: Any, first: str, end: str) -> bool:
    def bound(name: str, holds: Callable[[datetime], bool]) -> bool:
        return not query.HasField(name) or holds(getattr(query, name).ToDatetime(tzinfo=UTC))

    return bound(first, lambda at: moment >= at) and bound(end, lambda at: moment <= at)


def _page[Row](rows: list[Row], token: str, size: int) -> tuple[list[Row], str | None]:
    if size > MOST_ON_A_PAGE:
        raise PageTooLarge(size)
    begin = int(token) if token.isdigit() else 0
    end = begin + size
    return rows[begin:end], str(end) if end < len(rows) else None
