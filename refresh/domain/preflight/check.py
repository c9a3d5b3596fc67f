"""One preflight check: the condition, its evidence, and whether it holds for a VM and a disk.

Decides nothing about any single condition.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from refresh.domain.terms.swap_reason import Reason


class Evidence(StrEnum):
    """How it is known that Azure requires the condition, strongest evidence first."""

    RECORDED = "recorded"
    DOCUMENTED = "documented"
    REPORTED = "reported"
    OUR_RULE = "our rule"


@dataclass(frozen=True)
class Condition:
    """A condition that must hold before a VM is stopped.

    `source` is its documentation (may be empty for a rule of the app); `azure_code` is the error that Azure would
    return during the downtime, None where none is known.
    """

    name: str
    reason: Reason
    evidence: Evidence
    source: str = ""
    azure_code: str | None = None

    def judged(self, ok: bool, message: str) -> Check:
        """The result of the condition for one VM; `message` (with the cure) is kept only when it failed."""
        return Check(self, ok, "" if ok else message)


@dataclass(frozen=True)
class Check:
    """The result of one condition; when it does not hold, `message` names the cure."""

    condition: Condition
    ok: bool
    message: str = ""

    @property
    def name(self) -> str:
        """The name of the condition."""
        return self.condition.name

    @property
    def reason(self) -> Reason:
        """The reason code of a refusal."""
        return self.condition.reason


def first_failed(checks: Iterable[Check]) -> Check | None:
    """The first check that does not hold, which a refusal names; None when all hold."""
    return next((check for check in checks if not check.ok), None)


def same_text(left: str | None, right: str | None) -> bool:
    """Whether two values of Azure are equal apart from case and blanks; an absent value equals none."""
    return left is not None and right is not None and left.replace(" ", "").lower() == right.replace(" ", "").lower()
