"""Activity: lists what can be deleted now, and with `rows` why everything else stays."""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.gateways.errors import GatewayError
from refresh.reading.instances import list_open_runs
from refresh.reading.retention.remembered_disks import read_remembered
from refresh.reading.retention.survey import is_in_use, rows_of, survey_all
from refresh.records.retention import DELETE, DISK


async def plan_retention(data: dict[str, Any], client: Any) -> dict[str, Any]:
    """`{"disks": [ids], "versions": [ids]}` that can be deleted; with `{"rows": true}` every `ResourceRow` instead.

    `{"problem"}` when anything could not be read completely. `client` is the durable client that the host binds.
    """
    gateways, settings = wiring.gateways(), wiring.settings()
    try:
        disks, versions = await survey_all(
            gateways, settings, await read_remembered(client), await list_open_runs(client)
        )
    except GatewayError as error:
        return {"problem": f"not everything could be read, so nothing is deleted: {error}"}
    rows = rows_of(disks, versions)
    if data.get("rows"):
        in_use = sum(is_in_use(disk) for disk in disks.disks.values())
        return {"rows": [row.to_json() for row in rows], "in_use": in_use}
    deletable = [row for row in rows if row.decision == DELETE]
    return {
        "disks": [row.id for row in deletable if row.kind == DISK],
        "versions": [row.id for row in deletable if row.kind != DISK],
    }
