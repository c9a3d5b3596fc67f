"""GET orphans: resources of builds that have ended, left incomplete, with the commands that delete them."""

from __future__ import annotations

import azure.functions as func
from azure.durable_functions import DurableFunctionsClient

from refresh import wiring
from refresh.reading.fleet.scope import unread_rows
from refresh.reading.instances import list_open_runs
from refresh.reading.retention.orphans import find_orphans
from refresh.triggers.http.problem import answering, ok
from refresh.triggers.http.requests import read_query


@answering
async def get_orphans(req: func.HttpRequest, client: DurableFunctionsClient) -> func.HttpResponse:
    """`GET orphans`: rows of `kind`, `id`, `message` and `commands`; deletes nothing.

    `unread` names each subscription whose disks are missing from the list.
    """
    read_query(req, ())
    found, unread = await find_orphans(wiring.gateways(), wiring.settings(), await list_open_runs(client))
    rows = [{"kind": one.kind, "id": one.id, "message": one.message, "commands": list(one.commands)} for one in found]
    return ok({"value": rows, "nextLink": None, "unread": unread_rows(unread, "its disks")})
