"""Builds from a recipe that fail: the run explains each failure and names every group that is left."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from simulator.arm.core.store import Json
from tests.support.worlds.builders import DEFINITION_ID, VERSION_ID
from tests.support.worlds.month_world import HostedWorld
from tests.support.worlds.recipe_world import MACHINE, PROOF_DISK, fail, groups_left, on_recipes, recipe_bodies

SUBSCRIPTION_LOCK = f"{DEFINITION_ID.partition('/resourceGroups')[0]}/providers/Microsoft.Authorization/locks/keep"


def excluded(world: HostedWorld) -> bool | None:
    """Whether the version is excluded from latest; None if there is no version."""
    version = world.resource(VERSION_ID)
    return bool(version["properties"]["publishingProfile"]["excludeFromLatest"]) if version else None


@dataclass(frozen=True)
class Bad:
    """One failure scenario: the planned faults, and the expected row of the definition."""

    name: str
    reason: str
    text: str
    rules: tuple[Json, ...] = ()
    decision: str = "failed"
    settings: dict[str, Any] = field(default_factory=dict)
    definition: dict[str, Any] = field(default_factory=dict)
    evidence: str | None = None
    by_hand: str | None = None
    excluded: bool | None = None
    more: tuple[Json, ...] = ()
    groups: int = 0


def respond(method: str, path: str, status: int, code: str) -> Json:
    body = {"error": {"code": code, "message": f"Azure says {code}"}}
    return {"match": {"method": method, "path": path}, "respond": {"status": status, "body": body}}


BAD = (
    Bad(
        "the VM never powers itself off",
        "build-timed-out",
        "60 minutes",
        ({"cloudInit": MACHINE, "ends": "never"},),
        evidence="login:",
    ),
    Bad(
        "there is no marker",
        "no-build-marker",
        "no line",
        ({"cloudInit": MACHINE, "ends": "silent"},),
        evidence="login:",
    ),
    Bad(
        "cloud-init fails",
        "no-build-marker",
        "reported errors",
        ({"cloudInit": MACHINE, "ends": "failed"},),
        evidence="REFRESH-BUILD-FAILED",
    ),
    Bad(
        "the quota is used up",
        "azure-said-no",
        "OperationNotAllowed",
        (respond("PUT", "/machine$", 409, "OperationNotAllowed"),),
    ),
    Bad(
        "there is no room for the VM",
        "build-failed",
        "AllocationFailed",
        (
            {
                "match": {"operation": "create", "resource": MACHINE},
                "fail": {"code": "AllocationFailed", "message": "no"},
            },
        ),
    ),
    Bad(
        "no group may be made",
        "azure-said-no",
        "AuthorizationFailed",
        (respond("PUT", "refresh-build-[^/]*$", 403, "AuthorizationFailed"),),
    ),
    Bad("the capture is refused", "azure-said-no", "Conflicting", (respond("PUT", "/versions/", 409, "Conflicting"),)),
    Bad(
        "the capture fails",
        "build-failed",
        "ImageBroken",
        ({"match": {"operation": "versionCreate"}, "fail": {"code": "ImageBroken", "message": "no"}},),
    ),
    Bad(
        "the disk of the proof never boots",
        "not-proven",
        "stays excluded",
        ({"disk": PROOF_DISK, "boots": False, "serial": "panic"},),
        evidence="boot-log condemns",
        by_hand="az resource delete",
        excluded=True,
    ),
    Bad(
        "there is no room for the VM of the proof",
        "not-proven",
        "run again",
        (
            {
                "match": {"operation": "create", "resource": "*/refresh-proof-*/machine"},
                "fail": {"code": "AllocationFailed", "message": "no"},
            },
        ),
        excluded=True,
    ),
    Bad(
        "the cleanup is refused by a lock",
        "made",
        "ScopeLocked",
        decision="create",
        more=({"id": SUBSCRIPTION_LOCK, "properties": {"level": "CanNotDelete"}},),
        by_hand="az group delete --name refresh-build-ubuntu-",
        excluded=False,
        groups=2,
    ),
    Bad(
        "the cleanup takes hours",
        "made",
        "is being deleted",
        ({"match": {"operation": "groupDelete"}, "duration_s": 36000.0},),
        decision="create",
        by_hand="az group delete --name refresh-build-ubuntu-",
        excluded=False,
        groups=2,
    ),
    Bad(
        "the recipe is for Windows",
        "windows-recipe",
        "custom data",
        decision="refuse",
        definition={"osType": "Windows"},
    ),
    Bad(
        "the image has another generation",
        "source-does-not-fit",
        "generation",
        decision="refuse",
        definition={"hyperVGeneration": "V1"},
    ),
    Bad(
        "there is no subnet",
        "no-build-subnet",
        "REFRESH_BUILD_SUBNETS",
        decision="refuse",
        settings={"REFRESH_BUILD_SUBNETS": ""},
    ),
    Bad("there is no recipe", "bad-recipe", "recipe.toml", decision="refuse", settings={"REFRESH_RECIPES": "/nowhere"}),
    Bad(
        "the image does not exist",
        "bad-recipe",
        "is not available",
        (respond("GET", "/publishers/", 404, "NotFound"),),
        decision="refuse",
    ),
)


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_a_failed_build_is_explained_and_leaves_no_group_unnamed(bad: Bad) -> None:
    """The row has the failure with the end of the log or the commands to run, and names every group that is left."""

    async def story(world: HostedWorld) -> None:
        fail(world, *bad.rules)
        (row,) = (await world.run("create_images"))["images"]
        assert (row["decision"], row["reason"]) == (bad.decision, bad.reason), row
        assert bad.text in row["message"]
        commands = "\n".join(row.get("by_hand", ()))
        assert bad.evidence is None or bad.evidence in "\n".join(row["evidence"])
        assert bad.by_hand is None or bad.by_hand in commands
        assert excluded(world) is bad.excluded
        left = groups_left(world)
        assert len(left) == bad.groups
        assert all(f"az group delete --name {name} " in commands for name in left)

    on_recipes([*recipe_bodies(**bad.definition), *bad.more], story, **bad.settings)
