"""Microsoft's engine still answers as it is kept: a story of each kind, and what it does not start with."""

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
from tests.support.engine.stage import on_the_engine
from tests.support.engine.worlds import LIVE, WORLDS
from tests.support.infra.external_tools import need_engine


@pytest.fixture(scope="module")
def answers() -> Mapping[str, Any]:
    """The live stories, told at once on one engine."""
    need_engine()
    return on_the_engine(WORLDS["ordinary"], LIVE, at_once=len(LIVE))


@pytest.mark.parametrize("story", LIVE)
def test_the_engine_answers_as_it_is_kept(answers: Mapping[str, Any], story: str) -> None:
    """What the hub is held to is what the engine on this machine says."""
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
def test_the_local_host_refuses_a_host_json_in_the_words_of_the_engine(durable: dict[str, Any], tmp_path: Path) -> None:
    """Neither starts with it, and both say the same."""
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
