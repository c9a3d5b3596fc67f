"""The rights in infra/roles, assigned as Bicep does, are enough for what the app does, and each of them is needed.

Without a right the app must fail or lose something and say so: in an outcome, a warning, an answer of its API or its
log, with the action's name in it.
"""

from __future__ import annotations

import asyncio
import json
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from tests.support.infra.deployed_roles import FILES, Right, actions_of, every_right
from tests.support.infra.role_stories import Stage, on_stage
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
# Those of one row are needed by definitions with different sources, so one month tells of all of them.
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
    ("reader", f"{COMPUTE}/locations/operations/read"): "the simulator lets whoever began an operation follow it",
    ("reader", f"{COMPUTE}/locations/diskOperations/read"): "the same",
    ("reader", f"{COMPUTE}/locations/capsOperations/read"): "the same",
}
"""Rights that nothing here can prove, with the reason; the page says of each that it is inferred."""


async def with_port(azure: LocalAzure, name: str) -> None:
    """Have the VM probed where its guest really listens."""
    (port,) = (guest["ports"]["22"] for guest in azure.simulator.guests.listing() if guest["id"] == vm_id(name))
    await azure.tag(vm_id(name), RefreshProbe=f"tcp:{port.rpartition(':')[2]}")


def test_a_swap_needs_every_right_it_is_given() -> None:
    """With all of them nothing is refused or warned of; without one the VM's outcome or decision names it."""
    rights: tuple[Right | None, ...] = (None, *OF_SWAPS)

    async def story(stage: Stage) -> None:
        for number, right in enumerate(rights):
            name = f"vm{number:02}"
            await with_port(stage.azure, name)
            swap = partial(stage.swap, vm_id(name), f"{name}-new")
            told = await stage.told(swap, *([right] if right else []))
            if right is None:
                assert (stage.refused, stage.azure.outcomes()[-1]["status"]) == ([], "succeeded"), told
                assert [one["code"] for one in stage.azure.outcomes()[-1]["warnings"]] == ["dynamic-public-ip"], told
            else:
                assert right[1] in told, (right, stage.refused, told)

    modes = {number: "power-off" for number, right in enumerate(rights) if right and "powerOff" in right[1]}
    fleet = [machine(f"vm{number:02}", stop_mode=modes.get(number, "deallocate")) for number in range(len(rights))]
    on_stage(story, [*gallery(), *(body for bodies in fleet for body in bodies)])


def test_a_selfcheck_needs_every_right_it_is_given() -> None:
    """With all of them nothing is refused; without one the row of the subscription names it, and swaps may begin."""

    async def story(stage: Stage) -> None:
        run = await stage.watch(partial(stage.run, "/api/selfcheck"))
        assert (run["status"], stage.refused) == ("succeeded", []), run
        for right in OF_SELFCHECKS:
            run = await stage.watch(partial(stage.run, "/api/selfcheck"), right)
            assert right[1] in json.dumps(run["checks"]), (right, stage.refused, run)
            assert run["status"] == "succeeded"

    on_stage(story, [*gallery(), *machine("vm00")])


def test_images_from_every_source_need_every_right_they_are_given(tmp_path: Path) -> None:
    """With all rights every kind of source becomes a version; without one the definition's row names it."""
    failing = {"match": {"operation": "versionCreate"}, "times": 9, "fail": {"code": "Bad", "message": "planned"}}

    async def story(stage: Stage) -> None:
        months = iter(f"2027{month:02}" for month in range(1, 13))
        for rights in OF_IMAGES:
            told = await stage.told(partial(stage.images, next(months)), *rights)
            assert [right for right in rights if right[1] not in told] == [], (stage.refused, told)
        run = await stage.watch(partial(stage.images, next(months)))
        assert (run["status"], {row["reason"] for row in run["images"]}, stage.refused) == ("succeeded", {"made"}, [])
        assert len(run["images"]) == 6
        for right in OF_FAILED_IMAGES:
            stage.azure.simulator.services.faults.add([failing])
            told = await stage.told(partial(stage.images, next(months)), right)
            assert right[1] in told, (stage.refused, told)
            stage.azure.simulator.services.faults.clear()

    path = tmp_path / "images.toml"
    path.write_text(IMAGES_TOML)
    on_stage(story, sources(), "vhdStorageAccounts", REFRESH_IMAGES=str(path))


def test_a_recipe_needs_every_right_it_is_given() -> None:
    """With all rights it is built, proved and cleared away; without one the run, or what it leaves behind, names it."""

    async def story(stage: Stage) -> None:
        months = iter(f"{2027 + number // 12}{number % 12 + 1:02}" for number in range(99))
        run = await stage.watch(partial(stage.images, next(months)))
        assert (run["status"], run["images"][0]["reason"], stage.refused) == ("succeeded", "made", []), run
        assert (await stage.azure.api("GET", "/api/orphans"))[1]["value"] == []
        for right in OF_RECIPES:
            await asyncio.sleep(A_DAY_S)  # a version whose proof failed is nobody's any more then
            told = await stage.told(partial(stage.images, next(months)), right)
            assert right[1] in told, (right, stage.refused, told)

    built = {"REFRESH_RECIPES": str(RECIPES), "REFRESH_BUILD_SUBNETS": f"{BUILD_NETWORK}/subnets/build"}
    on_stage(story, recipes(), "recipeBuilds", **built)


