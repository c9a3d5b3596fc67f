"""Microsoft's Durable extension as an engine: a program of its own, with its state in Azure Storage or Azurite.

Decides how the program is started, started again after it died, and how its calls reach the worker. Does not know what
an orchestration is. The engine's timers and queues are the machine's, so the simulator's clock must be real.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import uuid
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import grpc
from aiohttp import web
from durabletask.internal import orchestrator_service_pb2 as pb
from durabletask.internal import orchestrator_service_pb2_grpc as stubs

from simulator.durable import Worker
from simulator.engine.azurite import Azurite
from simulator.engine.callback import Callback
from simulator.engine.process import end_process
from simulator.engine.program import find_engine
from simulator.engine.strict_storage import StrictStorage
from simulator.functions.indexing import IndexedFunction

_log = logging.getLogger(__name__)
_KINDS = {"orchestrationTrigger": "orchestrations", "entityTrigger": "entities", "activityTrigger": "activities"}
# Azure starts a host that died again at once; a second keeps one that cannot start from spinning.
_RESTART_S = 1.0


class EngineFailed(RuntimeError):
    """The engine's program ended before it was ready; the text is what it printed last."""


class AzureStorageEngine:
    """The engine for the app in `app_dir`, whose host.json it reads.

    `storage` is the connection string of a storage that others started; without it Azurite is started, with
    `StrictStorage` in front. `latency_s` is how long each request of that storage waits, in seconds. `task_hub` names
    the hub; two engines on the same storage and hub share the work, as two instances of an app do: each has a worker
    name of its own, as two machines have. A program that dies is started again after a second, under the same name.
    `own_session=False` leaves the program in the caller's process group, where one signal reaches both.
    """

    def __init__(
        self,
        app_dir: Path,
        *,
        storage: str | None = None,
        task_hub: str | None = None,
        latency_s: float = 0.0,
        program: Path | None = None,
        own_session: bool = True,
    ) -> None:
        """Make it; nothing runs yet. MissingProgram when the program is not on this machine."""
        self._program = program or find_engine()
        self._host_json = app_dir / "host.json"
        self._storage, self._latency_s = storage, latency_s
        self.task_hub = task_hub or "t" + uuid.uuid4().hex[:12]
        self._worker_name, self._own_session = uuid.uuid4().hex[:12], own_session
        self.rpc_url = ""
        self.running = False
        self._callback = Callback()
        self._process: Process | None = None
        self._logging: asyncio.Task[None] | None = None
        self._closing = False

    @property
    def pid(self) -> int:
        """The process id of the program that runs now."""
        assert self._process is not None
        return self._process.pid

    async def start(self, stack: AsyncExitStack, functions: Sequence[IndexedFunction]) -> None:
        """Start storage and engine and wait until it takes calls. MissingProgram, AzuriteFailed, EngineFailed."""
        if self._storage is None:
            azurite = await stack.enter_async_context(Azurite())
            strict = await stack.enter_async_context(StrictStorage(azurite, latency_s=self._latency_s))
            self._storage = strict.connection_string
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        runner = web.AppRunner(self._callback.application(), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.SockSite(runner, listener).start()
        setup = self._setup(f"http://127.0.0.1:{listener.getsockname()[1]}", functions)
        stack.push_async_callback(self._end)
        await self._start_program(setup)
        keeping = asyncio.create_task(self._keep_running(setup))
        stack.push_async_callback(_cancel, keeping)

    async def attach(self, stack: AsyncExitStack, worker: Worker) -> None:
        """Let the engine's calls through to `worker`; until then they wait."""
        self._callback.attach(worker)
        stack.callback(self._callback.detach)

    async def entity_state(self, entity_id: str) -> Any:
        """The entity's state as the engine's storage has it."""
        async with grpc.aio.insecure_channel(self.rpc_url.removeprefix("http://")) as channel:
            stub = stubs.TaskHubSidecarServiceStub(channel)
            answer = await stub.GetEntity(pb.GetEntityRequest(instanceId=entity_id, includeState=True))
        return json.loads(answer.entity.serializedState.value) if answer.exists else None

    async def close(self) -> None:
        """Start the program no more."""
        self._closing = True

    def _setup(self, worker_url: str, functions: Sequence[IndexedFunction]) -> dict[str, Any]:
        names: dict[str, list[str]] = {kind: [] for kind in _KINDS.values()}
        for function in functions:
            if kind := _KINDS.get(str(function.trigger["type"])):
                names[kind].append(function.name)
        where = {"worker": worker_url, "taskHub": self.task_hub, "storage": self._storage}
        return {**where, "hostJson": str(self._host_json), **names}

    async def _start_program(self, setup: dict[str, Any]) -> None:
        # A session of its own: Ctrl-C in a terminal must not end the engine before the app that it calls.
        process = await asyncio.create_subprocess_exec(
            str(self._program),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=self._environment(),
            start_new_session=self._own_session,
        )
        self._process = process
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self._logging = asyncio.create_task(_log_lines(process.stderr))
        process.stdin.write(json.dumps(setup).encode() + b"\n")
        await process.stdin.drain()
        printed: list[str] = []
        while line := await process.stdout.readline():
            if line.lstrip().startswith(b"{"):
                self.rpc_url, self.running = str(json.loads(line)["rpc"]), True
                return
            printed.append(line.decode(errors="replace"))
        raise EngineFailed(f"the Durable engine ended before it was ready: {''.join(printed)[-600:]}")

    def _environment(self) -> dict[str, str]:
        # The extension names its worker after these two, else after the machine, and two workers of one name would
        # both take themselves for the owner of every partition of the hub:
        # https://github.com/Azure/azure-functions-durable-extension/blob/dev/src/WebJobs.Extensions.DurableTask/AzureStorageDurabilityProviderFactory.cs
        worker = {"WEBSITE_CURRENT_STAMPNAME": "local", "RoleInstanceId": self._worker_name}
        storage = {"FUNCTIONS_WORKER_RUNTIME": "custom", "AzureWebJobsStorage": str(self._storage)}
        return {**os.environ, **worker, **storage}

    async def _keep_running(self, setup: dict[str, Any]) -> None:
        while True:
            assert self._process is not None
            code = await self._process.wait()
            self.running = False
            if self._closing:
                return
            _log.error("the Durable engine ended with %d; it is started again", code)
            await asyncio.sleep(_RESTART_S)
            try:
                await self._start_program(setup)
            except EngineFailed as error:
                _log.error("%s", error)

    async def _end(self) -> None:
        self._closing = True
        self.running = False
        if self._process is not None:
            await end_process(self._process)
        if self._logging is not None:
            await self._logging


async def _log_lines(stream: asyncio.StreamReader) -> None:
    # The extension's own warnings and errors; a stack trace is many lines.
    while line := await stream.readline():
        _log.warning("engine: %s", line.decode(errors="replace").rstrip())


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
