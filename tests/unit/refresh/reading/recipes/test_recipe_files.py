"""Recipes are found in the folder of the deployed app."""

from __future__ import annotations

from pathlib import Path

from refresh.domain.recipes.recipe import Recipe
from refresh.reading.recipes.recipe_files import find_recipe
from refresh.settings.settings import Settings

ROOT = Path(__file__).parents[5]


def test_a_relative_folder_is_found_beside_function_app() -> None:
    """`REFRESH_RECIPES` is relative to the folder of `function_app.py`, wherever the process was started."""
    assert (ROOT / "function_app.py").exists()
    env = {"REFRESH_SUBSCRIPTIONS": "11111111-1111-1111-1111-111111111111", "REFRESH_RECIPES": "tests/data/recipes"}
    gallery = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/x"
    assert isinstance(find_recipe(Settings.from_env(env), f"{gallery}/images/ubuntu"), Recipe)
