"""The queries of docs/operations.md against the log lines of a swap: every field of a query is in the lines."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.worlds import missed_edits
from tests.support.worlds.builders import VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body
from tests.support.worlds.missed_edits import edit_and_sweep

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"```kusto\n(.*?)```", DOC, re.DOTALL)


@pytest.fixture(scope="module")
def lines() -> list[str]:
    """The log lines of one swap in each stop mode with a topic that refuses events, and of missing events."""
    messages: list[str] = []

    class Listening(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            messages.append(record.getMessage())

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add(
            [{"match": {"path": "/api/events"}, "respond": {"status": 403, "body": {}}}]
        )
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.tag(VM_ID.replace("web01", "web02"), OsDiskName="web02-new")
        await azure.settled()

    handler, logger = Listening(), logging.getLogger("refresh")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        fleet = [vm_body(), vm_body("web02", RefreshStopMode="power-off")]
        play(story, [*fleet, disk_body("web01-new"), disk_body("web02-new")])
        play(edit_and_sweep, missed_edits.fleet(), events=False)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
    return messages


def parsed(lines: list[str], query: str) -> list[dict[str, Any]]:
    """The lines that a query selects, parsed as in the query."""
    (prefix,) = re.findall(r'Message startswith "(\w+ \{)"', query)
    (skipped,) = re.findall(r"parse_json\(substring\(Message, (\d+)\)\)", query)
    return [json.loads(line[int(skipped) :]) for line in lines if line.startswith(prefix)]


@pytest.mark.parametrize("query", [query for query in QUERIES if "parse_json" in query], ids=lambda q: q[:20].strip())
def test_every_field_of_a_query_is_in_the_log_line(query: str, lines: list[str]) -> None:
    """A query selects lines by their start, parses them as JSON, and finds every field that it uses."""
    rows = parsed(lines, query)
    assert rows
    name = re.findall(r"extend (\w+) = parse_json", query)[0]
    used = set(re.findall(rf"\b{name}\.(\w+)", query))
    assert used
    for row in rows:
        assert used <= row.keys(), used - row.keys()


def test_downtime_can_be_compared_by_stop_mode(lines: list[str]) -> None:
    """The lines have both modes, with a plausible ratio of downtime to Azure's time."""
    rows = parsed(lines, QUERIES[0])
    assert {row["stop_mode"] for row in rows} == {"deallocate", "power-off"}
    for row in rows:
        assert 0.8 < row["down_s"] / row["arm_s"] < 1.5, row


def test_log_lines_are_not_sampled() -> None:
    """host.json excludes log lines from sampling, so no swap is missing."""
    sampling = json.loads((ROOT / "host.json").read_text())["logging"]["applicationInsights"]["samplingSettings"]
    assert "Trace" in sampling["excludedTypes"].split(";")
