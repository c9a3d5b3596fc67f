"""The access of a story to a durable engine: the app's client, raw gRPC, waits, and the requests that the worker got.

Decides how an answer or an error of a call is recorded. Does not know which engine runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import grpc
from azure.durable_functions.client import DurableFunctionsClient
from durabletask.entities import EntityInstanceId
from durabletask.internal import orchestrator_service_pb2 as pb
from durabletask.internal import orchestrator_service_pb2_grpc as stubs
from google.protobuf.json_format import MessageToDict

from simulator.clock import Clock
from simulator.functions.host import FunctionsHost
from tests.support.engine.watching import Watched

_ENDED = {"COMPLETED", "FAILED", "TERMINATED", "CANCELED"}
_TIMEOUT_S = 60.0
_POLL_EVERY_S = 0.1

type Holds = Callable[[dict[str, Any]], bool]


class StoryClient:
    """The calls that a story can make. Ids begin with the story's name, so that many stories can share a hub."""

    def __init__(self, name: str, clock: Clock, host: FunctionsHost, watched: Watched) -> None:
        self.name, self.clock, self.watched, self._host = name, clock, watched, host
        self._client = DurableFunctionsClient(host.durable_client)
        limit = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        self._channel = grpc.aio.insecure_channel(host.engine.rpc_url.removeprefix("http://"), options=limit)
        self._stub = stubs.TaskHubSidecarServiceStub(self._channel)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()
        await self._channel.close()

    def id(self, name: str) -> str:
        """The id of this story's instance or entity key `name`."""
        return f"{self.name}-{name}"

    async def sleep(self, seconds: float) -> None:
        """Sleep in the engine's time."""
        await asyncio.sleep(seconds)

    # --- the app's own client ----------------------------------------------------------------------------------

    async def call(self, method: str, *arguments: Any, **named: Any) -> Any:
        """Call a method of the app's durable client."""
        return await getattr(self._client, method)(*arguments, **named)

    async def tried(self, method: str, *arguments: Any, **named: Any) -> Any:
        """The answer of a call of the client, or its error."""
        return await _outcome(self.call(method, *arguments, **named))

    async def start(self, name: str, steps: Any = None, *, of: str = "script") -> str:
        """Start orchestration `of` with this story's id `name`; returns the id."""
        instance_id: str = await self.call("schedule_new_orchestration", of, input=steps, instance_id=self.id(name))
        return instance_id

    async def waits(self, name: str, steps: Any = None) -> None:
        """Start an orchestration that waits for the event `go`, or runs `steps`, and wait for its first turn."""
        await self.start(name, [["event", "go"]] if steps is None else steps)
        await self.began(name)

    async def began(self, name: str) -> dict[str, Any]:
        """Wait until an instance's first turn is stored."""
        return await self.until(name, lambda state: "customStatus" in state)

    async def is_(self, name: str, status: str) -> dict[str, Any]:
        """Wait until an instance has this status."""
        return await self.until(name, lambda state: state.get("orchestrationStatus") == status)

    async def ended(self, name: str, timeout_s: float = _TIMEOUT_S) -> dict[str, Any]:
        """Wait until this story's instance `name` has ended; returns the instance as raw gRPC shows it."""
        return await self.until(name, lambda state: state.get("orchestrationStatus") in _ENDED, timeout_s)

    async def until(self, name: str, holds: Holds, timeout_s: float = _TIMEOUT_S) -> dict[str, Any]:
        """Wait until this story's instance satisfies `holds`; returns it, with `waited` if the wait timed out."""
        return await self.named(self.id(name), holds, timeout_s)

    async def named(self, instance_id: str, holds: Holds, timeout_s: float = _TIMEOUT_S) -> dict[str, Any]:
        """Wait until the instance with this full id satisfies `holds`."""
        state: dict[str, Any]
        state = await self._poll(lambda: self._state(instance_id, payloads=True), holds, timeout_s)
        return state if holds(state) else {**state, "waited": "in vain"}

    async def _poll(self, read: Callable[[], Awaitable[Any]], holds: Callable[[Any], bool], timeout_s: float) -> Any:
        due = self.clock.time() + timeout_s
        while True:
            seen = await read()
            if holds(seen) or self.clock.time() > due:
                return seen
            await asyncio.sleep(_POLL_EVERY_S)

    async def ran(self, name: str, steps: Any = None, *, of: str = "script") -> dict[str, Any]:
        """Start an orchestration and wait for its end."""
        await self.start(name, steps, of=of)
        return await self.ended(name)

    # --- raw gRPC ----------------------------------------------------------------------------------------------

    async def raw(self, method: str, request: Any) -> Any:
        """Call a gRPC method; returns its answer as data, or its error."""
        return await _outcome(getattr(self._stub, method)(request))

    async def state(self, name: str, *, payloads: bool = True) -> dict[str, Any]:
        """This story's instance as raw gRPC shows it; `{}` without one."""
        return await self._state(self.id(name), payloads=payloads)

    async def _state(self, instance_id: str, *, payloads: bool) -> dict[str, Any]:
        request = pb.GetInstanceRequest(instanceId=instance_id, getInputsAndOutputs=payloads)
        answer: dict[str, Any] = await self.raw("GetInstance", request)
        state: dict[str, Any] = answer.get("orchestrationState", {} if "refused" not in answer else answer)
        if state:
            status = str(state.get("orchestrationStatus", "RUNNING"))
            state["orchestrationStatus"] = status.removeprefix("ORCHESTRATION_STATUS_")
        return state

    async def query(self, **query: Any) -> dict[str, Any]:
        """A page of instances."""
        answer: dict[str, Any] = await self.raw(
            "QueryInstances", pb.QueryInstancesRequest(query=pb.InstanceQuery(**query))
        )
        return answer

    async def purge(self, name: str) -> Any:
        """Purge this story's instance `name`."""
        return await self.raw("PurgeInstances", pb.PurgeInstancesRequest(instanceId=self.id(name)))

    async def purge_by(self, **chosen: Any) -> Any:
        """Purge by a filter."""
        chosen_by = pb.PurgeInstancesRequest(purgeInstanceFilter=pb.PurgeInstanceFilter(**chosen))
        return await self.raw("PurgeInstances", chosen_by)

    async def history(self, name: str) -> Any:
        """An instance's history from the SDK, or the error."""
        with self.clock.hold():  # no other code holds the clock during a stream
            return await self.tried("get_orchestration_history", self.id(name))

    # --- entities ----------------------------------------------------------------------------------------------

    async def box(self, key: str) -> Any:
        """The state of this story's entity `box` as JSON text; None without a state."""
        entity = await self.call("get_entity", EntityInstanceId("box", self.id(key)))
        return None if entity is None else entity.get_state(str)

    async def signal(self, key: str, operation: str, value: Any = None, delay_s: float | None = None) -> None:
        """Signal this story's entity `box`."""
        at = None if delay_s is None else self.clock.now() + timedelta(seconds=delay_s)
        entity = EntityInstanceId("box", self.id(key))
        await self.call("signal_entity", entity, operation, input=value, signal_time=at)

    async def until_box(self, key: str, holds: Callable[[str], bool]) -> Any:
        """Wait until the state of this story's `box`, as text, satisfies `holds`; returns the state."""
        return await self._poll(lambda: self.box(key), lambda state: holds(state or ""), _TIMEOUT_S)

    async def busy(self, key: str) -> None:
        """Block this story's `box` in an operation until `free`."""
        self.watched.hold(f"@box@{self.id(key)}")
        await self.signal(key, "get")
        await self._poll(lambda: self._batches(key), bool, _TIMEOUT_S)

    async def free(self, key: str) -> None:
        """Unblock the `box` once all messages to it have arrived."""
        await self.sleep(2)
        self.watched.let_go(f"@box@{self.id(key)}")

    async def _batches(self, key: str) -> list[list[str]]:
        return self.batches(key)

    def batches(self, key: str) -> list[list[str]]:
        """The operations of each batch that the worker got for this story's `box`."""
        return [[one.operation for one in batch.operations] for batch in self.watched.batches[f"@box@{self.id(key)}"]]


async def _outcome(call: Awaitable[Any]) -> Any:
    try:
        answer = await call
    except grpc.aio.AioRpcError as refusal:
        return {"refused": refusal.code().name, "text": refusal.details()}
    except Exception as error:
        return {"raised": type(error).__name__, "text": str(error)}
    return MessageToDict(answer) if hasattr(answer, "DESCRIPTOR") else answer
