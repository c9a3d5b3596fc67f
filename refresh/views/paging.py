"""Lists cut into pages: an opaque token names the row after which the next page begins.

Decides how a position in a list is written. Does not know what is listed. The position is a row's key and not a number,
so rows that come and go between two pages neither repeat nor hide others.
"""

from __future__ import annotations

import base64
import binascii
import json
from urllib.parse import urlencode

type Key = tuple[str | int, ...]

_MAX_TOKEN = 2000


def write_token(key: Key) -> str:
    """The token for the page after the row with this key."""
    return base64.urlsafe_b64encode(json.dumps(list(key)).encode()).decode().rstrip("=")


def read_token(text: str, shape: tuple[type, ...]) -> Key | None:
    """The key in a token whose parts must be of the types in `shape`; None when it is no such token."""
    if len(text) > _MAX_TOKEN:
        return None
    try:
        data = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return None
    if not isinstance(data, list) or [type(part) for part in data] != list(shape):
        return None
    return tuple(data)


def next_link(path: str, query: dict[str, str], key: Key | None) -> str | None:
    """The link to the page after the row with `key`; None when the page was the last."""
    return None if key is None else f"{path}?{urlencode({**query, 'after': write_token(key)})}"
