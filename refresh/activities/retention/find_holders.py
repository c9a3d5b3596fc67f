"""Activity: which disks the dispatcher still needs, and which image definitions are being built, before a deletion."""

from __future__ import annotations

from typing import Any

from refresh.reading.instances import list_open_runs
from refresh.reading.retention.holders import held_among
from refresh.reading.retention.remembered_disks import read_remembered
from refresh.reading.retention.survey import building_among


async def find_holders(data: dict[str, Any], client: Any) -> dict[str, Any]:
    """`{"held": {id: why}, "building": [ids]}` for `{"disks": [ids], "definitions": [ids]}`.

    `client` is the durable client the host binds.
    """
    definitions = data.get("definitions", ())
    is_building = building_among(await list_open_runs(client) if definitions else ())
    return {
        "held": held_among(data.get("disks", ()), await read_remembered(client)),
        "building": [definition for definition in definitions if is_building(definition)],
    }
