"""The rights in docs/images.md are enough to build from every source, and each of them is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.e2e.test_image_sources import IMAGES_TOML, NAMES, scenario
from tests.support.worlds.local_azure import LocalAzure, play

DOC = (Path(__file__).parents[2] / "docs" / "images.md").read_text(encoding="utf-8").partition("## Rights")[2]
NEEDED = {
    "Microsoft.Compute/galleries/images/read",
    "Microsoft.Compute/galleries/images/write",
    "Microsoft.Compute/galleries/images/versions/read",
    "Microsoft.Compute/galleries/images/versions/write",
    "Microsoft.Compute/virtualMachines/write",
    "Microsoft.Compute/disks/read",
    "Microsoft.Compute/disks/write",
    "Microsoft.Compute/snapshots/read",
    "Microsoft.Compute/snapshots/write",
    "Microsoft.Compute/images/read",
    "Microsoft.Compute/images/write",
    "Microsoft.Storage/storageAccounts/read",
    "Microsoft.Storage/storageAccounts/listKeys/action",
}
MISSING = {
    "from-vm": "Microsoft.Compute/virtualMachines/write",
    "from-image": "Microsoft.Compute/images/read",
    "from-disk": "Microsoft.Compute/disks/write",
    "from-snapshot": "Microsoft.Compute/snapshots/write",
    "from-vhd": "Microsoft.Storage/storageAccounts/listKeys/action",
    "via-image": "Microsoft.Compute/galleries/images/write",
}
# The build reads the regions of VMs; every part of the app has these rights.
COMMON = {"Microsoft.Compute/virtualMachines/read", "Microsoft.Resources/subscriptions/read"}


def test_the_rights_that_are_listed_are_enough_and_none_too_many(tmp_path: Path) -> None:
    """With them every definition gets its version; without one, its definition fails and Azure's error names it."""
    assert [action for action in NEEDED if f"`{action}`" not in DOC] == []

    async def images(azure: LocalAzure, period: str, actions: set[str]) -> dict[str, str]:
        async with azure.http.put(
            f"{azure.endpoints.control}/roles", json=[{"scope": "/", "actions": sorted(actions)}]
        ):
            pass
        _, begun = await azure.api("POST", "/api/images", {"period": period})
        await azure.hub.completed(begun["id"])
        run: dict[str, Any] = (await azure.api("GET", begun["href"]))[1]
        return {row["definition"].rsplit("/", 1)[-1]: f"{row['reason']}: {row['message']}" for row in run["images"]}

    async def story(azure: LocalAzure) -> None:
        failed = await images(azure, "202610", (NEEDED | COMMON) - set(MISSING.values()))
        for name, missing in MISSING.items():
            assert "AuthorizationFailed" in failed[name], failed[name]
            assert missing in failed[name], failed[name]
        made = await images(azure, "202611", NEEDED | COMMON)
        assert {name: text.partition(":")[0] for name, text in made.items()} == dict.fromkeys(NAMES, "made"), made

    path = tmp_path / "images.toml"
    path.write_text(IMAGES_TOML)
    play(story, scenario(), settings={"REFRESH_IMAGES": str(path)}, events=False)
