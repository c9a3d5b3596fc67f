"""GET queue: who is looked at, who is being swapped, who waits and for what."""

from __future__ import annotations

import azure.functions as func
from azure.durable_functions import DurableFunctionsClient

from refresh import wiring
from refresh.triggers.http.durable_client import read_book
from refresh.triggers.http.problem import answering, ok
from refresh.triggers.http.requests import read_query
from refresh.views.queue import queue_view


@answering
async def get_queue(req: func.HttpRequest, client: DurableFunctionsClient) -> func.HttpResponse:
    """`GET queue`: the dispatcher's book as people see it; asks Azure for nothing."""
    read_query(req, ())
    return ok(queue_view(await read_book(client), wiring.settings().max_swaps))
