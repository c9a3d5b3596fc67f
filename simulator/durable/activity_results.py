"""Rewrites an activity's result as the Functions host does, which reads and writes the JSON with Newtonsoft.Json.

Decides how values outside JSON or UTF-8 are stored. Does not interpret the result.
"""

from __future__ import annotations

import json
import re

# A surrogate in an escape, and a surrogate without its pair, which UTF-8 cannot encode.
_ESCAPED = re.compile(r"\\u[dD][89a-fA-F]")
_ALONE = re.compile("[\ud800-\udfff]")
_NOT_JSON = re.compile(r"NaN|Infinity")


def as_stored(output: str | None) -> str | None:
    """JSON text `output` as the host stores it: lone surrogates as U+FFFD, NaN and infinities as strings."""
    if output is None or not (_ESCAPED.search(output) or _NOT_JSON.search(output)):
        return output
    value = json.loads(output, parse_constant=lambda name: name)
    return _ALONE.sub("\ufffd", json.dumps(value, ensure_ascii=False))
