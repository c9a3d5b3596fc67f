"""Answers clients' queries for instances and entities, single ones and pages, as messages of the gRPC protocol.

Decides filters, order and pages as the Azure Storage provider does, whose tables are sorted by instance id. Changes
nothing.
https://github.com/Azure/durabletask/blob/main/src/DurableTask.AzureStorage/Tracking/OrchestrationInstanceStatusQueryCondition.cs
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from durabletask.internal import orchestrator_service_pb2 as pb

from simulator.durable.history import text, timestamp
from simulator.durable.records import TERMINAL, Entity, Instance

# Azure Tables refuses a larger page. https://learn.microsoft.com/rest/api/storageservices/query-timeout-and-pagination
_MAX_PAGE = 1000
_DEFAULT_ENTITY_PAGE = 100


class PageRefused(ValueError):
    """Azure Tables refuses a page of this size."""


class Unreadable(ValueError):
    """A row lacks its name and times. The extension cannot send it, so the whole answer fails."""


def instance_reply(instance: Instance | None, *, payloads: bool) -> pb.GetInstanceResponse:
    """The reply for one instance, or for none; input, output and custom status only with `payloads`.

    Raises Unreadable when its row is torn.
    """
    if instance is None:
        return pb.GetInstanceResponse(exists=False)
    state = _state(instance)
    state.tags.update(instance.tags)
    if payloads and instance.input is not None:
        state.input.value = instance.input
    if not payloads:
        state.ClearField("output")
        state.ClearField("customStatus")
    return pb.GetInstanceResponse(exists=True, orchestrationState=state)


def entity_reply(entity: Entity, *, payloads: bool) -> pb.GetInstanceResponse:
    """The reply for an entity, which the engine stores as a running instance with the entity's state as its input."""
    state = _entity_state(entity, payloads=payloads)
    if not payloads:
        state.ClearField("customStatus")
    return pb.GetInstanceResponse(exists=True, orchestrationState=state)


def query_instances(
    instances: Mapping[str, Instance], entities: Mapping[str, Entity], query: pb.InstanceQuery
) -> pb.QueryInstancesResponse:
    """One page of instances in the order of their ids, or of entities if the prefix begins with `@`.

    Raises PageRefused when the page is larger than Azure Tables allows, Unreadable when it contains a torn row.
    """
    prefix = query.instanceIdPrefix.value
    rows: Mapping[str, Instance | Entity] = entities if prefix.startswith("@") else instances
    matching = sorted(
        row_id for row_id, row in rows.items() if row_id.startswith(prefix) and _chosen(row, query, query.runtimeStatus)
    )
    page, token = _page(matching, query.continuationToken.value, query.maxInstanceCount)
    states = [_listed(rows[row_id], payloads=query.fetchInputsAndOutputs) for row_id in page]
    return pb.QueryInstancesResponse(orchestrationState=states, continuationToken=text(token))


def to_purge(
    instances: Mapping[str, Instance], entities: Mapping[str, Entity], chosen: pb.PurgeInstanceFilter
) -> list[str]:
    """The ids that a purge filter selects. Only final statuses in the filter count; without one every status matches.

    https://github.com/Azure/durabletask/blob/main/src/DurableTask.AzureStorage/Tracking/AzureTableTrackingStore.cs
    """
    statuses = [status for status in chosen.runtimeStatus if status in TERMINAL]
    rows: dict[str, Instance | Entity] = {**instances, **entities}
    return [row_id for row_id, row in rows.items() if _chosen(row, chosen, statuses)]


def metadata_of(entity: Entity, *, state: bool) -> pb.EntityMetadata:
    """An entity as clients see it; its state only with `state`."""
    return pb.EntityMetadata(
        instanceId=entity.id,
        lastModifiedTime=timestamp(entity.updated_at),
        lockedBy=text(entity.locked_by),
        serializedState=text(entity.state) if state else None,
    )


