"""A story with chance faults is the same story every time: what failed once can be looked at."""

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
def told() -> list[dict[str, Any]]:
    """The stories as two processes tell them at once, in each of which sets and dicts of texts have another order."""

    async def tell(hash_seed: str) -> dict[str, Any]:
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
        return list(await asyncio.gather(*map(tell, _HASH_SEEDS)))

    return asyncio.run(both())


@pytest.mark.parametrize("story", ["recipe", "fleet"])
def test_a_story_with_chance_faults_is_repeated_request_by_request(told: list[dict[str, Any]], story: str) -> None:
    """The same seeds give the same requests at the same time with the same answers, and the same results."""
    first, again = (one[story] for one in told)
    assert len(first["requests"]) > 100
    assert any(status == 0 or status >= 429 for *_, status, _ in first["requests"]), "chance dealt nothing"
    assert first["requests"] == again["requests"]
    assert first == again
