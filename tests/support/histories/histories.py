"""Stored histories of orchestrations: the events and actions of each turn, small enough to read.

Decides the JSON form of a history, and which parts of it differ from run to run. Leaves the recording to
`tests.commands.histories`, the replay to `tests.support.histories.replay_orchestrations`.

A file is one execution: `{"orchestration", "story", "instance", "turns": [{"at", "events", "actions"}]}`. Events are
the hub's input to the orchestrator, actions its answer; `n` is the action's number, which events refer to.

    ["started", input]          [n, "activity", name]
    ["answered", n, result]     [n, "call", "entity.operation"]
    ["failed", n, type, text]   [n, "signal", "entity.operation"]
    ["entity", n, reply]        [n, "timer", seconds]
    ["timer", n]                [n, "start", orchestration]
    ["event", name, data]       [n, "event", name, target]
    ["child", n, result]         [n, "end", status]
    ["child failed", n, type, text]
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "data" / "histories"

Event = list[Any]
Action = list[Any]

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d+")
_PORT = re.compile(r"http://127\.0\.0\.1:\d+")
_CHILD = re.compile(
    r"\b(images|disks|tags|swaps|build|recipe|machine|proof)-(\d{6}(?:-[0-9a-f]{12})?|[0-9a-f]{12})-([0-9a-f]{8})\b"
)
# A temporary group's name contains the hash of its run's id, which is random.
_GROUP = re.compile(r"\b(refresh-(?:build|proof)-[A-Za-z0-9_-]+)-([0-9a-f]{12})\b")
_TOKEN = re.compile(r'("token": ")[^"]+')
# The ids of the scenarios, which are fixed, stay.
_KEPT_UUID = re.compile(r"(\d)\1{7}-")


@dataclass
class Turn:
    """One turn: its time, its events, and the actions that the orchestrator requested."""

    at: datetime
    events: list[Event]
    actions: list[Action] = field(default_factory=list)


@dataclass
class History:
    """One execution of an orchestration in a story."""

    orchestration: str
    story: str
    instance: str
    turns: list[Turn]

    @property
    def file(self) -> Path:
        """The path of the stored history."""
        return FOLDER / f"{self.orchestration}.{re.sub('[^a-z]+', '-', self.story)}.json"

    def dump(self) -> str:
        """The history as JSON text, one line for each event and action."""
        head = {"orchestration": self.orchestration, "story": self.story, "instance": self.instance}
        lines = [f" {json.dumps(key)}: {json.dumps(value)}," for key, value in head.items()]
        turns = ",\n".join(_dump_turn(turn) for turn in self.turns)
        return "{\n" + "\n".join(lines) + ' "turns": [\n'.replace(" ", "\n ", 1) + turns + "\n ]\n}\n"

    @classmethod
    def load(cls, path: Path) -> History:
        """Read a stored history."""
        data = json.loads(path.read_text(encoding="utf-8"))
        turns = [Turn(datetime.fromisoformat(turn["at"]), turn["events"], turn["actions"]) for turn in data["turns"]]
        return cls(data["orchestration"], data["story"], data["instance"], turns)


def stored() -> Iterator[History]:
    """Every stored history of the current stories."""
    for path in sorted(FOLDER.glob("*.json")):
        yield History.load(path)


def kept() -> Iterator[History]:
    """Histories of earlier versions, in their own folders: such runs may still be under way; no story produces them."""
    for path in sorted(FOLDER.glob("*/*.json")):
        yield History.load(path)


def _dump_turn(turn: Turn) -> str:
    parts = (("events", turn.events), ("actions", turn.actions))
    lists = [f'   "{name}": [\n' + ",\n".join(f"    {json.dumps(one)}" for one in many) + "]" for name, many in parts]
    return f'  {{"at": {json.dumps(turn.at.isoformat())},\n' + ",\n".join(lists) + "}"


class Normal:
    """Replaces what differs from run to run of a story: fractions of seconds, ports, tokens and random ids."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}

    def __call__[T](self, value: T) -> T:
        """The JSON value with fixed replacements; the same id always has the same replacement."""
        text = json.dumps(value)
        text = _TIME.sub(r"\1", text)
        text = _PORT.sub("http://127.0.0.1:1", text)
        text = _TOKEN.sub(r"\1a-token", text)
        text = _UUID.sub(self._uuid, text)
        text = _CHILD.sub(self._child, text)
        text = _GROUP.sub(self._group, text)
        same: T = json.loads(text)
        return same

    def _uuid(self, found: re.Match[str]) -> str:
        if _KEPT_UUID.match(found[0]):
            return found[0]
        return self._ids.setdefault(found[0].lower(), f"00000000-0000-4000-8000-{len(self._ids) + 1:012x}")

    def _child(self, found: re.Match[str]) -> str:
        unique = self._ids.setdefault(found[0], f"{len(self._ids) + 1:08x}")
        return f"{found[1]}-{found[2]}-{unique}"

    def _group(self, found: re.Match[str]) -> str:
        unique = self._ids.setdefault(found[0].lower(), f"{len(self._ids) + 1:012x}")
        return f"{found[1]}-{unique}"
