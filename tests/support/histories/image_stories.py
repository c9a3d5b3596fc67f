"""The stories about months, image versions and retention whose histories are stored.

Decides what happens in each. Leaves the recording to `recorder.py`.
"""

from __future__ import annotations

from typing import Any

from refresh.records.recipes import ProofInput
from tests.support.histories.recorded_story import RecordedStory, Story, failing_once
from tests.support.worlds.builders import DEFINITION_ID, VERSION_ID
from tests.support.worlds.local_azure import LocalAzure
from tests.support.worlds.month_world import gallery_bodies, vm_bodies
from tests.support.worlds.recipe_world import MACHINE, PROOF_DISK, RECIPES, SUBNET, recipe_bodies
from tests.support.worlds.retention_world import aged_fleet

_MONTH = [*gallery_bodies(), *vm_bodies("web01"), *vm_bodies("web02"), *vm_bodies("win01", os_type="Windows")]
_RECIPE = {"REFRESH_RECIPES": str(RECIPES), "REFRESH_BUILD_SUBNETS": SUBNET}


async def month(azure: LocalAzure) -> None:
    """One whole month: an image, disks, tags and swaps; one disk does not boot."""
    azure.simulator.services.faults.add([{"disk": "*/web02-2*", "boots": False}])
    await azure.hub.completed(azure.hub.start("refresh_month", {}, "month-202611-00000000"))
    await azure.settled()


def slow_build_vm(duration_s: float) -> dict[str, Any]:
    """Azure takes that long to create a temporary VM; polls are rarer after half an hour."""
    return {"match": {"operation": "create", "resource": "*/machine"}, "duration_s": duration_s}


async def _make_images(azure: LocalAzure) -> None:
    await azure.hub.completed(azure.hub.start("create_images", {}, "images-202611-00000000"))


def images_with_faults(*faults: dict[str, Any]) -> Story:
    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([*faults])
        await _make_images(azure)

    return story


async def kept_image(azure: LocalAzure) -> None:
    """The month's version exists already: nothing is made and no event is published."""
    await _make_images(azure)
    await azure.hub.completed(azure.hub.start("create_images", {}, "images-202611-00000001"))


async def app_fails_at_machine(azure: LocalAzure) -> None:
    """The activity that creates the build VM raises once and is called again."""
    azure.hub.wrap_worker(failing_once("ensure_build_vm"))
    await _make_images(azure)


async def proof_without_subnet(azure: LocalAzure) -> None:
    """A version is to be proved without a subnet for its VM."""
    proof = ProofInput(DEFINITION_ID, VERSION_ID).to_json()
    await azure.hub.completed(azure.hub.start("prove_version", proof, "proof-202611-00000000"))


def retention(*faults: dict[str, Any], delete: bool) -> Story:
    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([*faults])
        data = {"delete": delete}
        await azure.hub.completed(azure.hub.start("apply_retention", data, "retention-202611-00000000"))

    return story


_FORBIDDEN = {"status": 403, "body": {"error": {"code": "Forbidden", "message": "planned"}}}
SLOW = {"match": {"operation": "versionCreate"}, "duration_s": 4500}
REFUSED = {"match": {"operation": "versionCreate"}, "fail": {"code": "SourceImageInvalid", "message": "planned"}}
NO_LIST = {"match": {"path": "/virtualMachines$"}, "respond": _FORBIDDEN}
PANIC = {"disk": PROOF_DISK, "boots": False, "serial": "panic"}

IMAGE_STORIES = (
    RecordedStory(
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
    RecordedStory(images_with_faults(SLOW), {"build_image": ((0, "slow"), (1, "slow, continued"))}, _MONTH),
    RecordedStory(
        images_with_faults(REFUSED), {"build_image": ((0, "failed"),), "create_images": ((0, "one failed"),)}, _MONTH
    ),
    RecordedStory(kept_image, {"build_image": ((1, "kept"),)}, _MONTH),
    RecordedStory(
        images_with_faults(slow_build_vm(100)),
        {
            "build_image": ((0, "of a recipe"), (1, "of a machine")),
            "run_recipe": ((0, "made"),),
            "build_vm": ((0, "built"),),
            "prove_version": ((0, "proved"),),
        },
        recipe_bodies(),
        _RECIPE,
    ),
    RecordedStory(
        images_with_faults(), {"build_vm": ((0, "generalized"),)}, recipe_bodies(osState="Generalized"), _RECIPE
    ),
    RecordedStory(app_fails_at_machine, {"build_vm": ((0, "app fails"),)}, recipe_bodies(), _RECIPE),
    RecordedStory(
        images_with_faults({"cloudInit": MACHINE, "ends": "silent"}),
        {"build_vm": ((0, "no marker"),), "run_recipe": ((0, "no machine"),)},
        recipe_bodies(),
        _RECIPE,
    ),
    RecordedStory(
        images_with_faults(),
        {"run_recipe": ((0, "refused"),)},
        recipe_bodies(),
        {**_RECIPE, "REFRESH_RECIPES": "nowhere"},
    ),
    RecordedStory(
        images_with_faults(PANIC, slow_build_vm(1900)),
        {"prove_version": ((0, "not healthy"),), "build_image": ((1, "not proven"),)},
        recipe_bodies(),
        _RECIPE,
    ),
    RecordedStory(proof_without_subnet, {"prove_version": ((0, "refused"),)}, recipe_bodies()),
    RecordedStory(retention(delete=False), {"apply_retention": ((0, "listed"),)}, aged_fleet()),
    RecordedStory(retention(delete=True), {"apply_retention": ((0, "deleted"),)}, aged_fleet()),
    RecordedStory(
        retention({"match": {"operation": "versionDelete"}, "hang": True}, delete=True),
        {"apply_retention": ((0, "stuck"),)},
        aged_fleet(),
    ),
    RecordedStory(
        retention(NO_LIST, delete=True),
        {"apply_retention": ((0, "not read"),)},
        aged_fleet(),
    ),
)
