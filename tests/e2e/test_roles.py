"""The rights in infra/roles, assigned as in Bicep, are enough for the app, and each of them is needed.

Without a right, an outcome, a warning, an answer of the API or a log line must contain the name of the action.
"""

from __future__ import annotations

import asyncio
import json
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from tests.support.infra.app_under_roles import AppUnderRoles, run_under_roles
from tests.support.infra.deployed_roles import FILES, Right, actions_of, every_right
from tests.support.infra.role_worlds import (
    BUILD_NETWORK,
    COMPUTE,
    IMAGES_TOML,
    NETWORK,
    gallery,
    machine,
    recipes,
    sources,
)
from tests.support.worlds.builders import GALLERY
from tests.support.worlds.local_azure import LocalAzure, disk_body, vm_body
from tests.support.worlds.month_world import gallery_bodies, version_body, vm_bodies, vm_id
from tests.support.worlds.recipe_world import RECIPES
from tests.support.worlds.retention_world import aged_fleet as outdated

RESOURCES, STORAGE = "Microsoft.Resources", "Microsoft.Storage/storageAccounts"
A_DAY_S = 90000

OF_SWAPS: tuple[Right, ...] = (
    ("reader", f"{COMPUTE}/virtualMachines/read"),
    ("reader", f"{COMPUTE}/virtualMachines/retrieveBootDiagnosticsData/action"),
    ("reader", f"{COMPUTE}/disks/read"),
    ("reader", f"{COMPUTE}/diskEncryptionSets/read"),
    ("reader", f"{COMPUTE}/galleries/images/read"),
    ("reader", f"{COMPUTE}/galleries/images/versions/read"),
    ("reader", f"{COMPUTE}/skus/read"),
    ("reader", "Microsoft.Authorization/permissions/read"),
    ("reader", "Microsoft.Authorization/locks/read"),
    ("reader", "Microsoft.ResourceHealth/availabilityStatuses/read"),
    ("reader", f"{NETWORK}/networkInterfaces/read"),
    ("reader", f"{NETWORK}/publicIPAddresses/read"),
    *every_right("swapper"),
)
# The rights of one row belong to definitions with different sources, so one month tests all of them.
OF_IMAGES: tuple[tuple[Right, ...], ...] = (
    (
        ("swapper", f"{COMPUTE}/virtualMachines/write"),
        ("builder", f"{COMPUTE}/disks/write"),
        ("builder", f"{COMPUTE}/images/read"),
        ("builder", f"{COMPUTE}/snapshots/write"),
        ("builder", f"{COMPUTE}/galleries/images/write"),
        ("vhd-source", f"{STORAGE}/listKeys/action"),
    ),
    (("builder", f"{COMPUTE}/snapshots/read"), ("vhd-source", f"{STORAGE}/read")),
    (("builder", f"{COMPUTE}/images/write"),),
    (("builder", f"{COMPUTE}/galleries/images/versions/write"),),
    (("reader", f"{RESOURCES}/subscriptions/read"),),
)
OF_SELFCHECKS: tuple[Right, ...] = (("reader", f"{RESOURCES}/subscriptions/providers/read"),)
OF_FAILED_IMAGES: tuple[Right, ...] = (
    ("builder", f"{COMPUTE}/galleries/images/versions/delete"),
    ("builder", f"{COMPUTE}/images/delete"),
)
OF_QUARANTINE: tuple[Right, ...] = (
    ("builder", f"{RESOURCES}/tags/write"),
    ("builder", f"{COMPUTE}/galleries/images/versions/write"),
)
OF_RECIPES: tuple[Right, ...] = (*every_right("recipes", "build-network"),)
OF_RETENTION: tuple[Right, ...] = (
    ("cleaner", f"{COMPUTE}/disks/delete"),
    ("builder", f"{COMPUTE}/galleries/images/versions/delete"),
)

UNCHECKED = {
    (
        "reader",
        f"{COMPUTE}/locations/operations/read",
    ): "in the simulator the principal that started an operation may always poll it",
    ("reader", f"{COMPUTE}/locations/diskOperations/read"): "the same",
    ("reader", f"{COMPUTE}/locations/capsOperations/read"): "the same",
}
"""Rights that these tests cannot prove, with the reason; docs/permissions.md marks each as inferred."""


async def with_port(azure: LocalAzure, name: str) -> None:
    """Set the VM's probe to the port of its guest."""
    (port,) = (guest["ports"]["22"] for guest in azure.simulator.guests.listing() if guest["id"] == vm_id(name))
    await azure.tag(vm_id(name), RefreshProbe=f"tcp:{port.rpartition(':')[2]}")


