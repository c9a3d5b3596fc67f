"""The local Functions host: one app, one hub, one port.

Decides the order in which the parts come up and go down. Refuses to know what any part does.
"""

from __future__ import annotations

import asyncio
import socket
import uuid
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import azure_functions_runtime as runtime
from aiohttp import web

from simulator.clock import Clock
from simulator.durable import DurableHub
from simulator.durable.client_calls import seen_by
from simulator.durable.rpc import DurableRpc
from simulator.functions.host_json import HostJson
from simulator.functions.indexing import IndexedFunction, indexed, loaded
from simulator.functions.invocation import Invoker, durable_client_configuration
from simulator.functions.ncrontab import Schedule
from simulator.functions.routes import Routes
from simulator.functions.settings import applied, is_disabled
from simulator.functions.timers import run_timer, schedules
from simulator.functions.worker import AppWorker

# Simulated time runs fast: a connection must not be closed after 75 of its seconds.
_KEEP_ALIVE_S = 1e9


class FunctionsHost:
    """Hosts the app in `app_dir` on 127.0.0.1, on the event loop it is started on.

    `settings` are the app settings: in the environment while the host runs, and what `%NAME%` in bindings means.
    `hub` is what the app's durable functions keep; hand an existing one over and its work goes on in this host.
    Without one the host makes its own, with repeatable ids if there is a `seed`. While it runs, `functions` are those
    the host serves and `durable_client` is the configuration their clients get.
    """

    def __init__(
        self,
        app_dir: Path,
        clock: Clock,
        *,
        settings: Mapping[str, str],
        port: int = 7071,
        hub: DurableHub | None = None,
        seed: int | None = None,
    ) -> None:
        self._app_dir = app_dir
        self._clock = clock
        self._settings = dict(settings)
        self._port = port
        self._host_json = HostJson.read(app_dir)
        self._running = AsyncExitStack()
        self.hub = hub or DurableHub(clock, self._host_json.limits, seed)
        self.functions: list[IndexedFunction] = []
        self.durable_client = ""

    async def start(self) -> str:
        """Load the app and serve it; the base URL. Port 0 is any port.

        IndexingFailed with the worker's reason, BadTimers with every unknown setting, BadRoute with the function.
        """
        async with AsyncExitStack() as starting:
            url = await self._start(starting)
            self._running = starting.pop_all()
        return url

    async def stop(self) -> None:
        """Stop serving, take the worker from the hub and unload the app. The hub keeps everything."""
        await self._running.aclose()

    async def _start(self, stack: AsyncExitStack) -> str:
        stack.enter_context(applied(self._settings))
        stack.enter_context(loaded(self._app_dir))
        found = await indexed(self._app_dir)
        self.functions = [function for function in found if not is_disabled(function.name, self._settings)]
        timers = schedules(self.functions, self._settings)
        stack.enter_context(seen_by(self._clock))
        runtime.start_threadpool_executor()
        stack.callback(runtime.stop_threadpool_executor)
        rpc = DurableRpc(self.hub)
        rpc_url = await rpc.start()
        stack.push_async_callback(rpc.stop)
        listener = stack.enter_context(socket.create_server(("127.0.0.1", self._port)))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        system_key = uuid.uuid4().hex
        self.durable_client = durable_client_configuration(rpc_url, url, system_key)
        invoker = Invoker(self.durable_client)
        routes = Routes(self._clock, self.functions, invoker, self._host_json.route_prefix)
        await _serve(stack, listener, routes.application())
        self.hub.attach(AppWorker(self.functions, invoker))
        stack.push_async_callback(self.hub.detach)
        self._start_timers(stack, invoker, timers)
        return url

    def _start_timers(self, stack: AsyncExitStack, invoker: Invoker, timers: Mapping[str, Schedule]) -> None:
        for function in self.functions:
            if function.name in timers:
                running = run_timer(self._clock, invoker, function, timers[function.name])
                task = asyncio.get_running_loop().create_task(running)
                stack.push_async_callback(_cancel, task)


async def _serve(stack: AsyncExitStack, listener: socket.socket, application: web.Application) -> None:
    runner = web.AppRunner(application, access_log=None, keepalive_timeout=_KEEP_ALIVE_S, shutdown_timeout=1.0)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.SockSite(runner, listener).start()


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
