"""Values of host.json that the local host uses, and those it refuses as the Durable extension does."""

import json
from pathlib import Path
from typing import Any

import pytest

from simulator.functions.host_json import HostJson, HostJsonRefused


def read(folder: Path, durable: dict[str, Any]) -> HostJson:
    """Read a host.json with these settings of the Durable extension."""
    (folder / "host.json").write_text(json.dumps({"extensions": {"durableTask": durable}}))
    return HostJson.read(folder)


@pytest.mark.parametrize(
    ("durable", "message"),
    [
        ({"storageProvider": {"controlQueueVisibilityTimeout": "00:00:59.9"}}, "must be between 1 and 60 minutes"),
        ({"storageProvider": {"controlQueueVisibilityTimeout": "1.00:00:00"}}, "must be between 1 and 60 minutes"),
        ({"maxConcurrentActivityFunctions": 0}, "MaxConcurrentActivityFunctions must be a positive integer value"),
        ({"maxEntityOperationBatchSize": -1}, "MaxEntityOperationBatchSize must be a positive integer value"),
    ],
)
def test_values_that_the_extension_refuses_are_refused(durable: dict[str, Any], message: str, tmp_path: Path) -> None:
    """The message is the extension's."""
    with pytest.raises(HostJsonRefused, match=message):
        read(tmp_path, durable)


def test_host_json_sets_how_long_messages_stay_hidden(tmp_path: Path) -> None:
    """Messages of turns and batches for a minute to an hour, of activities for any time; by default five minutes."""
    storage = {"controlQueueVisibilityTimeout": "01:00:00", "workItemQueueVisibilityTimeout": "00:00:20"}
    limits = read(tmp_path, {"storageProvider": storage}).limits
    assert (limits.control_hidden_s, limits.work_item_hidden_s) == (3600, 20)
    limits = read(tmp_path, {}).limits
    assert (limits.control_hidden_s, limits.work_item_hidden_s) == (300, 300)


@pytest.mark.parametrize(("durable", "sorts"), [({}, True), ({"entityMessageReorderWindowInMinutes": 0}, False)])
def test_the_message_sorter_works_unless_it_is_switched_off(
    durable: dict[str, Any], sorts: bool, tmp_path: Path
) -> None:
    """Its window is half an hour by default; 0 switches it off."""
    assert read(tmp_path, durable).limits.sorts_calls is sorts
