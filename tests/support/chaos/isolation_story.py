"""The same story with and without a disturbance, and what it must not change.

Decides the story: edits, sweeps, people who read the app's lists, the end of the disturbance, one more edit of each VM.
Decides what is compared: the VMs that the disturbance is not about, and how long VMs that are down wait.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from refresh.domain.azure.polls import LOOK_LIMIT_S, LOOK_SLOW_LIMIT_S
from tests.support.chaos.disturbances import Disturbance, begin
from tests.support.worlds.local_azure import LocalAzure, play
from tests.support.worlds.mixed_fleet import MACHINES, NEVER_BOOTS, SETTINGS, Machine, fleet, machine

ENDS_S, SWEPT_EVERY_S = 700.0, 300.0
_READ_AT_S = (15.0, 230.0, 460.0)
_LISTS = ("/api/vms", "/api/queue", "/api/runs")
# What a VM that is down, or that is being swapped, may wait longer because of another one: the rest of a look at a VM
# that has no answer, and the look at itself beside that VM.
MAY_WAIT_S = LOOK_SLOW_LIMIT_S + LOOK_LIMIT_S + 2


@dataclass
class Seen:
    """One VM at one moment."""

    disk: str
    power: str
    tags: dict[str, str]
    outcomes: list[tuple[str, str, str]]


@dataclass
class Record:
    """What a story has led to. Times are seconds since its beginning, `seen` is by the VM's name.

    `disturbed` is from the moment before the disturbance ends, `ended` from the end of the story.
    """

    disturbed: dict[str, Seen] = field(default_factory=dict)
    ended: dict[str, Seen] = field(default_factory=dict)
    started_s: dict[str, float] = field(default_factory=dict)
    down_s: dict[str, float] = field(default_factory=dict)
    bad_answers: list[str] = field(default_factory=list)
    text: str = ""
    state: dict[str, Any] = field(default_factory=dict)


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@contextmanager
def _logged() -> Iterator[list[str]]:
    """The messages of the app's log."""
    handler, logger, disabled = _Lines(), logging.getLogger("refresh"), logging.root.manager.disable
    level, propagates = logger.level, logger.propagate
    logging.disable(logging.NOTSET)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield handler.lines
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagates
        logging.disable(disabled)


def run_story(disturbance: Disturbance, *, paused: bool = False) -> Record:
    """Play the story; `paused`: swaps are paused during its first 200 seconds."""
    record = Record()

    async def story(azure: LocalAzure) -> None:
        await _Story(azure, disturbance, record, paused).play()

    with _logged() as lines:
        play(story, fleet(), settings=SETTINGS)
    record.text += "\n".join(lines)
    return record


@cache
def undisturbed(*, paused: bool) -> Record:
    """The story without a disturbance."""
    return run_story(Disturbance(), paused=paused)


