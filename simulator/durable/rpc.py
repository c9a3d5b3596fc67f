"""The hub's gRPC server, which the app's durable client calls as it calls the Functions host in Azure.

Decides the gRPC reply to each request. Decides nothing about orchestrations or entities: each method makes one call to
the hub. It runs on the simulator's event loop, so any number of clients can wait. Requests that the engine refuses are
refused with its wording (`refusals`).

Deadlines of waiting calls count simulated seconds here; the client's own deadline counts real ones. Only the client
limits the size of a message, as in Azure.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import nullcontext
from typing import Any

import grpc
from durabletask.internal import orchestrator_service_pb2 as pb
from durabletask.internal import orchestrator_service_pb2_grpc as stubs

from simulator.durable import queries, refusals
from simulator.durable.client_calls import HOLDS_CLOCK
from simulator.durable.history import optional, optional_date
from simulator.durable.hub import DurableHub
from simulator.durable.records import Instance, Operate, StartOrchestration
from simulator.durable.refusals import Refused

_EVENTS_PER_CHUNK = 100
_DEFAULT_WAIT_S = 60.0
_OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1), ("grpc.so_reuseport", 0)]

type Context = Any  # grpc.aio.ServicerContext has no types


class DurableRpc(stubs.TaskHubSidecarServiceServicer):
    """A gRPC server on 127.0.0.1 in front of one hub."""

    def __init__(self, hub: DurableHub) -> None:
        self._hub = hub
        self._server: Any = None

    async def start(self) -> str:
        """Listen on a free port; returns the address in the client's form, `http://127.0.0.1:<port>`."""
        self._server = grpc.aio.server(options=_OPTIONS, interceptors=[_RefusalInterceptor()])
        stubs.add_TaskHubSidecarServiceServicer_to_server(self, self._server)
        port = self._server.add_insecure_port("127.0.0.1:0")
        with self._hub.clock.hold():  # gRPC's own threads start and stop the server
            await self._server.start()
        return f"http://127.0.0.1:{port}"

    async def stop(self) -> None:
        """Cancel every call and stop listening."""
        if self._server is not None:
            with self._hub.clock.hold():
                await self._server.stop(grace=None)

    async def StartInstance(self, request: pb.CreateInstanceRequest, context: Context) -> pb.CreateInstanceResponse:
        """Start an orchestration. ALREADY_EXISTS while the id runs; an instance that ended is replaced, unless the
        request has a policy that does not name its status."""
        start = StartOrchestration(
            request.instanceId or self._hub.ids.of_start(request.name),
            request.name,
            optional(request, "input"),
            optional(request, "version"),
            tags=dict(request.tags),
            at=optional_date(request, "scheduledStartTimestamp"),
        )
        in_use = start.instance_id in self._hub.entities.entities or self._is_kept(request, start.instance_id)
        if in_use or not self._hub.orchestrations.start(start):
            raise refusals.exists_already(start.instance_id)
        return pb.CreateInstanceResponse(instanceId=start.instance_id)

    def _is_kept(self, request: pb.CreateInstanceRequest, instance_id: str) -> bool:
        existing = self._hub.orchestrations.instances.get(instance_id)
        if existing is None or not request.HasField("orchestrationIdReusePolicy"):
            return False
        return existing.status not in request.orchestrationIdReusePolicy.replaceableStatus

    async def GetInstance(self, request: pb.GetInstanceRequest, context: Context) -> pb.GetInstanceResponse:
        """One instance."""
        entity = self._hub.entities.entities.get(request.instanceId)
        if entity is not None:
            return queries.entity_reply(entity, payloads=request.getInputsAndOutputs)
        instance = self._hub.orchestrations.instances.get(request.instanceId)
        return queries.instance_reply(instance, payloads=request.getInputsAndOutputs)

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
        refusals.check_event(request.name, self._status(request.instanceId), request.instanceId)
        self._hub.raise_event(request.instanceId, request.name, optional(request, "input"))
        return pb.RaiseEventResponse()

    async def TerminateInstance(self, request: pb.TerminateRequest, context: Context) -> pb.TerminateResponse:
        """Terminate one instance; its children continue, as with the Azure Storage provider."""
        refusals.check_management("terminate", self._status(request.instanceId), request.instanceId)
        self._hub.terminate(request.instanceId, optional(request, "output"))
        return pb.TerminateResponse()

    async def SuspendInstance(self, request: pb.SuspendRequest, context: Context) -> pb.SuspendResponse:
        """Suspend one instance."""
        refusals.check_management("suspend", self._status(request.instanceId), request.instanceId)
        self._hub.suspend(request.instanceId, optional(request, "reason"))
        return pb.SuspendResponse()

    async def ResumeInstance(self, request: pb.ResumeRequest, context: Context) -> pb.ResumeResponse:
        """Resume one instance."""
        refusals.check_management("resume", self._status(request.instanceId), request.instanceId)
        self._hub.resume(request.instanceId, optional(request, "reason"))
        return pb.ResumeResponse()

    async def RewindInstance(self, request: pb.RewindInstanceRequest, context: Context) -> pb.RewindInstanceResponse:
        """Refuse the request, also where the engine would rewind: the local hub cannot."""
        refusals.check_rewind(self._status(request.instanceId), request.instanceId)
        raise Refused(grpc.StatusCode.UNIMPLEMENTED, "The local durable hub does not rewind orchestrations.")

    async def RestartInstance(self, request: pb.RestartInstanceRequest, context: Context) -> pb.RestartInstanceResponse:
        """Start an ended instance again with its input, under its own id or a new one."""
        refusals.check_restart(
            self._status(request.instanceId), request.instanceId, new_id=request.restartWithNewInstanceId
        )
        old = self._hub.orchestrations.instances[request.instanceId]
        instance_id = self._hub.ids.of_start(old.name) if request.restartWithNewInstanceId else old.id
        self._hub.orchestrations.start(StartOrchestration(instance_id, old.name, old.input, old.version))
        return pb.RestartInstanceResponse(instanceId=instance_id)

    async def PurgeInstances(self, request: pb.PurgeInstancesRequest, context: Context) -> pb.PurgeInstancesResponse:
        """Delete an instance that ended, or everything that a filter selects."""
        hub = self._hub
        if request.HasField("purgeInstanceFilter"):
            chosen = queries.to_purge(hub.orchestrations.instances, hub.entities.entities, request.purgeInstanceFilter)
        else:
            if request.instanceId not in hub.entities.entities:
                refusals.check_purge(self._status(request.instanceId), request.instanceId)
            chosen = [request.instanceId]
        purged = sum(hub.entities.purge(one) or hub.orchestrations.purge(one) for one in chosen)
        return pb.PurgeInstancesResponse(deletedInstanceCount=purged)

    async def QueryInstances(self, request: pb.QueryInstancesRequest, context: Context) -> pb.QueryInstancesResponse:
        """A page of instances."""
        return queries.query_instances(self._hub.orchestrations.instances, self._hub.entities.entities, request.query)

    async def StreamInstanceHistory(
        self, request: pb.StreamInstanceHistoryRequest, context: Context
    ) -> AsyncIterator[pb.HistoryChunk]:
        """An instance's history, in chunks."""
        instance = self._hub.orchestrations.instances.get(request.instanceId)
        if instance is None:
            refused = refusals.no_history(request.instanceId)
            await context.abort(refused.code, refused.text)
            raise refused
        events = instance.history.events()
        for begin in range(0, len(events), _EVENTS_PER_CHUNK):
            yield pb.HistoryChunk(events=events[begin : begin + _EVENTS_PER_CHUNK])

    async def SignalEntity(self, request: pb.SignalEntityRequest, context: Context) -> pb.SignalEntityResponse:
        """Signal an entity, now or later."""
        refusals.check_request_id(request.requestId)
        self._hub.send(
            Operate(
                request.instanceId,
                request.requestId,
                request.name,
                optional(request, "input"),
                at=optional_date(request, "scheduledTime"),
            )
        )
        return pb.SignalEntityResponse()

    async def GetEntity(self, request: pb.GetEntityRequest, context: Context) -> pb.GetEntityResponse:
        """One entity; an entity without a state does not exist for clients."""
        refusals.check_entity_id(request.instanceId)
        entity = self._hub.entities.entities.get(request.instanceId)
        if entity is None or entity.state is None:
            return pb.GetEntityResponse(exists=False)
        return pb.GetEntityResponse(exists=True, entity=queries.metadata_of(entity, state=request.includeState))

    async def QueryEntities(self, request: pb.QueryEntitiesRequest, context: Context) -> pb.QueryEntitiesResponse:
        """A page of entities."""
        return queries.query_entities(self._hub.entities.entities.values(), request.query)

    async def CleanEntityStorage(
        self, request: pb.CleanEntityStorageRequest, context: Context
    ) -> pb.CleanEntityStorageResponse:
        """Delete entities without a state. Does not release locks of orchestrations that ended."""
        removed = self._hub.entities.delete_empty() if request.removeEmptyEntities else 0
        return pb.CleanEntityStorageResponse(emptyEntitiesRemoved=removed)

    def _status(self, instance_id: str) -> pb.OrchestrationStatus | None:
        if instance_id in self._hub.entities.entities:
            return pb.ORCHESTRATION_STATUS_RUNNING
        instance = self._hub.orchestrations.instances.get(instance_id)
        if instance is not None and instance.torn:
            raise refusals.unknown()
        return None if instance is None else instance.status

    async def _wait(
        self, request: pb.GetInstanceRequest, context: Context, until: Callable[[Instance], bool]
    ) -> pb.GetInstanceResponse:
        held = any(key == HOLDS_CLOCK for key, _ in context.invocation_metadata())
        try:
            with self._hub.clock.release() if held else nullcontext():
                async with asyncio.timeout(context.time_remaining() or _DEFAULT_WAIT_S):
                    instance = await self._hub.orchestrations.wait_for(request.instanceId, until)
        except TimeoutError as late:
            raise Refused(
                grpc.StatusCode.DEADLINE_EXCEEDED, f"{request.instanceId} has not reached that state yet."
            ) from late
        return queries.instance_reply(instance, payloads=request.getInputsAndOutputs)


class _RefusalInterceptor(grpc.aio.ServerInterceptor):
    """Ends the gRPC call of a refused or unanswerable request with its status."""

    async def intercept_service(self, continuation: Any, details: Any) -> Any:
        handler = await continuation(details)
        if handler is None or handler.response_streaming:
            return handler

        async def answer(request: Any, context: Context) -> Any:
            try:
                return await handler.unary_unary(request, context)
            except (queries.PageRefused, queries.Unreadable):
                refused = refusals.unknown()
            except Refused as refusal:
                refused = refusal
            return await context.abort(refused.code, refused.text)

        return grpc.unary_unary_rpc_method_handler(answer, handler.request_deserializer, handler.response_serializer)
