"""The local Functions host: one app, one durable engine, one port.

Decides the order in which the parts start and stop. Does not know what a part does or which engine it runs on.
"""

from __future__ import annotations

import asyncio
import socket
import uuid
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import azure_functions_runtime as runtime
from aiohttp import web

from simulator.clock import Clock
from simulator.durable import DurableHub
from simulator.durable.client_calls import calls_hold
from simulator.engine.contract import DurableNames, Engine
from simulator.engine.simulated import SimulatedEngine
from simulator.functions.host_json import HostJson
from simulator.functions.indexing import IndexedFunction, indexed, loaded
from simulator.functions.invocation import Invoker, durable_client_configuration
from simulator.functions.ncrontab import Schedule
from simulator.functions.routes import Routes
from simulator.functions.settings import applied, is_disabled
from simulator.functions.timers import run_timer, schedules
from simulator.functions.worker import AppWorker

# The default of 75 s would be simulated seconds and close connections too early.
_KEEP_ALIVE_S = 1e9


class FunctionsHost:
    """Hosts the app in `app_dir` on 127.0.0.1, on the event loop it is started on.

    `settings` are the app settings: they are in the environment while the host runs and replace `%NAME%` in bindings.
    `engine` runs the durable functions; without one the host makes a simulated engine, with repeatable ids if there is
    a `seed`. `SimulatedEngine(hub)` continues the work of an existing hub. While the host runs, `functions` lists the
    functions it serves.
    """

    def __init__(
        self,
        app_dir: Path,
        clock: Clock,
        *,
        settings: Mapping[str, str],
        port: int = 7071,
        engine: Engine | None = None,
        seed: int | None = None,
    ) -> None:
        self._app_dir = app_dir
        self._clock = clock
        self._settings = dict(settings)
        self._port = port
        self._host_json = HostJson.read(app_dir)
        self._running = AsyncExitStack()
        self.engine = engine or SimulatedEngine(DurableHub(clock, self._host_json.limits, seed))
        self.functions: list[IndexedFunction] = []
        self._url, self._system_key = "", uuid.uuid4().hex

    @property
    def hub(self) -> DurableHub:
        """The hub of a simulated engine. TypeError for another engine: its hub is outside this process."""
        if not isinstance(self.engine, SimulatedEngine):
            raise TypeError(f"{type(self.engine).__name__} keeps its state outside this process")
        return self.engine.hub

    @property
    def durable_client(self) -> str:
        """The current configuration of the app's durable clients."""
        limit = self._host_json.max_message_bytes
        return durable_client_configuration(self.engine.rpc_url, self._url, self._system_key, limit)

    async def start(self) -> str:
        """Load the app, serve it and return the base URL. Port 0 is any port.

        IndexingFailed gives the worker's reason, BadTimers every unknown setting, BadRoute the function.
        """
        async with AsyncExitStack() as starting:
            url = await self._start(starting)
            self._running = starting.pop_all()
        return url

    async def stop(self) -> None:
        """Stop serving, detach the worker from the engine and unload the app. The engine's storage keeps its state."""
        await self._running.aclose()

    async def _start(self, stack: AsyncExitStack) -> str:
        stack.enter_context(applied(self._settings))
        stack.enter_context(loaded(self._app_dir))
        found = await indexed(self._app_dir)
        self.functions = [function for function in found if not is_disabled(function.name, self._settings)]
        timers = schedules(self.functions, self._settings)
        stack.enter_context(calls_hold(self._clock))
        runtime.start_threadpool_executor()
        stack.callback(runtime.stop_threadpool_executor)
        await self.engine.start(stack, _durable_names(self.functions))
        listener = stack.enter_context(socket.create_server(("127.0.0.1", self._port)))
        self._url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        invoker = Invoker(lambda: self.durable_client)
        routes = Routes(self._clock, self.functions, invoker, self._host_json.route_prefix)
        await _serve(stack, listener, routes.application())
        await self.engine.attach(stack, AppWorker(self.functions, invoker))
        self._start_timers(stack, invoker, timers)
        return self._url

    def _start_timers(self, stack: AsyncExitStack, invoker: Invoker, timers: Mapping[str, Schedule]) -> None:
        for function in self.functions:
            if function.name in timers:
                running = run_timer(self._clock, invoker, function, timers[function.name])
                task = asyncio.get_running_loop().create_task(running)
                stack.push_async_callback(_cancel, task)


def _durable_names(functions: Sequence[IndexedFunction]) -> DurableNames:
    kinds = ("orchestrationTrigger", "entityTrigger", "activityTrigger")
    return DurableNames(*(tuple(each.name for each in functions if each.trigger["type"] == kind) for kind in kinds))


async def _serve(stack: AsyncExitStack, listener: socket.socket, application: web.Application) -> None:
    runner = web.AppRunner(application, access_log=None, keepalive_timeout=_KEEP_ALIVE_S, shutdown_timeout=1.0)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.SockSite(runner, listener).start()


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
