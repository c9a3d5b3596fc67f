"""A run or a dry run as a Markdown page: the job summary of a pipeline, and what a laptop prints.

Decides the columns, and that VMs which need attention come first. Takes statuses from the app as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_FIRST = ("needs-attention", "failed", "rolled-back", "refused", "refuse", "not-proven")
MAX_ROWS = 500
"""Keeps a job summary below its limit of 1 MiB: https://docs.github.com/actions/reference/workflow-commands-for-github-actions"""


def page_of_run(record: Mapping[str, Any]) -> str:
    """A run record as a page."""
    head = [f"# {record['id']}: {record['status']}", ""]
    span = [str(record[key]) for key in ("started", "ended") if record.get(key)]
    head += [" to ".join(span), ""] if span else []
    head += [_cell(record["message"]), ""] if record.get("message") else []
    return "\n".join([*head, *_images(record), *_vms(record.get("vms", ())), *_by_hand(record)])


def page_of_checks(record: Mapping[str, Any]) -> str:
    """A self-check's record as a page."""
    lines = [
        _row(row["name"], _verdict(row), row.get("took_s"), row["message"], row.get("cure"))
        for row in record.get("checks") or ()
    ]
    head = [f"# {record['id']}: {record['status']}", "", f"Package {record.get('package')}, {record.get('bundle')}."]
    return "\n".join([*head, "", "| check | result | s | what | cure |", "| --- | --- | --- | --- | --- |", *lines, ""])


def _verdict(row: Mapping[str, Any]) -> str:
    if row.get("skipped"):
        return "not reached"
    return "passed" if row["ok"] else "failed"


def page_of_dry_run(answer: Mapping[str, Any], what: str) -> str:
    """The answer of a dry run as a page; `what` is the action."""
    added, down_s = answer.get("disks_added", 0), float(answer.get("down_s") or 0)
    head = [
        f"# {what}: dry run",
        "",
        f"{added} disk(s) would be made; all VMs together would be down {down_s:.0f} s.",
        "",
    ]
    return "\n".join([*head, *_images(answer), *_vms(answer.get("plan", ()))])


def _images(record: Mapping[str, Any]) -> list[str]:
    rows = record.get("images") or ()
    if not rows:
        return []
    lines = [
        _row(_name(row.get("definition")), _name(row.get("version")), row.get("decision"), row.get("message"))
        for row in rows
    ]
    return ["## Images", "", "| definition | version | result | why |", "| --- | --- | --- | --- |", *lines, ""]


def _vms(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    if not rows:
        return ["No VM.", ""]
    ranked = sorted(rows, key=lambda row: (_rank(row), str(row.get("vm")).lower()))
    lines = [
        _row(
            _name(row.get("vm")),
            _result(row),
            _name(row.get("old_disk") or row.get("current")),
            _name(row.get("new_disk") or row.get("next") or row.get("wanted")),
            "" if row.get("down_s") is None else f"{float(row['down_s']):.0f}",
            row.get("message"),
        )
        for row in ranked[:MAX_ROWS]
    ]
    more = [f"… and {len(ranked) - MAX_ROWS} more VMs.", ""] if len(ranked) > MAX_ROWS else []
    head = ["## VMs", "", "| VM | result | disk before | disk after | seconds down | why |"]
    return [*head, "| --- | --- | --- | --- | ---: | --- |", *lines, "", *more]


def _by_hand(record: Mapping[str, Any]) -> list[str]:
    commands = [str(each) for each in record.get("by_hand") or ()]
    # Longer than any row of backticks in the commands, so that a name in them cannot end the block.
    fence = "`" * max([3, *(len(row) + 1 for each in commands for row in re.findall("`+", each))])
    return ["## To finish by hand", "", f"{fence}sh", *commands, fence, ""] if commands else []


def _result(row: Mapping[str, Any]) -> str:
    return str(row.get("status") or row.get("decision") or "")


def _rank(row: Mapping[str, Any]) -> int:
    result = _result(row)
    return _FIRST.index(result) if result in _FIRST else len(_FIRST)


def _name(text: object) -> str:
    return str(text or "").rpartition("/")[2]


def _row(*cells: object) -> str:
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(value: object) -> str:
    """Text that cannot break out of its cell: names and messages come from tags, which are untrusted."""
    text = " ".join(str(value or "").split())
    for mark in ("\\", "|", "`", "<", "[", "*", "_"):
        text = text.replace(mark, f"\\{mark}")
    return text
