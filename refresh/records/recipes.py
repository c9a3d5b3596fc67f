"""The records that cross Durable while a version is built from a recipe or proved.

Decides their fields and JSON names. No record has a field for a key, a password or custom data: the activity that makes
the VM reads or generates them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from refresh.records.record import Record


@dataclass(frozen=True)
class TemporaryGroup(Record):
    """A temporary resource group (full id) and what it is for; `run` is the instance that it belongs to.

    `image` is the marketplace image as a URN with its exact version, `digest` the recipe's digest, `version` the
    version (full id) to prove. `since` (ISO) is when the run began, `asked_at` when this activity was called.
    """

    group: str
    purpose: str
    definition: str
    subnet: str
    location: str
    run: str
    since: str
    generalized: bool = False
    timeout_s: float = 0.0
    digest: str | None = None
    image: str | None = None
    version: str | None = None
    agent: bool = True
    asked_at: str | None = None


class StageState(StrEnum):
    """The state of a stage; a stage that waits is called again, one that failed is not."""

    DONE = "done"
    WAITING = "waiting"
    FAILED = "failed"


@dataclass(frozen=True)
class Stage(Record):
    """The state of a stage, with the reason and its message.

    `evidence` are lines for a person to read, `by_hand` the commands that finish what the app could not, `at` is ARM's
    time.
    """

    state: StageState
    reason: str | None = None
    message: str | None = None
    evidence: tuple[str, ...] = ()
    by_hand: tuple[str, ...] = ()
    at: str | None = None


@dataclass(frozen=True)
class ProofInput(Record):
    """The input of `prove_version`, which checks that `version` (full id) of `definition` boots and is healthy."""

    definition: str
    version: str