def test_a_swap_needs_every_right_of_its_roles() -> None:
    """With all rights nothing is refused and no rights warning occurs; without one the outcome or decision names it."""
    rights: tuple[Right | None, ...] = (None, *OF_SWAPS)

    async def story(stage: AppUnderRoles) -> None:
        for number, right in enumerate(rights):
            name = f"vm{number:02}"
            await with_port(stage.azure, name)
            swap = partial(stage.swap, vm_id(name), f"{name}-new")
            reported = await stage.output_of(swap, *([right] if right else []))
            if right is None:
                assert (stage.refused, stage.azure.outcomes()[-1]["status"]) == ([], "succeeded"), reported
                assert [one["code"] for one in stage.azure.outcomes()[-1]["warnings"]] == ["dynamic-public-ip"], (
                    reported
                )
            else:
                assert right[1] in reported, (right, stage.refused, reported)

    modes = {number: "power-off" for number, right in enumerate(rights) if right and "powerOff" in right[1]}
    fleet = [machine(f"vm{number:02}", stop_mode=modes.get(number, "deallocate")) for number in range(len(rights))]
    run_under_roles(story, [*gallery(), *(body for bodies in fleet for body in bodies)])


def test_a_selfcheck_needs_every_right_of_its_roles() -> None:
    """With all rights nothing is refused; without one the subscription's row names it, and the run still succeeds."""

    async def story(stage: AppUnderRoles) -> None:
        run = await stage.run_without(partial(stage.run, "/api/selfcheck"))
        assert (run["status"], stage.refused) == ("succeeded", []), run
        for right in OF_SELFCHECKS:
            run = await stage.run_without(partial(stage.run, "/api/selfcheck"), right)
            assert right[1] in json.dumps(run["checks"]), (right, stage.refused, run)
            assert run["status"] == "succeeded"

    run_under_roles(story, [*gallery(), *machine("vm00")])


def test_images_from_every_source_need_every_right_of_their_roles(tmp_path: Path) -> None:
    """With all rights every kind of source becomes a version; without one the row of the definition names it."""
    failing = {"match": {"operation": "versionCreate"}, "times": 9, "fail": {"code": "Bad", "message": "planned"}}

    async def story(stage: AppUnderRoles) -> None:
        for rights in OF_IMAGES:
            reported = await stage.output_of(stage.images, *rights)
            assert [right for right in rights if right[1] not in reported] == [], (stage.refused, reported)
        run = await stage.run_without(stage.images)
        assert (run["status"], {row["reason"] for row in run["images"]}, stage.refused) == ("succeeded", {"made"}, [])
        assert len(run["images"]) == 6
        for right in OF_FAILED_IMAGES:
            stage.azure.simulator.services.faults.add([failing])
            reported = await stage.output_of(stage.images, right)
            assert right[1] in reported, (stage.refused, reported)
            stage.azure.simulator.services.faults.clear()

    path = tmp_path / "images.toml"
    path.write_text(IMAGES_TOML)
    run_under_roles(story, sources(), "vhdStorageAccounts", REFRESH_IMAGES=str(path))


def test_a_recipe_needs_every_right_of_its_roles() -> None:
    """With all rights a recipe is built, proven and cleaned up; without one the run or its leftovers name it."""

    async def story(stage: AppUnderRoles) -> None:
        run = await stage.run_without(stage.images)
        assert (run["status"], run["images"][0]["reason"], stage.refused) == ("succeeded", "made", []), run
        assert (await stage.azure.api("GET", "/api/orphans"))[1]["value"] == []
        for right in OF_RECIPES:
            await asyncio.sleep(A_DAY_S)  # then a version with a failed proof counts as a leftover
            reported = await stage.output_of(stage.images, right)
            assert right[1] in reported, (right, stage.refused, reported)

    built = {"REFRESH_RECIPES": str(RECIPES), "REFRESH_BUILD_SUBNETS": f"{BUILD_NETWORK}/subnets/build"}
    run_under_roles(story, recipes(), "recipeBuilds", **built)


def test_retention_needs_every_right_of_its_roles() -> None:
    """Without a right the rows of undeleted resources name it; with all rights everything deletable is deleted."""

    async def story(stage: AppUnderRoles) -> None:
        delete = partial(stage.run, "/api/retention", dryRun=False)
        for right in OF_RETENTION:
            reported = await stage.output_of(delete, right)
            assert right[1] in reported, (stage.refused, reported)
        run = await stage.run_without(delete)
        assert (run["status"], run["deleted"] > 0, stage.refused) == ("succeeded", True, []), run

    run_under_roles(story, outdated(), "retentionDeletes")


