"""What the Functions host makes of an activity's result: it reads the JSON and writes it again with Newtonsoft.Json.

Decides what becomes of a result that JSON or UTF-8 does not have. Does not know what the result means.
"""

from __future__ import annotations

import json
import re

# A surrogate in an escape, and one that is left alone once pairs are read: UTF-8 has no such character.
_ESCAPED = re.compile(r"\\u[dD][89a-fA-F]")
_ALONE = re.compile("[\ud800-\udfff]")
_NOT_JSON = re.compile(r"NaN|Infinity")


def as_kept(output: str | None) -> str | None:
    """The JSON text that is kept of JSON text `output`: lone surrogates as U+FFFD, NaN and infinities as texts."""
    if output is None or not (_ESCAPED.search(output) or _NOT_JSON.search(output)):
        return output
    value = json.loads(output, parse_constant=lambda name: name)
    return _ALONE.sub("\ufffd", json.dumps(value, ensure_ascii=False))
