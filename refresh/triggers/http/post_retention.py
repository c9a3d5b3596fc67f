"""POST retention: lists disks and image versions that are no longer needed, and deletes them with `"dryRun": false`."""

from __future__ import annotations

import azure.functions as func
from azure.durable_functions import DurableFunctionsClient

from refresh import wiring
from refresh.reading.instances import list_open_runs
from refresh.reading.retention.remembered_disks import read_remembered
from refresh.reading.retention.survey import is_in_use, rows_of, survey_all
from refresh.records import durable_names
from refresh.records.retention import RetentionInput
from refresh.triggers.http.problem import answering, ok
from refresh.triggers.http.requests import read_body
from refresh.triggers.http.single_runs import SingleRun, start_single
from refresh.views.removals import retention_plan


@answering
async def post_retention(req: func.HttpRequest, client: DurableFunctionsClient) -> func.HttpResponse:
    """`POST retention`: a dry run by default, because a deletion cannot be undone."""
    body = read_body(req, ("dryRun",), dry_run=True)
    gateways, settings = wiring.gateways(), wiring.settings()
    if not body.dry_run:
        now = await gateways.clock.now()
        period = now[:4] + now[5:7]
        request = RetentionInput(delete=True)
        return await start_single(
            client, SingleRun("retention", period, durable_names.APPLY_RETENTION, request.to_json())
        )
    disks, versions = await survey_all(gateways, settings, await read_remembered(client), await list_open_runs(client))
    in_use = sum(is_in_use(disk) for disk in disks.disks.values())
    return ok(retention_plan([row.to_json() for row in rows_of(disks, versions)], in_use))
