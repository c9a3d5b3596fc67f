"""One preflight check: the promise, what it rests on, and whether it holds for the VM and disk at hand.

Decides what a check says of itself. Refuses to know how any of them is judged.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from refresh.domain.terms.swap_reason import Reason


class Evidence(StrEnum):
    """How it is known that Azure wants it so, strongest first."""

    RECORDED = "recorded"
    DOCUMENTED = "documented"
    REPORTED = "reported"
    OUR_RULE = "our rule"


@dataclass(frozen=True)
class Promise:
    """What must hold before a VM is stopped.

    `source` is where it is written (empty for a rule of our own that needs none); `azure_code` the error that Azure
    would answer in the middle of the downtime, None where nobody has quoted one.
    """

    name: str
    reason: Reason
    evidence: Evidence
    source: str = ""
    azure_code: str | None = None

    def judged(self, ok: bool, message: str) -> Check:
        """The check that this promise is for one VM; `message` (with the cure) is only kept when it failed."""
        return Check(self, ok, "" if ok else message)


@dataclass(frozen=True)
class Check:
    """A promise that holds or not; `message` names the cure when it does not."""

    promise: Promise
    ok: bool
    message: str = ""

    @property
    def name(self) -> str:
        """What the promise is called."""
        return self.promise.name

    @property
    def reason(self) -> Reason:
        """The code of a refusal for it."""
        return self.promise.reason


def first_failed(checks: Iterable[Check]) -> Check | None:
    """The check that a refusal names: the first that does not hold."""
    return next((check for check in checks if not check.ok), None)


def same_text(left: str | None, right: str | None) -> bool:
    """Whether two of Azure's words are one, whatever case and blanks; an absent word is no word's equal."""
    return left is not None and right is not None and left.replace(" ", "").lower() == right.replace(" ", "").lower()
