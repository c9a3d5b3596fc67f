"""The hub's gRPC face: what the app's durable client calls, as it calls the Functions host in Azure.

Decides how a request is answered on the wire. Refuses to decide anything about orchestrations or entities: each method
is one call of the hub. It runs on the simulator's own event loop, so a request sees and changes the hub as everything
else does, and any number of clients can wait.

Deadlines of waiting calls count simulated seconds here; the client's own deadline counts real ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import nullcontext
from typing import Any

import grpc
from durabletask.internal import orchestrator_service_pb2 as pb
from durabletask.internal import orchestrator_service_pb2_grpc as stubs

from simulator.durable.client_calls import HOLDS_CLOCK
from simulator.durable.history import optional, optional_date
from simulator.durable.hub import DurableHub, canonical_entity_id
from simulator.durable.queries import (
    PageTooLarge,
    instance_reply,
    list_instance_ids,
    metadata_of,
    query_entities,
    query_instances,
    to_purge,
)
from simulator.durable.records import Instance, Operate, StartOrchestration

_EVENTS_PER_CHUNK = 100
_DEFAULT_WAIT_S = 60.0

type Context = Any  # grpc.aio.ServicerContext has no types


class DurableRpc(stubs.TaskHubSidecarServiceServicer):
    """A gRPC server on 127.0.0.1 in front of one hub, with `max_message_bytes` as host.json limits the messages."""

    def __init__(self, hub: DurableHub, *, max_message_bytes: int) -> None:
        self._hub, self._max_message_bytes = hub, max_message_bytes
        self._server: Any = None

    async def start(self) -> str:
        """Listen on a free port; the address as the durable client wants it, `http://127.0.0.1:<port>`."""
        options = [
            ("grpc.max_receive_message_length", self._max_message_bytes),
            ("grpc.max_send_message_length", self._max_message_bytes),
            ("grpc.so_reuseport", 0),
        ]
        self._server = grpc.aio.server(options=options)
        stubs.add_TaskHubSidecarServiceServicer_to_server(self, self._server)
        port = self._server.add_insecure_port("127.0.0.1:0")
        with self._hub.clock.hold():  # gRPC's own threads start and stop the server
            await self._server.start()
        return f"http://127.0.0.1:{port}"

    async def stop(self) -> None:
        """Cut every call short and stop listening."""
        if self._server is not None:
            with self._hub.clock.hold():
                await self._server.stop(grace=None)

    async def StartInstance(self, request: pb.CreateInstanceRequest, context: Context) -> pb.CreateInstanceResponse:
        """Start an orchestration; ALREADY_EXISTS while the id runs, an id that ended is replaced."""
        start = StartOrchestration(
            request.instanceId,
            request.name,
            optional(request, "input"),
            optional(request, "version"),
            tags=dict(request.tags),
            at=optional_date(request, "scheduledStartTimestamp"),
        )
        if not self._hub.orchestrations.start(start):
            text = f"An orchestration with the instance id {request.instanceId} is already running."
            await context.abort(grpc.StatusCode.ALREADY_EXISTS, text)
        return pb.CreateInstanceResponse(instanceId=request.instanceId)

    async def GetInstance(self, request: pb.GetInstanceRequest, context: Context) -> pb.GetInstanceResponse:
        """One instance."""
        instance = self._hub.orchestrations.instances.get(request.instanceId)
        return instance_reply(instance, payloads=request.getInputsAndOutputs)

    async def WaitForInstanceStart(self, request: pb.GetInstanceRequest, context: Context) -> pb.GetInstanceResponse:
        """One instance once it is no longer pending."""
        return await self._wait(request, context, lambda watched: watched.status != pb.ORCHESTRATION_STATUS_PENDING)

    async def WaitForInstanceCompletion(
        self, request: pb.GetInstanceRequest, context: Context
    ) -> pb.GetInstanceResponse:
        """One instance once it has ended."""
        return await self._wait(request, context, lambda watched: watched.ended)

    async def RaiseEvent(self, request: pb.RaiseEventRequest, context: Context) -> pb.RaiseEventResponse:
        """Raise an external event."""
        await self._must_exist(request.instanceId, context)
        self._hub.raise_event(request.instanceId, request.name, optional(request, "input"))
        return pb.RaiseEventResponse()

    async def TerminateInstance(self, request: pb.TerminateRequest, context: Context) -> pb.TerminateResponse:
        """Terminate one instance; children go on, as with the Azure Storage provider."""
        await self._must_exist(request.instanceId, context)
        self._hub.terminate(request.instanceId, optional(request, "output"))
        return pb.TerminateResponse()

    async def SuspendInstance(self, request: pb.SuspendRequest, context: Context) -> pb.SuspendResponse:
        """Suspend one instance."""
        await self._must_exist(request.instanceId, context)
        self._hub.suspend(request.instanceId, optional(request, "reason"))
        return pb.SuspendResponse()

    async def ResumeInstance(self, request: pb.ResumeRequest, context: Context) -> pb.ResumeResponse:
        """Resume one instance."""
        await self._must_exist(request.instanceId, context)
        self._hub.resume(request.instanceId, optional(request, "reason"))
        return pb.ResumeResponse()

    async def RewindInstance(self, request: pb.RewindInstanceRequest, context: Context) -> pb.RewindInstanceResponse:
        """Refused: the local hub does not rewind."""
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "The local durable hub does not rewind orchestrations.")
        return pb.RewindInstanceResponse()

    async def RestartInstance(self, request: pb.RestartInstanceRequest, context: Context) -> pb.RestartInstanceResponse:
        """Start an ended instance again with its input, under its own id or a new one."""
        instance = await self._must_exist(request.instanceId, context)
        if not instance.ended:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"{instance.id} has not ended.")
        instance_id = self._hub.ids.of_start(instance.name) if request.restartWithNewInstanceId else instance.id
        self._hub.orchestrations.start(StartOrchestration(instance_id, instance.name, instance.input, instance.version))
        return pb.RestartInstanceResponse(instanceId=instance_id)

    async def PurgeInstances(self, request: pb.PurgeInstancesRequest, context: Context) -> pb.PurgeInstancesResponse:
        """Forget instances that ended."""
        orchestrations = self._hub.orchestrations
        chosen = [request.instanceId]
        if request.HasField("purgeInstanceFilter"):
            chosen = to_purge(orchestrations.instances.values(), request.purgeInstanceFilter)
        purged = sum(orchestrations.purge(instance_id) for instance_id in chosen)
        return pb.PurgeInstancesResponse(deletedInstanceCount=purged, isComplete={"value": True})

    async def QueryInstances(self, request: pb.QueryInstancesRequest, context: Context) -> pb.QueryInstancesResponse:
        """A page of instances."""
        try:
            return query_instances(self._hub.orchestrations.instances.values(), request.query)
        except PageTooLarge:
            return await _refused(context, pb.QueryInstancesResponse())

    async def ListInstanceIds(self, request: pb.ListInstanceIdsRequest, context: Context) -> pb.ListInstanceIdsResponse:
        """A page of ids of instances that ended."""
        return list_instance_ids(self._hub.orchestrations.instances.values(), request)

    async def StreamInstanceHistory(
        self, request: pb.StreamInstanceHistoryRequest, context: Context
    ) -> AsyncIterator[pb.HistoryChunk]:
        """An instance's history, in chunks."""
        events = (await self._must_exist(request.instanceId, context)).history.events()
        for begin in range(0, len(events), _EVENTS_PER_CHUNK):
            yield pb.HistoryChunk(events=events[begin : begin + _EVENTS_PER_CHUNK])

    async def SignalEntity(self, request: pb.SignalEntityRequest, context: Context) -> pb.SignalEntityResponse:
        """Signal an entity, now or later."""
        self._hub.send(
            Operate(
                canonical_entity_id(request.instanceId),
                request.requestId,
                request.name,
                optional(request, "input"),
                at=optional_date(request, "scheduledTime"),
            )
        )
        return pb.SignalEntityResponse()

    async def GetEntity(self, request: pb.GetEntityRequest, context: Context) -> pb.GetEntityResponse:
        """One entity; one without a state does not exist."""
        entity = self._hub.entities.entities.get(canonical_entity_id(request.instanceId))
        if entity is None or entity.state is None:
            return pb.GetEntityResponse(exists=False)
        return pb.GetEntityResponse(exists=True, entity=metadata_of(entity, state=request.includeState))

    async def QueryEntities(self, request: pb.QueryEntitiesRequest, context: Context) -> pb.QueryEntitiesResponse:
        """A page of entities."""
        try:
            return query_entities(self._hub.entities.entities.values(), request.query)
        except PageTooLarge:
            return await _refused(context, pb.QueryEntitiesResponse())

    async def CleanEntityStorage(
        self, request: pb.CleanEntityStorageRequest, context: Context
    ) -> pb.CleanEntityStorageResponse:
        """Forget entities without a state; there are no locks to release."""
        removed = self._hub.entities.forget_empty() if request.removeEmptyEntities else 0
        return pb.CleanEntityStorageResponse(emptyEntitiesRemoved=removed)

    async def _must_exist(self, instance_id: str, context: Context) -> Instance:
        instance = self._hub.orchestrations.instances.get(instance_id)
        if instance is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"There is no orchestration with the id {instance_id}.")
            raise KeyError(instance_id)
        return instance

    async def _wait(
        self, request: pb.GetInstanceRequest, context: Context, until: Callable[[Instance], bool]
    ) -> pb.GetInstanceResponse:
        held = any(key == HOLDS_CLOCK for key, _ in context.invocation_metadata())
        try:
            with self._hub.clock.release() if held else nullcontext():
                async with asyncio.timeout(context.time_remaining() or _DEFAULT_WAIT_S):
                    instance = await self._hub.orchestrations.watch(request.instanceId, until)
        except TimeoutError:
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, f"{request.instanceId} is not there yet.")
            raise
        return instance_reply(instance, payloads=request.getInputsAndOutputs)


async def _refused[Reply](context: Context, reply: Reply) -> Reply:
    """What a client hears when storage refuses what the host asks of it: the host's exception without its text."""
    await context.abort(grpc.StatusCode.UNKNOWN, "Exception was thrown by handler.")
    return reply
