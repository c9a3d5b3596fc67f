"""A story with random faults is the same in every run, so a failure can be repeated."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

import pytest

from tests.support.worlds.local_azure import ROOT

_HASH_SEEDS = ("1", "2")


@pytest.fixture(scope="module")
def results() -> list[dict[str, Any]]:
    """The results of the stories in two processes with different hash seeds, so sets have another order."""

    async def play(hash_seed: str) -> dict[str, Any]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.support.chaos.random_fault_scenarios"),
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate()
        assert process.returncode == 0
        return dict(json.loads(out))

    async def both() -> list[dict[str, Any]]:
        return list(await asyncio.gather(*map(play, _HASH_SEEDS)))

    return asyncio.run(both())


@pytest.mark.parametrize("story", ["recipe", "fleet"])
def test_a_story_with_chance_faults_is_repeated_request_by_request(results: list[dict[str, Any]], story: str) -> None:
    """The same seeds give the same requests at the same times with the same responses, and the same results."""
    first, again = (one[story] for one in results)
    assert len(first["requests"]) > 100
    assert any(status == 0 or status >= 429 for *_, status, _ in first["requests"]), "no fault occurred"
    assert first["requests"] == again["requests"]
    assert first == again
