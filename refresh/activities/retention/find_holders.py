"""Activity: what the app itself still needs of what is about to be deleted: the dispatcher's book and open builds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from refresh.domain.retention.mentions import read_mentions
from refresh.reading.dispatcher_state import read_dispatcher_state
from refresh.reading.instances import list_open_runs
from refresh.reading.retention.survey import building_among


async def find_holders(data: dict[str, Any], client: Any) -> dict[str, Any]:
    """`{"held": {id: why}, "building": [ids]}` for `{"disks": [ids], "definitions": [ids]}`.

    `client` is the durable client the host binds.
    """
    definitions = data.get("definitions", ())
    is_building = building_among(await list_open_runs(client) if definitions else ())
    return {
        "held": held_among(data.get("disks", ()), await read_dispatcher_state(client)),
        "building": [definition for definition in definitions if is_building(definition)],
    }


def held_among(disks: Iterable[str], book: Mapping[str, Any]) -> dict[str, str]:
    """Which of `disks` (ids) the dispatcher's `book` holds for somebody, and what for."""
    mentions = read_mentions((), book)
    whys = {disk: mentions.by_book(disk, disk.rsplit("/", 1)[-1]) for disk in disks}
    return {disk: why for disk, why in whys.items() if why is not None}
