"""What the Functions host makes of an activity's result: it reads the JSON and writes it again with Newtonsoft.Json.

Decides what becomes of a result that JSON or UTF-8 does not have. Does not know what the result means.
"""

from __future__ import annotations

import json
import re

# Half of a surrogate pair in an escape: UTF-8 has no such character.
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_NOT_JSON = re.compile(r"NaN|Infinity")


def as_kept(output: str | None) -> str | None:
    """The JSON text that is kept of JSON text `output`: lone surrogates as U+FFFD, NaN and infinities as texts."""
    if output is None or not (_HALF.search(output) or _NOT_JSON.search(output)):
        return output
    value = json.loads(output, parse_constant=lambda name: name)
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass").decode("utf-8", "replace")
