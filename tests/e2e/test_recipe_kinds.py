"""Recipes for several kinds of Linux: the build VM follows the image definition."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.worlds.builders import SUBSCRIPTION
from tests.support.worlds.month_world import HostedWorld
from tests.support.worlds.recipe_world import groups_left, machines, on_recipes, recipe_bodies, until

TERMS = "Microsoft.MarketplaceOrdering/offerTypes/virtualmachine/publishers/resf/offers/rockylinux-x86_64/plans/9-base"
LAUNCH = {"features": [{"name": "SecurityType", "value": "TrustedLaunch"}]}


@pytest.mark.parametrize(
    ("image", "size", "definition"),
    [
        ("Canonical:ubuntu-24_04-lts:server", "Standard_D2s_v5", LAUNCH),
        ("Canonical:ubuntu-24_04-lts:server-gen1", "Standard_D2s_v5", {"hyperVGeneration": "V1"}),
        ("Canonical:ubuntu-24_04-lts:server-arm64", "Standard_D2ps_v5", {"architecture": "Arm64"}),
        ("resf:rockylinux-x86_64:9-base", "Standard_D2s_v5", {}),
    ],
    ids=["Trusted Launch", "generation 1", "Arm64", "sold with a plan"],
)
def test_every_kind_of_linux_is_built_and_proved(
    tmp_path: Path, image: str, size: str, definition: dict[str, Any]
) -> None:
    """The build VM and the proof VM follow the definition, and a version is made."""
    publisher, offer, sku = image.split(":")
    (tmp_path / "ubuntu").mkdir()
    recipe = f'[image]\npublisher = "{publisher}"\noffer = "{offer}"\nsku = "{sku}"\n[vm]\nsize = "{size}"\n'
    (tmp_path / "ubuntu" / "recipe.toml").write_text(recipe)
    (tmp_path / "ubuntu" / "cloud-init.yaml").write_text("#cloud-config\n")

    async def story(world: HostedWorld) -> None:
        run = world.hub.start("create_images", {}, None)
        await until(lambda: machines(world))
        (machine,) = machines(world)
        body = machine.body
        assert ("plan" in body) is (publisher == "resf")
        assert ("securityProfile" in body["properties"]) is (definition is LAUNCH)
        assert body["properties"]["hardwareProfile"]["vmSize"] == size
        await world.hub.completed(run)
        (row,) = world.hub.output(run)["images"]
        assert (row["decision"], row["reason"]) == ("create", "made"), row
        assert groups_left(world) == []

    on_recipes(recipe_bodies(**definition), story, recipes=tmp_path)


def test_terms_that_are_not_accepted_are_named(tmp_path: Path) -> None:
    """The row has Azure's refusal of the build VM, and nothing is left."""
    (tmp_path / "ubuntu").mkdir()
    recipe = '[image]\npublisher = "resf"\noffer = "rockylinux-x86_64"\nsku = "9-base"\n'
    (tmp_path / "ubuntu" / "recipe.toml").write_text(recipe)
    (tmp_path / "ubuntu" / "cloud-init.yaml").write_text("#cloud-config\n")
    agreement = f"/subscriptions/{SUBSCRIPTION}/providers/{TERMS}/agreements/current"

    async def story(world: HostedWorld) -> None:
        run = world.hub.start("create_images", {}, None)
        await world.hub.completed(run)
        (row,) = world.hub.output(run)["images"]
        assert (row["decision"], row["reason"]) == ("failed", "azure-said-no"), row
        assert "ResourcePurchaseValidationFailed" in row["message"]
        assert groups_left(world) == []

    refused = {"id": agreement, "properties": {"accepted": False}}
    on_recipes([*recipe_bodies(), refused], story, recipes=tmp_path)