def query_entities(entities: Iterable[Entity], query: pb.EntityQuery) -> pb.QueryEntitiesResponse:
    """One page of entities by id; those without a state only if the query includes transient ones."""
    prefix = query.instanceIdStartsWith.value
    matching = {
        entity.id: entity
        for entity in entities
        if (query.includeTransient or entity.state is not None)
        and _between(entity.updated_at, query, "lastModifiedFrom", "lastModifiedTo")
        and entity.id.startswith(prefix if prefix.startswith("@") else f"@{prefix}")
    }
    size = query.pageSize.value if query.HasField("pageSize") else _DEFAULT_ENTITY_PAGE
    page, token = _page(sorted(matching), query.continuationToken.value, size)
    metadata = [metadata_of(matching[entity_id], state=query.includeState) for entity_id in page]
    return pb.QueryEntitiesResponse(entities=metadata, continuationToken=text(token))


def _listed(row: Instance | Entity, *, payloads: bool) -> pb.OrchestrationState:
    # A list always contains output and custom status, whether requested or not.
    if isinstance(row, Entity):
        return _entity_state(row, payloads=payloads)
    state = _state(row)
    if payloads and row.input is not None:
        state.input.value = row.input
    if row.version is not None:
        state.version.value = row.version
    if row.scheduled_at is not None:
        state.scheduledStartTimestamp.CopyFrom(timestamp(row.scheduled_at))
    return state


def _state(instance: Instance) -> pb.OrchestrationState:
    if instance.torn:
        raise Unreadable(instance.id)
    return pb.OrchestrationState(
        instanceId=instance.id,
        name=instance.name,
        orchestrationStatus=instance.status,
        createdTimestamp=timestamp(instance.created_at),
        lastUpdatedTimestamp=timestamp(instance.updated_at),
        output=text(instance.output),
        customStatus=text(instance.custom_status),
        parentInstanceId=text(instance.parent.address.instance_id) if instance.parent else None,
    )


def _entity_state(entity: Entity, *, payloads: bool) -> pb.OrchestrationState:
    kept = {} if entity.state is None else {"state": entity.state}
    exists = {} if entity.state is None else {"entityExists": True}
    return pb.OrchestrationState(
        instanceId=entity.id,
        name=entity.id,
        orchestrationStatus=pb.ORCHESTRATION_STATUS_RUNNING,
        createdTimestamp=timestamp(entity.updated_at),
        lastUpdatedTimestamp=timestamp(entity.updated_at),
        input=text(_compact({**kept, "sorter": {}})) if payloads else None,
        customStatus=text(_compact(exists)),
    )


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _status_of(row: Instance | Entity) -> pb.OrchestrationStatus:
    return pb.ORCHESTRATION_STATUS_RUNNING if isinstance(row, Entity) else row.status


def _created(row: Instance | Entity) -> datetime:
    # An entity is stored as an orchestration that starts again with each of its batches.
    return row.updated_at if isinstance(row, Entity) else row.created_at


def _chosen(row: Instance | Entity, query: Any, wanted: Sequence[pb.OrchestrationStatus]) -> bool:
    if isinstance(row, Instance) and row.torn:
        # A torn row has no creation time, and has a status only once the instance has ended.
        dated = query.HasField("createdTimeFrom") or query.HasField("createdTimeTo")
        return not dated and (not wanted or (row.ended and row.status in wanted))
    if wanted and _status_of(row) not in wanted:
        return False
    return _between(_created(row), query, "createdTimeFrom", "createdTimeTo")


def _between(moment: datetime, query: Any, first: str, last: str) -> bool:
    def bound(name: str, holds: Callable[[datetime], bool]) -> bool:
        return not query.HasField(name) or holds(getattr(query, name).ToDatetime(tzinfo=UTC))

    return bound(first, lambda at: moment >= at) and bound(last, lambda at: moment <= at)


def _page(ids: list[str], token: str, size: int) -> tuple[list[str], str | None]:
    if not 0 <= size <= _MAX_PAGE:
        raise PageRefused(f"a page of {size}")
    rest = [row_id for row_id in ids if row_id >= token]
    return rest[:size], rest[size] if size < len(rest) else None
