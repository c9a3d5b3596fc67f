"""A month of some VMs over the HTTP API: only their definitions are built, and no period is far ahead."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from refresh.domain.terms import names
from simulator.arm.core.store import Json
from simulator.clock import Clock, run
from tests.support.worlds.builders import GALLERY
from tests.support.worlds.local_azure import LocalAzure, local_azure, play
from tests.support.worlds.month_world import GOLDEN, definition_body, gallery_bodies, vm_bodies

DEBIAN_ID, WINDOWS_ID, ARM_ID = (f"{GALLERY}/images/{name}" for name in ("debian", "windows", "ubuntu-arm"))
TAGGED = {"AutoRefresh": "true", "RefreshPersonalizes": "true", "RefreshSource": GOLDEN}
WINDOWS_GOLDEN = GOLDEN.replace("golden", "wingold")
ARM_GOLDEN = GOLDEN.replace("golden", "armgold")


def arm_vm(name: str, tags: dict[str, str] | None = None) -> list[Json]:
    disk, vm = vm_bodies(name, tags)
    disk["properties"]["supportedCapabilities"] = {"architecture": "Arm64"}
    vm["properties"]["hardwareProfile"] = {"vmSize": "Standard_D2ps_v5"}
    return [disk, vm]


WORLD = [
    *gallery_bodies(),
    *vm_bodies("wingold", {}, os_type="Windows"),
    *arm_vm("armgold", {}),
    definition_body(WINDOWS_ID, {**TAGGED, "RefreshSource": WINDOWS_GOLDEN}, osType="Windows"),
    definition_body(ARM_ID, {**TAGGED, "RefreshSource": ARM_GOLDEN}, architecture="Arm64"),
    *vm_bodies("web01"),
    *vm_bodies("web02"),
    *vm_bodies("win01", os_type="Windows"),
    *arm_vm("arm01"),
    *vm_bodies("out", {}),
    *vm_bodies("lost", {"AutoRefresh": "true", "RefreshImage": "nope"}),
]


def built(answer: dict[str, Any]) -> list[str]:
    return sorted(row["definition"].rsplit("/", 1)[-1] for row in answer["images"])


@pytest.mark.parametrize(
    ("vms", "expected"),
    [
        (["web01", "web02"], ["ubuntu"]),
        (["win01"], ["windows"]),
        (["arm01"], ["ubuntu-arm"]),
        (["arm01", "win01"], ["ubuntu-arm", "windows"]),
        (["out"], []),
        (["lost"], []),
        (None, ["ubuntu", "ubuntu-arm", "windows"]),
    ],
)
def test_only_the_definitions_of_the_named_vms_are_built(vms: list[str] | None, expected: list[str]) -> None:
    """By OS, generation, architecture and `RefreshImage`; the plan and the run agree."""

    async def story(azure: LocalAzure) -> None:
        request = {"period": "202611", "rollout": "manual", **({"vms": vms} if vms else {"all": True})}
        status, plan = await azure.api("POST", "/api/refresh", {**request, "dryRun": True})
        assert (status, built(plan)) == (200, expected)
        _, begun = await azure.api("POST", "/api/refresh", request)
        await azure.hub.completed(begun["id"])
        _, month = await azure.api("GET", begun["href"])
        assert built(month) == expected
        made = {path.split("/versions/")[0].rsplit("/", 1)[-1] for path in puts(azure) if "/versions/" in path}
        assert sorted(made) == expected

    play(story, WORLD)


def puts(azure: LocalAzure) -> list[str]:
    requests = azure.simulator.journal.to_json(azure.clock.now())["requests"]
    return [row["path"] for row in requests if row["method"] == "PUT"]


def test_a_definition_named_by_two_tags_is_told_apart() -> None:
    """Of two that fit, the one that the VM's `RefreshImage` names is built; without the tag neither is."""

    async def story(azure: LocalAzure) -> None:
        for vm, expected in (("named", ["debian"]), ("plain", [])):
            _, plan = await azure.api("POST", "/api/refresh", {"vms": [vm], "dryRun": True})
            assert built(plan) == expected

    named = vm_bodies("named", {"AutoRefresh": "true", "RefreshImage": " Debian "})
    play(story, [*gallery_bodies(), definition_body(DEBIAN_ID, TAGGED), *named, *vm_bodies("plain")])


def test_a_version_for_one_vm_is_made_for_the_regions_of_all() -> None:
    """The others find it in their month: it is the version of the period."""

    async def story(azure: LocalAzure) -> None:
        _, plan = await azure.api("POST", "/api/refresh", {"vms": ["web01"], "dryRun": True})
        (row,) = plan["images"]
        assert "uksouth" in row["message"]

    far = [{**body, "location": "uksouth"} for body in vm_bodies("far01")]
    play(story, [*gallery_bodies(), *vm_bodies("web01"), *far])


@pytest.mark.parametrize(
    ("today", "latest", "refused"),
    [
        (datetime(2026, 11, 30, 23, tzinfo=UTC), "202612", "202701"),
        (datetime(2026, 12, 31, 23, tzinfo=UTC), "202701", "202702"),
        (datetime(2027, 1, 1, tzinfo=UTC), "202702", "202703"),
    ],
)
def test_a_period_more_than_a_month_ahead_is_refused(today: datetime, latest: str, refused: str) -> None:
    """Every route that takes a period names the allowed range; nothing is started."""

    async def main(clock: Clock) -> None:
        async with local_azure(clock, [*gallery_bodies(), *vm_bodies("web01")]) as azure:
            for path in ("images", "disks", "tags", "refresh"):
                for dry in (True, False):
                    body = {"all": True, "period": refused, "dryRun": dry}
                    status, problem = await azure.api("POST", f"/api/{path}", body)
                    assert status == 400, problem
                    assert f'"{names.FIRST_PERIOD}" to "{latest}"' in problem["detail"]
                    assert problem["errors"][0]["pointer"] == "#/period"
                for period in (latest, "202501"):
                    body = {"all": True, "period": period, "dryRun": True}
                    assert (await azure.api("POST", f"/api/{path}", body))[0] == 200
            assert azure.hub.orchestrations.instances == {}

    run(main, Clock("virtual", start=today))