def test_the_quarantine_of_a_version_needs_every_right_of_its_roles() -> None:
    """When the version of two rolled-back VMs cannot be marked, the outcome of the second VM names the right."""

    async def story(stage: AppUnderRoles) -> None:
        stage.azure.simulator.services.faults.add([{"disk": "*-bad", "boots": False}])
        for first, right in zip(("a", "b"), OF_QUARANTINE, strict=True):
            await stage.swap(vm_id(f"{first}1"), f"{first}1-bad")
            reported = await stage.output_of(partial(stage.swap, vm_id(f"{first}2"), f"{first}2-bad"), right)
            assert right[1] in reported, (right, stage.refused, reported)

    def fleet(first: str) -> list[dict[str, Any]]:
        version = f"{GALLERY}/images/ubuntu/versions/{ord(first)}.1.0"
        origin = {"createOption": "FromImage", "galleryImageReference": {"id": version}}
        names = (f"{first}1", f"{first}2")
        disks = [disk_body(f"{name}-bad", creationData=origin) for name in names]
        return [version_body(version), *(vm_body(name) for name in names), *disks]

    run_under_roles(story, [*gallery_bodies(), *fleet("a"), *fleet("b")])


def test_the_rights_are_enough_for_a_whole_month_and_a_bad_image() -> None:
    """Azure refuses nothing in a month of images, disks, tags and swaps, and one with a quarantined version."""

    async def story(stage: AppUnderRoles) -> None:
        run = await stage.run_without(partial(stage.run, "/api/refresh", all=True, rollout="auto", period="202611"))
        assert [row["status"] for row in run["vms"]] == ["succeeded"] * 3, run
        stage.azure.simulator.services.faults.add([{"disk": "*-202612", "boots": False}])
        run = await stage.run_without(partial(stage.run, "/api/refresh", all=True, rollout="auto", period="202612"))
        assert {row["status"] for row in run["vms"]} <= {"rolled-back", "refused"}, run
        version = await stage.azure.arm("GET", f"{GALLERY}/images/ubuntu/versions/202612.1.0")
        assert "RefreshQuarantined" in version["tags"]
        assert [outcome["status"] for outcome in stage.azure.outcomes()[-2:]] == ["rolled-back", "rolled-back"]
        refused = [row["path"] for row in stage.azure.simulator.journal.requests if row["status"] in (401, 403)]
        assert refused == []

    fleet = [body for name in ("web01", "web02", "web03") for body in vm_bodies(name)]
    run_under_roles(story, [*gallery_bodies(), *fleet])


def test_no_role_has_an_unneeded_right() -> None:
    """Every action of every role of the app is in one of the tests above or has a reason in `UNCHECKED`."""
    roles = {file.stem for file in FILES.glob("*.json")} - {"app-team"}
    proved = {
        *OF_SWAPS,
        *OF_SELFCHECKS,
        *OF_FAILED_IMAGES,
        *OF_QUARANTINE,
        *OF_RECIPES,
        *OF_RETENTION,
        *chain(*OF_IMAGES),
    }
    assert set(every_right(*roles)) == proved | set(UNCHECKED)
    assert proved.isdisjoint(UNCHECKED)


@pytest.mark.parametrize("right", UNCHECKED, ids=lambda right: right[1])
def test_rights_that_cannot_be_proven_are_marked_as_inferred(right: Right) -> None:
    """docs/permissions.md marks the right as inferred."""
    page = (FILES.parents[1] / "docs" / "permissions.md").read_text()
    (row,) = [line for line in page.splitlines() if f"`{right[1]}`" in line]
    assert "inferred" in row


def test_a_team_with_its_role_has_its_vm_swapped_and_can_do_nothing_else() -> None:
    """The app-team role allows to read the VM and to request a disk by its tag, but not to stop or change the VM."""
    team = {"scope": vm_id("vm00").partition("/providers")[0], "actions": actions_of("app-team"), "principal": "team"}

    async def as_team(azure: LocalAzure, method: str, path: str, body: Any = None) -> int:
        url, query = f"{azure.endpoints.arm}{path}", {"api-version": "2024-07-01"}
        headers = {"Authorization": "Bearer team"}
        async with azure.http.request(method, url, json=body, headers=headers, params=query) as answer:
            return answer.status

    async def story(stage: AppUnderRoles) -> None:
        roles = stage.azure.simulator.roles
        roles.replace([*roles.listing(), team])
        azure, vm = stage.azure, vm_id("vm00")
        await with_port(azure, "vm00")
        merge = {"operation": "Merge", "properties": {"tags": {"OsDiskName": "vm00-new"}}}
        tags = f"{vm}/providers/Microsoft.Resources/tags/default"
        assert await as_team(azure, "POST", f"{vm}/deallocate") == 403
        assert await as_team(azure, "PATCH", vm, {"tags": {"OsDiskName": "vm00-new"}}) == 403
        assert await as_team(azure, "GET", vm) == 200
        assert await as_team(azure, "GET", tags) == 200
        assert await as_team(azure, "PATCH", tags, merge) == 200
        await azure.settled()
        assert [one["status"] for one in azure.outcomes()] == ["succeeded"]

    run_under_roles(story, [*gallery(), *machine("vm00")])
