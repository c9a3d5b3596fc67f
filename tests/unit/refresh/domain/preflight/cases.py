"""A VM and a disk that pass every preflight check, and changes of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from refresh.domain.azure.locks import Lock
from refresh.domain.preflight.all_checks import check_facts
from refresh.domain.preflight.check import Check
from refresh.domain.preflight.provenance import Policy
from refresh.domain.vm.facts import Facts
from refresh.domain.vm.preflight_facts import PreflightFacts
from refresh.domain.vm.wish import choose_wish
from tests.support.worlds.builders import (
    GROUP,
    VM_ID,
    disk_id,
    make_current,
    make_definition,
    make_disk,
    make_version,
    make_vm,
)

SET = f"{GROUP}/providers/Microsoft.Compute/diskEncryptionSets/ours"


OTHER_VM = VM_ID.replace("web01", "web02")


WITH_SET = {"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": SET}


NOTHING_MISSING = {VM_ID.lower(): (), disk_id("web01-old").lower(): (), disk_id("web01-202611").lower(): ()}


def lock(scope: str, level: str = "ReadOnly") -> Lock:
    return Lock(f"{scope}/providers/Microsoft.Authorization/locks/freeze", level)


def preflight(
    vm: dict[str, Any] | None = None,
    wanted: dict[str, Any] | None = None,
    current: dict[str, Any] | None = None,
    preflight: dict[str, Any] | None = None,
    definition: dict[str, Any] | None = None,
    version: dict[str, Any] | None = None,
    ran: frozenset[str] = frozenset(),
    policy: Policy | None = None,
    rejected: frozenset[str] = frozenset(),
    has_version: bool = True,
) -> tuple[Check, ...]:
    facts = facts_of(vm, wanted, current, preflight, definition, version)
    facts = facts if has_version else replace(facts, version=None)
    return check_facts(replace(facts, ran=ran, rejected=rejected), policy or Policy())


def facts_of(
    vm: dict[str, Any] | None = None,
    wanted: dict[str, Any] | None = None,
    current: dict[str, Any] | None = None,
    preflight: dict[str, Any] | None = None,
    definition: dict[str, Any] | None = None,
    version: dict[str, Any] | None = None,
) -> Facts:
    here = make_vm(**{"tags": {"OsDiskName": "web01-202611"}, **(vm or {})})
    return Facts(
        here,
        choose_wish(here, ()),
        current=make_current(**(current or {})),
        wanted=make_disk(**(wanted or {})),
        version=make_version(**(version or {})),
        definition=make_definition(**(definition or {})),
        preflight=PreflightFacts(**{"gaps": NOTHING_MISSING, **(preflight or {})}),
    )


def failures(checks: tuple[Check, ...]) -> list[str]:
    return [one.name for one in checks if not one.ok]


def with_tags(**changes: str) -> dict[str, Any]:
    return {"vm": {"tags": {"OsDiskName": "web01-202611", **changes}}}
