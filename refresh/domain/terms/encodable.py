"""Texts from outside that no encoding takes.

JSON can hold half of a surrogate pair (`"\\ud800"`), which cannot be encoded for a log, a message or a hash, and NUL,
which some stores refuse. Decides what stands in their place. Does not know where a text comes from.
"""

from __future__ import annotations

import re

_NOT_ENCODABLE = re.compile("[\x00\ud800-\udfff]")
_INSTEAD = "\ufffd"


def encodable(text: str) -> str:
    """`text` with U+FFFD in place of NUL and of each half of a surrogate pair."""
    return _NOT_ENCODABLE.sub(_INSTEAD, text)
