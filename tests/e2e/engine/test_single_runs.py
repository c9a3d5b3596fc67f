"""Identical requests at two instances of the app at once, on Microsoft's Durable engine: one run begins."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from simulator.clock import Clock, run
from tests.support.infra.external_tools import need_engine
from tests.support.worlds.engine_world import Site, site, strict_storage
from tests.support.worlds.http_access import HttpAccess

KINDS = {
    "month": ("/api/refresh", {"period": "202611"}),
    # A month has images of its own period made, which is under way then.
    "images": ("/api/images", {"period": "202612"}),
    "retention": ("/api/retention", {"dryRun": False}),
    "selfcheck": ("/api/selfcheck", {}),
}
ROUNDS = 3
AT_ONCE = 8


@dataclass
class Rounds:
    """Of one kind: the answers of each round, and after the last round each run's record and the ids in the list."""

    answers: list[list[tuple[int, Any]]] = field(default_factory=list)
    ended: dict[str, Any] = field(default_factory=dict)
    records: dict[str, Any] = field(default_factory=dict)
    listed: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Rounds]:
    """All kinds at the same time on one hub with two instances."""
    need_engine()
    return run(lambda clock: _play(clock, tmp_path_factory.mktemp("single") / "log"), Clock("real"))


async def _play(clock: Clock, log: Path) -> dict[str, Rounds]:
    async with (
        strict_storage() as storage,
        site(clock, storage, [], hub="SingleRuns", log=log, instances=2) as azure,
    ):
        rounds = await asyncio.gather(*(_rounds(azure, kind) for kind in KINDS))
        return dict(zip(KINDS, rounds, strict=True))


async def _rounds(azure: Site, kind: str) -> Rounds:
    path, body = KINDS[kind]
    rounds = Rounds()
    for _ in range(ROUNDS):
        # The common address forwards the requests to the two instances in turn.
        answers = await asyncio.gather(*(azure.api("POST", path, body) for _ in range(AT_ONCE)))
        rounds.answers.append(answers)
        for run_id in [answer["id"] for status, answer in answers if status == 202]:
            rounds.ended[run_id] = await _ended(azure, run_id)
    for run_id in rounds.ended:
        _, rounds.records[run_id] = await azure.api("GET", f"/api/runs/{run_id}")
    _, found = await azure.api("GET", f"/api/runs?kind={kind}&top=100")
    rounds.listed = [one["id"] for one in found["value"]]
    return rounds


async def _ended(azure: HttpAccess, run_id: str) -> Any:
    for _ in range(240):
        status, record = await azure.api("GET", f"/api/runs/{run_id}")
        if status == 200 and record["status"] != "running":
            return record
        await asyncio.sleep(0.5)
    raise AssertionError(f"{run_id} did not end")


@pytest.mark.parametrize("kind", KINDS)
def test_one_request_of_many_starts_the_run(played: dict[str, Rounds], kind: str) -> None:
    """In each round one request gets 202; every other gets 409 with the id of that run."""
    for answers in played[kind].answers:
        assert sorted(status for status, _ in answers) == [202, *[409] * (AT_ONCE - 1)], answers
        (begun,) = [answer for status, answer in answers if status == 202]
        assert all(begun["href"] in problem["detail"] for status, problem in answers if status == 409), answers


@pytest.mark.parametrize("kind", KINDS)
def test_every_round_has_a_new_run_and_old_records_stay(played: dict[str, Rounds], kind: str) -> None:
    """After the end of a run the same request starts another one; no record changes."""
    rounds = played[kind]
    assert len(rounds.ended) == ROUNDS
    assert rounds.records == rounds.ended
    assert set(rounds.ended) <= set(rounds.listed)
