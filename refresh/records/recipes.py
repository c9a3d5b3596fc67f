"""What crosses Durable while a version is built from a recipe or proved; its base is `messages`.

Decides how these are spelled. No record has room for a key, a password or custom data: what a VM is made with is read,
or made up, where the VM is made.
"""

from __future__ import annotations

from dataclasses import dataclass

from refresh.records.record import Record

# Orchestrations.
RUN_RECIPE = "run_recipe"
BUILD_VM = "build_vm"
PROVE_VERSION = "prove_version"

# Activities.
PLAN_RECIPE = "plan_recipe"
PLAN_PROOF = "plan_proof"
FIND_LEFTOVERS = "find_leftovers"
ENSURE_BUILD_GROUP = "ensure_build_group"
ENSURE_BUILD_VM = "ensure_build_vm"
ENSURE_PROOF_VM = "ensure_proof_vm"
WATCH_BUILD_VM = "watch_build_vm"
ENSURE_GENERALIZED = "ensure_generalized"
ENSURE_GROUP_GONE = "ensure_group_gone"


@dataclass(frozen=True)
class TemporaryGroup(Record):
    """A temporary resource group (full id) and what it is for; `run` is the instance that it belongs to.

    `image` is the marketplace image as a URN with its exact version, `digest` the recipe's; `version` the version (full
    id) to prove. `since` (ISO) is when the run began, `asked_at` when this activity was asked for.
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


@dataclass(frozen=True)
class Stage(Record):
    """How a stage stands: `done`, `waiting` (ask again) or `failed` for good, with the reason and its sentence.

    `evidence` are lines that a person may read, `by_hand` the commands that finish what the app could not, `at` ARM's
    time.
    """

    state: str
    reason: str | None = None
    message: str | None = None
    evidence: tuple[str, ...] = ()
    by_hand: tuple[str, ...] = ()
    at: str | None = None


@dataclass(frozen=True)
class ProofInput(Record):
    """What `prove_version` is asked: whether `version` (full id) of `definition` boots and is healthy."""

    definition: str
    version: str
