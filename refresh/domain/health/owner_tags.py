"""What the owners of a VM and of an image say about its health check.

Decides how their tags are read. Tags are untrusted input: what cannot be read is told and refused before downtime,
never taken for a default. Refuses to know what a health check does with it.
"""

from __future__ import annotations

import re

from refresh.domain.azure.galleries import Definition
from refresh.domain.azure.vms import Vm
from refresh.domain.health.probe import CURE, has_bad_probe, probe_text
from refresh.domain.terms import tags
from refresh.domain.vm.wish import shorten

# The same bounds as the setting's.
TIMEOUT_FROM_S, TIMEOUT_TO_S = 30, 3600


def health_timeout_s(vm: Vm) -> int | None:
    """The seconds this VM has to prove itself, by its own tag; None without one, or when it cannot be read."""
    text = _timeout_text(vm)
    if not re.fullmatch(r"[0-9]{1,5}", text) or not TIMEOUT_FROM_S <= int(text) <= TIMEOUT_TO_S:
        return None
    return int(text)


def agent_promised(definition: Definition | None) -> bool | None:
    """Whether a disk of this image must be heard of from its agent: the owner's word, None without one."""
    said = (tags.value_of(definition.tags, tags.REFRESH_AGENT) or "").strip().lower() if definition else ""
    return {"true": True, "false": False}.get(said)


def probe_fault(vm: Vm) -> str | None:
    """What is wrong with `RefreshProbe`, with the cure; None when nothing is."""
    if not has_bad_probe(vm):
        return None
    said = shorten(probe_text(vm) or "")
    return f"{tags.REFRESH_PROBE}='{said}' is no probe; {CURE}"


def timeout_fault(vm: Vm) -> str | None:
    """What is wrong with `RefreshHealthTimeoutS`, with the cure; None when nothing is."""
    if not _timeout_text(vm) or health_timeout_s(vm) is not None:
        return None
    cure = f"write a whole number of seconds from {TIMEOUT_FROM_S} to {TIMEOUT_TO_S}"
    return f"{tags.REFRESH_HEALTH_TIMEOUT_S}='{shorten(_timeout_text(vm))}' is no time; {cure}"


def _timeout_text(vm: Vm) -> str:
    return (tags.value_of(vm.tags, tags.REFRESH_HEALTH_TIMEOUT_S) or "").strip()