def test_retention_needs_every_right_it_is_given() -> None:
    """Without a right what was not deleted says so; with all of them everything goes that may."""

    async def story(stage: Stage) -> None:
        delete = partial(stage.run, "/api/retention", dryRun=False)
        for right in OF_RETENTION:
            told = await stage.told(delete, right)
            assert right[1] in told, (stage.refused, told)
        run = await stage.watch(delete)
        assert (run["status"], run["deleted"] > 0, stage.refused) == ("succeeded", True, []), run

    on_stage(story, outdated(), "retentionDeletes")


def test_the_quarantine_of_a_version_needs_every_right_it_is_given() -> None:
    """Two VMs are rolled back from a version that may not be marked: the second one's outcome names the right."""

    async def story(stage: Stage) -> None:
        stage.azure.simulator.services.faults.add([{"disk": "*-bad", "boots": False}])
        for first, right in zip(("a", "b"), OF_QUARANTINE, strict=True):
            await stage.swap(vm_id(f"{first}1"), f"{first}1-bad")
            told = await stage.told(partial(stage.swap, vm_id(f"{first}2"), f"{first}2-bad"), right)
            assert right[1] in told, (right, stage.refused, told)

    def fleet(first: str) -> list[dict[str, Any]]:
        version = f"{GALLERY}/images/ubuntu/versions/{ord(first)}.1.0"
        origin = {"createOption": "FromImage", "galleryImageReference": {"id": version}}
        names = (f"{first}1", f"{first}2")
        disks = [disk_body(f"{name}-bad", creationData=origin) for name in names]
        return [version_body(version), *(vm_body(name) for name in names), *disks]

    on_stage(story, [*gallery_bodies(), *fleet("a"), *fleet("b")])


def test_a_whole_month_and_a_bad_image_are_worked_off_with_the_rights_there_are() -> None:
    """Image, disks, tags, swaps, then a version that is quarantined after two rollbacks: Azure refuses nothing."""

    async def story(stage: Stage) -> None:
        run = await stage.watch(partial(stage.run, "/api/refresh", all=True, rollout="auto", period="202611"))
        assert [row["status"] for row in run["vms"]] == ["succeeded"] * 3, run
        stage.azure.simulator.services.faults.add([{"disk": "*-202612", "boots": False}])
        run = await stage.watch(partial(stage.run, "/api/refresh", all=True, rollout="auto", period="202612"))
        assert {row["status"] for row in run["vms"]} <= {"rolled-back", "refused"}, run
        version = await stage.azure.arm("GET", f"{GALLERY}/images/ubuntu/versions/202612.1.0")
        assert "RefreshQuarantined" in version["tags"]
        assert [outcome["status"] for outcome in stage.azure.outcomes()[-2:]] == ["rolled-back", "rolled-back"]
        refused = [row["path"] for row in stage.azure.simulator.journal.requests if row["status"] in (401, 403)]
        assert refused == []

    fleet = [body for name in ("web01", "web02", "web03") for body in vm_bodies(name)]
    on_stage(story, [*gallery_bodies(), *fleet])


def test_no_right_is_given_that_nothing_needs() -> None:
    """Every action of every role of the app is in one of the stories above, or says why it cannot be."""
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
def test_what_cannot_be_proved_here_is_said_to_be_inferred(right: Right) -> None:
    """The page tells the reader to verify it on the first deployment."""
    page = (FILES.parents[1] / "docs" / "permissions.md").read_text()
    (row,) = [line for line in page.splitlines() if f"`{right[1]}`" in line]
    assert "inferred" in row


def test_a_team_with_its_role_has_its_vm_swapped_and_can_do_nothing_else() -> None:
    """Who has the app-team role reads the VM and edits its tag, which the app fulfils; he cannot stop it himself."""
    team = {"scope": vm_id("vm00").partition("/providers")[0], "actions": actions_of("app-team"), "principal": "team"}

    async def as_team(azure: LocalAzure, method: str, path: str, body: Any = None) -> int:
        url, query = f"{azure.endpoints.arm}{path}", {"api-version": "2024-07-01"}
        headers = {"Authorization": "Bearer team"}
        async with azure.http.request(method, url, json=body, headers=headers, params=query) as answer:
            return answer.status

    async def story(stage: Stage) -> None:
        roles = stage.azure.simulator.roles
        roles.replace([*roles.listing(), team])
        azure, vm = stage.azure, vm_id("vm00")
        await with_port(azure, "vm00")
        wish = {"operation": "Merge", "properties": {"tags": {"OsDiskName": "vm00-new"}}}
        tags = f"{vm}/providers/Microsoft.Resources/tags/default"
        assert await as_team(azure, "POST", f"{vm}/deallocate") == 403
        assert await as_team(azure, "PATCH", vm, {"tags": {"OsDiskName": "vm00-new"}}) == 403
        assert await as_team(azure, "GET", vm) == 200
        assert await as_team(azure, "GET", tags) == 200
        assert await as_team(azure, "PATCH", tags, wish) == 200
        await azure.settled()
        assert [one["status"] for one in azure.outcomes()] == ["succeeded"]

    on_stage(story, [*gallery(), *machine("vm00")])
