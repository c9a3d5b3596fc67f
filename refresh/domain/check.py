"""One preflight check with its result."""

from __future__ import annotations

from dataclasses import dataclass

from refresh.domain.reason import Reason


@dataclass(frozen=True)
class Check:
    """A promise that holds or not; `message` names the cure when it does not."""

    name: str
    ok: bool
    reason: Reason
    message: str = ""


def check(name: str, ok: bool, reason: Reason, message: str) -> Check:
    """A check whose message is only kept when it failed."""
    return Check(name, ok, reason, "" if ok else message)
