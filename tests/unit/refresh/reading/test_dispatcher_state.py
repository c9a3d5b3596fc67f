"""Reads of the dispatcher's state during its replacement."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import grpc
import pytest
from durabletask.entities import EntityInstanceId

from refresh.reading.dispatcher_state import read_dispatcher_state

ROOT = Path(__file__).parents[4]


class TornClient:
    """A durable client whose first reads are answered with `code`, as the extension answers when the blob is gone."""

    def __init__(self, code: grpc.StatusCode, failures: int) -> None:
        self.code, self.failures, self.reads = code, failures, 0

    async def get_entity(self, entity: EntityInstanceId) -> Any:
        """Fail `failures` times, then return no entity."""
        self.reads += 1
        if self.reads <= self.failures:
            none = grpc.aio.Metadata()
            raise grpc.aio.AioRpcError(self.code, none, none, "Exception was thrown by handler.")
        return None


def read(client: Any) -> dict[str, Any]:
    return asyncio.run(read_dispatcher_state(client)).json


def test_a_read_that_meets_the_replacement_is_made_again() -> None:
    """UNKNOWN is what the extension answers when the state's blob was replaced meanwhile."""
    client = TornClient(grpc.StatusCode.UNKNOWN, 2)
    assert read(client) == {}
    assert client.reads == 3


def test_a_state_that_cannot_be_read_at_all_is_an_error() -> None:
    """Not an empty state, which would look like a dispatcher without any work."""
    client = TornClient(grpc.StatusCode.UNKNOWN, 99)
    with pytest.raises(grpc.aio.AioRpcError):
        read(client)
    assert client.reads == 4


def test_another_failure_is_not_retried() -> None:
    """An error of the engine is raised at once."""
    client = TornClient(grpc.StatusCode.UNAVAILABLE, 1)
    with pytest.raises(grpc.aio.AioRpcError):
        read(client)
    assert client.reads == 1


def test_the_state_is_read_in_one_place() -> None:
    """No other file reads an entity."""
    users = [path for path in (ROOT / "refresh").rglob("*.py") if re.search(r"\bget_entity\(", path.read_text())]
    assert [path.name for path in users] == ["entities.py"]