@dataclass
class _Story:
    azure: LocalAzure
    disturbance: Disturbance
    record: Record
    paused: bool

    async def play(self) -> None:
        azure, self.began_s = self.azure, self.azure.clock.time()
        self.began = azure.clock.now()
        azure.simulator.services.faults.add([NEVER_BOOTS])
        if self.paused:
            await azure.api("POST", "/api/pause", {"why": "incident"})
        async with asyncio.TaskGroup() as group:
            group.create_task(self._disturb())
            for at_s in _READ_AT_S:
                group.create_task(self._read_lists(at_s))
            for one in MACHINES:
                if one.edited:
                    await azure.tag(one.id, OsDiskName=f"{one.name}-{one.wish}")
            await self._at(5)
            await azure.fire("sweep")
            if self.paused:
                await self._at(200)
                await azure.api("POST", "/api/resume", {})
            await self._at(SWEPT_EVERY_S)
            await azure.fire("sweep")
            await self._at(2 * SWEPT_EVERY_S)
            await azure.fire("sweep")
        await self._end()

    async def _disturb(self) -> None:
        if self.disturbance.events:
            await self._send(self.disturbance.events)
        await self._at(self.disturbance.begins_s)
        end = begin(self.azure, self.disturbance)
        await self._at(ENDS_S)
        self.record.disturbed = self._seen()
        self.record.text += json.dumps(await self._answers()) if self.disturbance.target else ""
        end()

    async def _end(self) -> None:
        """Let everything end, let the sweep and a person's edit of every VM be dealt with, and note the result."""
        azure = self.azure
        for _ in range(2):
            await azure.fire("sweep")
            await azure.settled(within_s=4 * 3600)
        for one in MACHINES:
            await azure.tag(one.id, owner="again")
        await azure.settled()
        self.record.ended = self._seen()
        self.record.state = azure.dispatcher_state()
        for one in MACHINES:
            starts = [each for each in azure.simulator.operations.of(one.id) if each.kind == "start"]
            if one.down and starts:
                self.record.started_s[one.name] = (starts[0].started - self.began).total_seconds()
            self.record.down_s[one.name] = self._down_s(one)

    def _down_s(self, one: Machine) -> float:
        pairs = self.azure.journal(one.id)["intervals"]
        return sum(
            (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds() for start, end in pairs
        )

    async def _read_lists(self, at_s: float) -> None:
        await self._at(at_s)
        await self._answers()

    async def _answers(self) -> list[Any]:
        return list(await asyncio.gather(*(self._answer(path) for path in _LISTS)))

    async def _answer(self, path: str) -> Any:
        began_s = self.azure.clock.time()
        status, answer = await self.azure.api("GET", path)
        took_s = self.azure.clock.time() - began_s
        if status != 200 or took_s > 230:
            self.record.bad_answers.append(f"{path}: {status} after {took_s:.0f} s: {str(answer)[:300]}")
        return answer

    async def _send(self, events: tuple[dict[str, Any], ...]) -> None:
        url = f"{self.azure.functions}/runtime/webhooks/eventgrid?functionName=on_resource_write"
        headers = {"aeg-event-type": "Notification"}
        async with self.azure.http.post(url, data=json.dumps(events), headers=headers) as answer:
            if answer.status != 202:
                self.record.bad_answers.append(f"events: {answer.status}: {await answer.text()}")

    async def _at(self, at_s: float) -> None:
        await asyncio.sleep(max(self.began_s + at_s - self.azure.clock.time(), 0))

    def _seen(self) -> dict[str, Seen]:
        return {one.name: self._seen_of(one) for one in MACHINES}

    def _seen_of(self, one: Machine) -> Seen:
        (vm,) = self.azure.simulator.resources(resource_id=one.id)
        rows = [row for row in self.azure.outcomes() if row["vm"].lower() == one.id.lower()]
        outcomes = [(row["status"], row["reason"], str(row.get("new_disk")).rsplit("/", 1)[-1]) for row in rows]
        return Seen(vm["properties"]["storageProfile"]["osDisk"]["name"], vm["_power"], dict(vm["tags"]), outcomes)


def assert_isolated(record: Record, plain: Record, disturbance: Disturbance) -> None:
    """Check that `record`, of a story with `disturbance`, differs from `plain` in the disturbed VMs alone."""
    assert record.bad_answers == []
    for one in MACHINES:
        if one.name not in disturbance.about:
            assert record.ended[one.name] == plain.ended[one.name], one.name
            assert record.disturbed[one.name] == plain.disturbed[one.name], one.name
            late_s = record.started_s.get(one.name, 0.0) - plain.started_s.get(one.name, 0.0)
            assert late_s <= MAY_WAIT_S, f"{one.name} was started {late_s:.0f} s later"
            longer_s = record.down_s[one.name] - plain.down_s[one.name]
            assert longer_s <= MAY_WAIT_S, f"{one.name} was down {longer_s:.0f} s longer"
        else:
            _assert_named(one, record, plain, disturbance)
            _assert_well(one, record, plain)
    left = {part: record.state.get(part) for part in ("hints", "look", "queue", "running", "down")}
    assert not any(left.values()), left


def _assert_named(one: Machine, record: Record, plain: Record, disturbance: Disturbance) -> None:
    if record.disturbed[one.name] != plain.disturbed[one.name]:
        assert disturbance.target is not None
        named = [name for name in disturbance.target.names if name in record.text]
        assert named, f"{one.name} ended as {record.disturbed[one.name]}, and nothing names it"


def _assert_well(one: Machine, record: Record, plain: Record) -> None:
    """Check that a disturbed VM ends as without it, or where a swap of it was disturbed: up, on a disk of its own."""
    ended = record.ended[one.name]
    if ended.disk == plain.ended[one.name].disk and ended.tags == plain.ended[one.name].tags:
        assert ended.power == plain.ended[one.name].power
        return
    assert ended.outcomes, f"{one.name}: {ended}"
    assert ended.power == "running", f"{one.name}: {ended}"
    assert "RefreshState" not in ended.tags, f"{one.name}: {ended}"
    assert ended.disk in (f"{one.name}-old", f"{one.name}-new"), f"{one.name}: {ended}"


__all__ = ["assert_isolated", "machine", "run_story", "undisturbed"]
