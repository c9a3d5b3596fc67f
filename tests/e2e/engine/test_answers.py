"""Microsoft's engine still gives the stored answers for a story of each kind, and refuses the same host.json values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from simulator.clock import Clock, run
from simulator.engine.azure_storage import AzureStorageEngine, EngineFailed
from simulator.engine.contract import DurableNames
from simulator.functions.host_json import HostJson, HostJsonRefused
from tests.support.engine.answers import kept
from tests.support.engine.run_stories import on_the_engine
from tests.support.engine.worlds import LIVE, WORLDS
from tests.support.infra.external_tools import need_engine


@pytest.fixture(scope="module")
def answers() -> Mapping[str, Any]:
    """The answers of the live stories, played at the same time on one engine."""
    need_engine()
    return on_the_engine(WORLDS["ordinary"], LIVE, at_once=len(LIVE))


@pytest.mark.parametrize("story", LIVE)
def test_the_engine_gives_the_stored_answers(answers: Mapping[str, Any], story: str) -> None:
    """The engine on this machine gives the stored answers that the hub is compared with."""
    assert answers[story] == kept("ordinary")[story]


@pytest.mark.parametrize(
    "durable",
    [
        {"storageProvider": {"controlQueueVisibilityTimeout": "00:00:59"}},
        {"storageProvider": {"controlQueueVisibilityTimeout": "01:00:01"}},
        {"maxConcurrentEntityFunctions": 0},
        {"maxEntityOperationBatchSize": 0},
    ],
    ids=["hidden-too-shortly", "hidden-too-long", "no-entities", "no-batch"],
)
def test_the_local_host_refuses_a_host_json_with_the_engines_message(durable: dict[str, Any], tmp_path: Path) -> None:
    """Neither the local host nor the engine starts, and the messages are the same."""
    need_engine()
    (tmp_path / "host.json").write_text(json.dumps({"extensions": {"durableTask": durable}}))
    with pytest.raises(HostJsonRefused) as refusal:
        HostJson.read(tmp_path)

    async def start(clock: Clock) -> None:
        async with AsyncExitStack() as stack:
            await AzureStorageEngine(tmp_path).start(stack, DurableNames((), (), ()))

    with pytest.raises(EngineFailed) as failure:
        run(start, Clock("real"))
    assert str(refusal.value) in str(failure.value)
