"""`RefreshProbe`: what a VM's owner wants asked of it over the network.

Decides which tag texts are a probe: a scheme, a port and for HTTP a path, never a host, because probes go to the VM's
own private address only. Tags are untrusted input. Refuses to know how a probe is carried out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from refresh.domain.azure.vms import Vm
from refresh.domain.terms import tags

# This many answers in a row, at the rhythm of the readings (5 s).
SUCCESSES_NEEDED = 3

_PROBE = re.compile(r"(tcp|https?):([1-9][0-9]{0,4})(/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]{0,200})?", re.ASCII)
CURE = "write tcp:22, http:8080/healthz or https:443/ (a port from 1 to 65535, no host)"


@dataclass(frozen=True)
class Probe:
    """`scheme` is `tcp`, `http` or `https`; `path` begins with `/` and is empty for `tcp`."""

    scheme: str
    port: int
    path: str = ""

    def __str__(self) -> str:
        """As the tag says it."""
        return f"{self.scheme}:{self.port}{self.path}"


def parse_probe(text: str) -> Probe | None:
    """The probe that `text` asks for; None when it is none."""
    found = _PROBE.fullmatch(text.strip())
    if found is None or int(found[2]) > 65535:
        return None
    scheme, path = found[1], found[3] or ""
    if scheme == "tcp":
        return None if path else Probe(scheme, int(found[2]))
    return Probe(scheme, int(found[2]), path or "/")


def probe_text(vm: Vm) -> str | None:
    """What the tag says; None when there is none. An empty tag is none: it cannot mean anything else."""
    return (tags.value_of(vm.tags, tags.REFRESH_PROBE) or "").strip() or None


def has_bad_probe(vm: Vm) -> bool:
    """Whether the VM carries a probe that nobody can read."""
    text = probe_text(vm)
    return text is not None and parse_probe(text) is None
