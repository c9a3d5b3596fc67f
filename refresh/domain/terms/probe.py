"""`RefreshProbe`: a network request that a healthy VM answers.

Decides which tag texts are a probe: a scheme, a port and for HTTP a path, never a host, because a probe goes to the
VM's own private address only. Tags are untrusted input. Does not know how a probe is sent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_PROBE = re.compile(r"(tcp|https?):([1-9][0-9]{0,4})(/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]{0,200})?", re.ASCII)
CURE = "write tcp:22, http:8080/healthz or https:443/ (a port from 1 to 65535, no host)"


@dataclass(frozen=True)
class Probe:
    """`scheme` is `tcp`, `http` or `https`; `path` begins with `/` and is empty for `tcp`."""

    scheme: str
    port: int
    path: str = ""

    def __str__(self) -> str:
        """The probe as a tag spells it."""
        return f"{self.scheme}:{self.port}{self.path}"


def parse_probe(text: str) -> Probe | None:
    """The probe that `text` spells; None when it spells none."""
    found = _PROBE.fullmatch(text.strip())
    if found is None or int(found[2]) > 65535:
        return None
    scheme, path = found[1], found[3] or ""
    if scheme == "tcp":
        return None if path else Probe(scheme, int(found[2]))
    return Probe(scheme, int(found[2]), path or "/")
