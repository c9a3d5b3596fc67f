"""Reads recorded ARM traffic and compares answers with recorded ones.

Compares the status, the names of headers, the paths and types of the JSON, and the error code. Does not compare values:
they depend on the fleet.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

type Json = dict[str, Any]

FOLDER = Path(os.environ.get("AZURE_RECORDINGS", Path(__file__).parents[4] / "shared" / "recordings"))
ABSENT = f"no recorded ARM traffic at {FOLDER} (set AZURE_RECORDINGS to its folder)"

# Removed by the recorders, or added by any hop on the way: not comparable.
_NOISE = {
    "cache-control",
    "connection",
    "content-length",
    "content-encoding",
    "date",
    "expires",
    "pragma",
    "retry-after",  # removed by the CLI's recorder: `retry_after.py` checks it
    "server",
    "strict-transport-security",
    "transfer-encoding",
    "vary",
    "x-content-type-options",
    "x-ms-correlation-request-id",
    "x-ms-ratelimit-remaining-subscription-reads",
    "x-ms-request-id",
    "x-ms-routing-request-id",
}
_GLOBAL_COUNTERS = "x-ms-ratelimit-remaining-subscription-global-"
_GLOBAL_COUNTERS_SINCE = 2024
_GUID = re.compile(r"/(?:operations|DiskOperations|capsOperations)/([0-9a-f-]{36})", re.IGNORECASE)
_TAGS = "/providers/microsoft.resources/tags/default"


@dataclass(frozen=True)
class Interaction:
    """One recorded request and its answer."""

    index: int
    raw: Mapping[str, Any]

    @property
    def method(self) -> str:
        return str(self.raw["method"])

    @cached_property
    def path(self) -> str:
        return unquote(urlsplit(self.raw["url"]).path)

    @cached_property
    def path_and_query(self) -> str:
        parts = urlsplit(self.raw["url"])
        return f"{parts.path}?{parts.query}"

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.raw["url"]).query))

    @property
    def request_body(self) -> Any:
        return self.raw.get("requestBody")

    @property
    def status(self) -> int:
        return int(self.raw["status"])

    @cached_property
    def headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in (self.raw["responseHeaders"] or {}).items()}

    @property
    def body(self) -> Any:
        return self.raw["responseBody"]

    @property
    def date(self) -> datetime:
        """The time of the answer; the minimum date if the recorder removed it."""
        date = self.headers.get("date")
        return parsedate_to_datetime(date) if date else datetime.min.replace(tzinfo=UTC)

    @property
    def ok(self) -> bool:
        return self.status < 300

    @property
    def polled_operation(self) -> str | None:
        """The guid of the operation that this request polls."""
        found = _GUID.search(self.path) if self.method == "GET" else None
        return found.group(1).lower() if found else None

    @property
    def begun_operation(self) -> str | None:
        """The guid of the operation this answer points to."""
        pointer = self.headers.get("azure-asyncoperation") or self.headers.get("location") or ""
        found = _GUID.search(pointer)
        return found.group(1).lower() if found and self.polled_operation is None else None

    @property
    def in_progress(self) -> bool:
        """Whether the recorded answer to a poll shows a running operation."""
        return self.status == 202 or (isinstance(self.body, dict) and self.body.get("status") == "InProgress")

    @property
    def segments(self) -> list[str]:
        return [segment for segment in self.path.split("/") if segment]

    @property
    def resource_id(self) -> str | None:
        """The resource of a request: without action, view or collection; for tags the tagged scope."""
        if self.polled_operation or not self.path.lower().startswith("/subscriptions/"):
            return None
        if self.path.lower().endswith(_TAGS):
            return self.path[: -len(_TAGS)]
        below = self.segments[self._provider_at + 2 :] if self._provider_at else []
        if not below:
            return self.path
        return "/" + "/".join(self.segments[:-1]) if len(below) % 2 else self.path

    @property
    def is_collection(self) -> bool:
        return self.method == "GET" and isinstance(self.body, dict) and isinstance(self.body.get("value"), list)

    @property
    def action(self) -> str | None:
        """The action of a POST, such as `deallocate`."""
        return self.segments[-1] if self.method == "POST" else None

    @property
    def type(self) -> str:
        """The lower-case resource type, such as `microsoft.compute/galleries/images`."""
        at = self._provider_at
        if not at:
            return ""
        below = self.segments[at + 2 :]
        return "/".join([self.segments[at + 1], *below[::2]][: 1 + (len(below) + 1) // 2]).lower()

    @property
    def _provider_at(self) -> int:
        lowered = [segment.lower() for segment in self.segments]
        return len(lowered) - 1 - lowered[::-1].index("providers") if "providers" in lowered else 0


def load(name: str) -> list[Interaction]:
    """The interactions of the recording `name` in order."""
    recording = json.loads((FOLDER / f"{name}.json").read_text())
    return [Interaction(index, raw) for index, raw in enumerate(recording["interactions"])]


def differences(recorded: Interaction, status: int, headers: Mapping[str, str], body: Any) -> Iterator[str]:
    """Every difference between an answer and the recorded one, each as one line."""
    if status != recorded.status:
        yield f"status {status}, recorded {recorded.status}"
    yield from _header_differences(recorded, {name.lower() for name in headers})
    yield from body_differences(recorded.body, body)


def body_differences(recorded: Any, ours: Any) -> Iterator[str]:
    """Paths that only one body has, paths with different types, and a different error code."""
    wanted, found = shape(recorded), shape(ours)
    alone = wanted.keys() ^ found.keys()
    for path in sorted(wanted.keys() | found.keys()):
        if path in alone:
            if _parent(path) not in alone:  # only the topmost path is reported
                yield f"body {path} {'missing' if path in wanted else 'not recorded'}"
        elif not found[path] <= wanted[path]:
            yield f"body {path} is {_kinds_text(found[path])}, recorded {_kinds_text(wanted[path])}"
    if _error_code(recorded) != _error_code(ours):
        yield f"error code {_error_code(ours)}, recorded {_error_code(recorded)}"


def shape(value: Any, path: str = "$") -> dict[str, set[str]]:
    """Every path in a JSON value with its types; all elements of an array share one path."""
    kinds = {path: {_kind(value)}}
    children: Iterable[tuple[str, Any]] = ()
    if isinstance(value, dict):
        children = ((f"{path}.{key}", child) for key, child in value.items())
    elif isinstance(value, list):
        children = ((f"{path}[]", child) for child in value)
    for child_path, child in children:
        for found, types in shape(child, child_path).items():
            kinds.setdefault(found, set()).update(types)
    return kinds


def _parent(path: str) -> str:
    return path[:-2] if path.endswith("[]") else path.rpartition(".")[0]


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    return {dict: "object", list: "array", str: "string", type(None): "null"}[type(value)]


def _kinds_text(kinds: set[str]) -> str:
    return " or ".join(sorted(kinds))


def _error_code(body: Any) -> str | None:
    error = body.get("error") if isinstance(body, dict) else None
    return error.get("code") if isinstance(error, dict) else None


def _header_differences(recorded: Interaction, ours: set[str]) -> Iterator[str]:
    wanted = recorded.headers.keys() - _NOISE
    found = ours - _NOISE
    if recorded.date.year < _GLOBAL_COUNTERS_SINCE:
        found = {name for name in found if not name.startswith(_GLOBAL_COUNTERS)}
    yield from (f"header {name} missing" for name in sorted(wanted - found))
    yield from (f"header {name} not recorded" for name in sorted(found - wanted))
