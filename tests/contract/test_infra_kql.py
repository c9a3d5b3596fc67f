"""The queries of alerts and workbook are valid Kusto and read lines and fields that the app logs."""

from __future__ import annotations

import json
import logging
import re
import shutil
import subprocess
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from refresh.records.swap import Outcome
from refresh.triggers.timers.month_age import days_since
from refresh.views.runs import STATUSES
from tests.support.infra.bicep import INFRA, example
from tests.support.infra.external_tools import skip_or_fail
from tests.support.worlds.builders import VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body

KUSTO = Path(__file__).parents[1] / "kusto"
QUERIES = {path.stem: path.read_text() for path in sorted((INFRA / "kql").glob("*.kql"))}
MISTAKES = {
    "an unknown table": "AppTrace | take 1",
    "an unknown column": "AppTraces | where Massage startswith 'outcome {'",
    "an unknown operator": "AppTraces | filtre Message == ''",
    "a bracket left open": "AppTraces | extend outcome = parse_json(substring(Message, 8)",
    "text compared with a number": "AppTraces | where todouble(Message) startswith 'x'",
}


def diagnose(queries: dict[str, str]) -> dict[str, list[dict[str, Any]]]:
    """The errors that the language service finds in each query."""
    node = shutil.which("node")
    if node is None or not (KUSTO / "node_modules").is_dir():
        skip_or_fail("Microsoft's Kusto language service is not installed: make kusto (it needs Node)")
    done = subprocess.run(
        [node, str(KUSTO / "check.mjs")], input=json.dumps(queries), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, list[dict[str, Any]]] = json.loads(done.stdout)
    return found


def documented() -> dict[str, str]:
    """The queries of docs/operations.md; those that use the `let` of the first one start with it."""
    found = re.findall(r"```kusto\n(.*?)```", (INFRA.parent / "docs" / "operations.md").read_text(), re.DOTALL)
    (let,) = [query[: query.index(";") + 1] for query in found if query.startswith("let ")]
    whole = [f"{let}\n{query}" if query.startswith("Swaps") else query for query in found]
    return {f"operations.md {number}": query for number, query in enumerate(whole)}


def test_every_query_is_valid_kusto() -> None:
    """Microsoft's language service finds no error in any query of infra/ and docs, and one in each mistake."""
    queries = QUERIES | documented()
    found = diagnose(queries | MISTAKES)
    assert {name: found[name] for name in queries} == {name: [] for name in queries}
    assert [name for name in MISTAKES if not found[name]] == []


def test_every_query_is_used() -> None:
    """Each query file is used by an alert or the workbook, and they use no other query."""
    made = example("fleet")
    alerts = [each.at("properties.criteria.allOf") for each in made.of_type("Microsoft.Insights/scheduledQueryRules")]
    (workbook,) = made.of_type("Microsoft.Insights/workbooks")
    shown = [item["content"].get("query") for item in json.loads(workbook.at("properties.serializedData"))["items"]]
    assert {query for query in shown if query} | {rule["query"] for (rule,) in alerts} == set(QUERIES.values())


def test_queries_name_fields_and_statuses_that_outcomes_have() -> None:
    """Each field and status in a query exists, so a rename cannot silence an alert."""
    known = {field.name for field in fields(Outcome)}
    for name, query in QUERIES.items():
        named = {word for groups in re.findall(r"\boutcome\.(\w+)|\)\)\.(\w+)", query) for word in groups if word}
        named |= set(re.findall(r"\bevent\.(\w+)", query))
        assert named <= (known if "outcome {" in query else {"days", "type", "subject", "why"}), name
        statuses = re.findall(r"'((?:succeeded|not-proven|rolled|needs|refused|skipped)[a-z-]*)'", query)
        assert set(statuses) <= {*STATUSES, "skipped"}, name


def test_the_app_logs_the_lines_that_the_queries_read(caplog: pytest.LogCaptureFixture) -> None:
    """A swap logs one `outcome` line and the daily timer one `months` line, each with JSON after the first word."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.settled()
        status, begun = await azure.api("POST", "/api/refresh", {"rollout": "manual"})
        assert status == 202
        await azure.hub.completed(begun["id"])
        await azure.fire("purge_history")
        await azure.settled()

    caplog.set_level(logging.INFO)
    play(story, [vm_body(), disk_body("web01-new")])
    lines = [record.getMessage() for record in caplog.records]
    (outcome,) = [json.loads(line[8:]) for line in lines if line.startswith("outcome {")]
    assert outcome["status"] == "succeeded"
    assert {field.name for field in fields(Outcome)} <= set(outcome)
    (months,) = [json.loads(line[7:]) for line in lines if line.startswith("months {")]
    assert months["days"] == 0
    assert set(months) == {"days", "last"}
    for query in QUERIES.values():
        for word, length in (("outcome", 8), ("months", 7), ("unpublished", 12), ("unreported", 11)):
            assert (f"'{word} {{'" in query) == (f"substring(Message, {length})" in query)


def test_days_run_from_the_earliest() -> None:
    """Days since a month are whole days since the earliest time, with or without a time zone."""
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    moments = [now.replace(tzinfo=None) - timedelta(days=days, hours=1) for days in (3, 41)]
    assert days_since(moments, now) == 41
    assert days_since([now + timedelta(seconds=0.5)], now) == 0
