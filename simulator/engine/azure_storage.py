"""Microsoft's Durable extension as an engine: a separate program with its state in Azure Storage or Azurite.

Decides how the program is started and restarted, and how its calls reach the worker. Does not know what an
orchestration is. The engine's timers and queues use the machine's time, so the simulator's clock must be real.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import uuid
from asyncio.subprocess import PIPE, Process
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import grpc
from aiohttp import web
from durabletask.internal import orchestrator_service_pb2 as pb
from durabletask.internal import orchestrator_service_pb2_grpc as stubs

from simulator.durable import Worker
from simulator.engine.azurite import Azurite
from simulator.engine.callback import Callback
from simulator.engine.contract import DurableNames
from simulator.engine.process import end_process
from simulator.engine.program import find_engine
from simulator.engine.strict_storage import StrictStorage

_log = logging.getLogger(__name__)
# The start of the line in which .NET reports why a program ends.
_UNHANDLED = "Unhandled exception."
# Azure restarts a dead host at once; the pause of a second keeps a program that cannot start from spinning.
_RESTART_S = 1.0


class EngineFailed(RuntimeError):
    """The engine's program ended before it was ready; the text is the last line it printed."""


class AzureStorageEngine:
    """The engine for the app in `app_dir`, whose host.json it reads.

    `storage` is the connection string of a running storage; without it the engine starts Azurite with `StrictStorage`
    in front. `latency_s` is the delay of each request to that storage, in seconds. `task_hub` names the hub. Two
    engines on the same storage and hub share the work, as two instances of an app do; each has its own worker name, as
    two machines have. A program that dies is restarted after a second, under the same worker name.
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
        """Make it without starting anything. MissingProgram if the program is not on this machine."""
        self._program = program or find_engine()
        self._host_json = app_dir / "host.json"
        self._storage, self._latency_s = storage, latency_s
        self.task_hub = task_hub or "t" + uuid.uuid4().hex[:12]
        self._worker_name, self._own_session = uuid.uuid4().hex[:12], own_session
        self.rpc_url = ""
        self.running = False
        self._callback = Callback()
        self._process: Process | None = None
        self._logging: asyncio.Task[str] | None = None
        self._closing = False

    @property
    def pid(self) -> int:
        """The process id of the running program."""
        assert self._process is not None
        return self._process.pid

    async def start(self, stack: AsyncExitStack, names: DurableNames) -> None:
        """Start storage and engine and wait until it accepts calls. MissingProgram, AzuriteFailed, EngineFailed."""
        if self._storage is None:
            azurite = await stack.enter_async_context(Azurite())
            strict = await stack.enter_async_context(StrictStorage(azurite, latency_s=self._latency_s))
            self._storage = strict.connection_string
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        runner = web.AppRunner(self._callback.application(), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.SockSite(runner, listener).start()
        setup = self._setup(f"http://127.0.0.1:{listener.getsockname()[1]}", names)
        stack.push_async_callback(self._end)
        await self._start_program(setup)
        keeping = asyncio.create_task(self._keep_running(setup))
        stack.push_async_callback(_cancel, keeping)

    async def attach(self, stack: AsyncExitStack, worker: Worker) -> None:
        """Pass the engine's calls to `worker`; until then they wait."""
        self._callback.attach(worker)
        stack.callback(self._callback.detach)

    async def entity_state(self, entity_id: str) -> Any:
        """The entity's state in the engine's storage."""
        async with grpc.aio.insecure_channel(self.rpc_url.removeprefix("http://")) as channel:
            stub = stubs.TaskHubSidecarServiceStub(channel)
            answer = await stub.GetEntity(pb.GetEntityRequest(instanceId=entity_id, includeState=True))
        return json.loads(answer.entity.serializedState.value) if answer.exists else None

    async def close(self) -> None:
        """Restart the program no more."""
        self._closing = True

    def _setup(self, worker_url: str, names: DurableNames) -> dict[str, Any]:
        where = {"worker": worker_url, "taskHub": self.task_hub, "storage": self._storage}
        return {**where, "hostJson": str(self._host_json), **asdict(names)}

    async def _start_program(self, setup: dict[str, Any]) -> None:
        # In its own session: Ctrl-C in a terminal must not end the engine before the app that it calls.
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
        while line := await process.stdout.readline():
            if line.lstrip().startswith(b"{"):
                self.rpc_url, self.running = str(json.loads(line)["rpc"]), True
                return
        raise EngineFailed(f"the Durable engine ended before it was ready: {await self._logging}")

    def _environment(self) -> dict[str, str]:
        # The extension names its worker after these two variables, else after the machine. Two workers of the same name
        # would both act as the owner of every partition of the hub:
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
            _log.error("the Durable engine ended with %d; restarting it", code)
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


async def _log_lines(stream: asyncio.StreamReader) -> str:
    """Log the extension's warnings and errors until it ends; returns the line with the reason, or the last line."""
    last = ""
    while line := (await stream.readline()).decode(errors="replace"):
        _log.warning("engine: %s", line.rstrip())
        if not last.startswith(_UNHANDLED):
            last = line.strip() or last
    return last


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
