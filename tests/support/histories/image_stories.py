"""The stories about months, image versions and retention whose histories are kept.

Decides what happens in each. Refuses to know how it is written down.
"""

from __future__ import annotations

from typing import Any

from refresh.records.recipes import ProofInput
from tests.support.histories.story import Tale, Told, clumsy
from tests.support.worlds.builders import DEFINITION_ID, VERSION_ID
from tests.support.worlds.local_azure import LocalAzure
from tests.support.worlds.month_world import gallery_bodies, vm_bodies
from tests.support.worlds.recipe_world import MACHINE, PROOF_DISK, RECIPES, SUBNET, recipe_bodies
from tests.support.worlds.retention_world import aged_fleet

_MONTH = [*gallery_bodies(), *vm_bodies("web01"), *vm_bodies("web02"), *vm_bodies("win01", os_type="Windows")]
_RECIPE = {"REFRESH_RECIPES": str(RECIPES), "REFRESH_BUILD_SUBNETS": SUBNET}


async def month(azure: LocalAzure) -> None:
    """Everything in one month: an image, disks, tags and swaps, and one disk that does not boot."""
    azure.simulator.services.faults.add([{"disk": "*/web02-2*", "boots": False}])
    await azure.hub.completed(azure.hub.start("refresh_month", {}, "month-202611-00000000"))
    await azure.settled()


def machine_takes(duration_s: float) -> dict[str, Any]:
    """Azure takes that long to make a throw-away VM; looks are rarer after half an hour."""
    return {"match": {"operation": "create", "resource": "*/machine"}, "duration_s": duration_s}


async def _make_images(azure: LocalAzure) -> None:
    await azure.hub.completed(azure.hub.start("create_images", {}, "images-202611-00000000"))


def images_amid(*faults: dict[str, Any]) -> Tale:
    async def tale(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([*faults])
        await _make_images(azure)

    return tale


async def kept_image(azure: LocalAzure) -> None:
    """The month's version is there already: nothing is made and nothing told."""
    await _make_images(azure)
    await azure.hub.completed(azure.hub.start("create_images", {}, "images-202611-00000001"))


async def app_fails_at_machine(azure: LocalAzure) -> None:
    """The activity that makes the build VM raises once: it is asked for again."""
    azure.hub.wrap_worker(clumsy("ensure_build_vm"))
    await _make_images(azure)


async def proof_without_subnet(azure: LocalAzure) -> None:
    """A version is to be proved where there is nowhere to do it."""
    asked = ProofInput(DEFINITION_ID, VERSION_ID).to_json()
    await azure.hub.completed(azure.hub.start("prove_version", asked, "proof-202611-00000000"))


def retention(*faults: dict[str, Any], delete: bool) -> Tale:
    async def tale(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([*faults])
        asked = {"delete": delete}
        await azure.hub.completed(azure.hub.start("apply_retention", asked, "retention-202611-00000000"))

    return tale


_FORBIDDEN = {"status": 403, "body": {"error": {"code": "Forbidden", "message": "planned"}}}
SLOW = {"match": {"operation": "versionCreate"}, "duration_s": 4500}
REFUSED = {"match": {"operation": "versionCreate"}, "fail": {"code": "SourceImageInvalid", "message": "planned"}}
NO_LIST = {"match": {"path": "/virtualMachines$"}, "respond": _FORBIDDEN}
PANIC = {"disk": PROOF_DISK, "boots": False, "serial": "panic"}

IMAGE_STORIES = (
    Told(
        month,
        {
            "refresh_month": ((0, "rolled out"),),
            "create_images": ((0, "one made"),),
            "build_image": ((0, "made"),),
            "create_disks": ((0, "made"),),
            "write_tags": ((0, "written"),),
            "swap_vms": ((0, "of a month"),),
        },
        _MONTH,
        {"REFRESH_ROLLOUT": "auto"},
    ),
    Told(images_amid(SLOW), {"build_image": ((0, "slow"), (1, "slow, continued"))}, _MONTH),
    Told(images_amid(REFUSED), {"build_image": ((0, "failed"),), "create_images": ((0, "one failed"),)}, _MONTH),
    Told(kept_image, {"build_image": ((1, "kept"),)}, _MONTH),
    Told(
        images_amid(machine_takes(100)),
        {
            "build_image": ((0, "of a recipe"), (1, "of a machine")),
            "run_recipe": ((0, "made"),),
            "build_vm": ((0, "built"),),
            "prove_version": ((0, "proved"),),
        },
        recipe_bodies(),
        _RECIPE,
    ),
    Told(images_amid(), {"build_vm": ((0, "generalized"),)}, recipe_bodies(osState="Generalized"), _RECIPE),
    Told(app_fails_at_machine, {"build_vm": ((0, "app fails"),)}, recipe_bodies(), _RECIPE),
    Told(
        images_amid({"cloudInit": MACHINE, "ends": "silent"}),
        {"build_vm": ((0, "no marker"),), "run_recipe": ((0, "no machine"),)},
        recipe_bodies(),
        _RECIPE,
    ),
    Told(images_amid(), {"run_recipe": ((0, "refused"),)}, recipe_bodies(), {**_RECIPE, "REFRESH_RECIPES": "nowhere"}),
    Told(
        images_amid(PANIC, machine_takes(1900)),
        {"prove_version": ((0, "not healthy"),), "build_image": ((1, "not proven"),)},
        recipe_bodies(),
        _RECIPE,
    ),
    Told(proof_without_subnet, {"prove_version": ((0, "refused"),)}, recipe_bodies()),
    Told(retention(delete=False), {"apply_retention": ((0, "listed"),)}, aged_fleet()),
    Told(retention(delete=True), {"apply_retention": ((0, "deleted"),)}, aged_fleet()),
    Told(
        retention({"match": {"operation": "versionDelete"}, "hang": True}, delete=True),
        {"apply_retention": ((0, "stuck"),)},
        aged_fleet(),
    ),
    Told(
        retention(NO_LIST, delete=True),
        {"apply_retention": ((0, "not read"),)},
        aged_fleet(),
    ),
)
