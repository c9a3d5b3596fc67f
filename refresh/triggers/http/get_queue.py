"""GET queue: which VMs are looked at, which are being swapped, which wait and for what."""

from __future__ import annotations

import azure.functions as func
from azure.durable_functions import DurableFunctionsClient

from refresh import wiring
from refresh.reading.dispatcher_state import read_dispatcher_state
from refresh.triggers.http.problem import answering, ok
from refresh.triggers.http.requests import read_query
from refresh.views.dispatcher_state import DispatcherView
from refresh.views.queue import queue_view


@answering
async def get_queue(req: func.HttpRequest, client: DurableFunctionsClient) -> func.HttpResponse:
    """`GET queue`: the dispatcher's queue; no request goes to Azure."""
    read_query(req, ())
    dispatcher = DispatcherView(await read_dispatcher_state(client))
    return ok(queue_view(dispatcher, wiring.settings().max_swaps))
