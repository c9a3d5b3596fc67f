"""Events about VMs as Event Grid delivers them, posted straight to the app's event function."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from itertools import batched
from typing import Any

from tests.support.worlds.local_azure import LocalAzure

# Event Grid delivers events one by one unless batches are configured; the function is called for each in any case.
PER_REQUEST = 100


def events_about(vms: Iterable[str], time: str = "2026-11-21T10:00:00Z") -> list[dict[str, Any]]:
    """One event for the write of each of `vms` (ids), in the Event Grid schema."""
    return [
        {
            "id": f"event-{number}",
            "topic": "/subscriptions/x",
            "subject": vm,
            "eventType": "Microsoft.Resources.ResourceWriteSuccess",
            "eventTime": time,
            "dataVersion": "2",
            "metadataVersion": "1",
            "data": {"resourceUri": vm, "operationName": "Microsoft.Compute/virtualMachines/write"},
        }
        for number, vm in enumerate(vms)
    ]


async def post_events(azure: LocalAzure, events: Sequence[dict[str, Any]]) -> None:
    """Post events in their order, a hundred in each request, all at once."""
    url = f"{azure.functions}/runtime/webhooks/eventgrid?functionName=on_resource_write"

    async def post(batch: Sequence[dict[str, Any]]) -> None:
        async with azure.http.post(url, json=list(batch), headers={"aeg-event-type": "Notification"}) as answer:
            assert answer.status < 300, await answer.text()

    await asyncio.gather(*(post(batch) for batch in batched(events, PER_REQUEST, strict=False)))
