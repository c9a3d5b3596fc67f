"""Stores the answers of the stories on Microsoft's engine, and makes answers comparable.

Decides which parts of an answer are removed because they differ in every run: dates, ids, stack traces, the order of
listed functions. Does not know the stories.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "data" / "engine_answers"

_GUID = re.compile(r"\b(?:[0-9a-f]{32}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})\b")
_DATE = re.compile(r"\b20\d\d-\d\d-\d\dT[0-9:.]+(?:Z|\+00:00)")
_UNLABELLED = re.compile(r",\\?\"(?:Timestamp|Predecessor)\\?\":\\?\"0001-01-01T00:00:00\\?\"")
_KNOWN = re.compile(r"Additional info: The following are the known (\w+) functions: [^.]*\.")
_SIZE = re.compile(r"\(\d+ vs\.")
_ADDRESS = re.compile(r"0x[0-9a-f]{8,}")
_DETAILS = re.compile(r"(\\\"details\\\":)\\\".*?\\\"\}")


def comparable(answer: Any, story: str) -> Any:
    """`answer` of `story` without the parts that differ from run to run."""
    text = json.dumps(answer, sort_keys=True).replace(f"{story}-", "~")
    for pattern, instead in (
        (_GUID, "<guid>"),
        (_DATE, "<date>"),
        (_UNLABELLED, ""),
        (_KNOWN, r"Additional info: the known \1 functions."),
        (_ADDRESS, "<address>"),
        (_SIZE, "(<size> vs."),
        (_DETAILS, r"\1<details>}"),
    ):
        text = pattern.sub(instead, text)
    return _without_stacks(json.loads(text))


def _without_stacks(value: Any) -> Any:
    match value:
        case dict():
            return {key: "<stack>" if key == "stackTrace" else _without_stacks(one) for key, one in value.items()}
        case list():
            return [_without_stacks(one) for one in value]
        case str() if '"StackTrace":"' in value:
            return re.sub(r'"StackTrace":"(?:[^"\\]|\\.)*"', '"StackTrace":"<stack>"', value)
        case _:
            return value


def kept(world: str) -> dict[str, Any]:
    """The stored answers of a world's stories, by story."""
    answers: dict[str, Any] = json.loads((FOLDER / f"{world}.json").read_text(encoding="utf-8"))
    return answers


def keep(world: str, answers: dict[str, Any]) -> None:
    """Store answers, sorted, so that a diff shows only changes."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    text = json.dumps(answers, indent=1, sort_keys=True)
    (FOLDER / f"{world}.json").write_text(text + "\n", encoding="utf-8")
