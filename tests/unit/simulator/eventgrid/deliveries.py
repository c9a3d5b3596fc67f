"""A webhook, an Event Grid with it as subscriber, and writes that become events."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiohttp import web

from simulator import clock as clocks
from simulator.arm.core.write_events import WriteEvent
from simulator.clock import Clock
from simulator.eventgrid import Chaos, EventGrid, Filters

VM = "/subscriptions/S1/resourceGroups/Rg/providers/Microsoft.Compute/virtualMachines/vm1"


def tags_write(at: datetime, resource_id: str = VM) -> WriteEvent:
    return WriteEvent(
        resource_id=resource_id,
        scope=f"{resource_id}/providers/Microsoft.Resources/tags/default",
        operation_name="Microsoft.Resources/tags/write",
        kind="write",
        method="PATCH",
        url=f"http://127.0.0.1{resource_id}/providers/Microsoft.Resources/tags/default?api-version=2021-04-01",
        at=at,
        correlation_id="11111111-2222-3333-4444-555555555555",
        client_request_id="client-1",
        status="Succeeded",
    )


@dataclass
class Webhook:
    """A webhook that answers the handshake, then with the statuses of its script, then with 200."""

    clock: Clock
    script: list[int] = field(default_factory=list)
    echo: bool = True
    received: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        events = await request.json()
        if request.headers["aeg-event-type"] == "SubscriptionValidation":
            code = events[0]["data"]["validationCode"]
            return web.json_response({"validationResponse": code if self.echo else "no"})
        assert request.headers["aeg-event-type"] == "Notification"
        self.received += [(self.clock.time(), event) for event in events]
        self.headers.append(dict(request.headers))
        return web.Response(status=self.script.pop(0) if self.script else 200)

    def ids(self) -> list[str]:
        return [event["id"] for _, event in self.received]


async def _serve(webhook: Webhook, body: Callable[[str], Awaitable[None]]) -> None:
    app = web.Application()
    app.router.add_post("/hook", webhook.handle)
    runner = web.AppRunner(app, keepalive_timeout=1e9)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        await body(f"http://127.0.0.1:{runner.addresses[0][1]}/hook")
    finally:
        await runner.cleanup()


def story(
    steps: Callable[[EventGrid, Webhook], Coroutine[Any, Any, None]],
    *,
    chaos: Chaos | None = None,
    script: list[int] | None = None,
    filters: Filters | None = None,
) -> Webhook:
    """Run a scenario on a virtual clock with one subscribed webhook and return the webhook."""

    async def main(clock: Clock) -> Webhook:
        webhook = Webhook(clock, script or [])
        grid = EventGrid(clock, chaos, tenant_id="T1")

        async def body(url: str) -> None:
            await (grid.subscribe(url, filters=filters) if filters else grid.subscribe(url))
            await steps(grid, webhook)
            await grid.close()

        await _serve(webhook, body)
        return webhook

    return clocks.run(main, Clock("virtual"))
