"""docs/recipes.md has the keys that the app accepts and the reasons that it returns."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from refresh.domain.recipes import recipe
from refresh.domain.recipes.custom_data import MARKER
from refresh.domain.recipes.recipe import Recipe, read_recipe
from refresh.domain.terms import tags
from refresh.domain.terms.month_reason import MonthReason

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
EXAMPLE = [re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)[0] for kind in ("toml", "yaml")]


def test_the_example_is_a_recipe_that_shows_every_key_with_its_default() -> None:
    """The example is a valid recipe and has every table and key."""
    read = read_recipe(EXAMPLE[0], EXAMPLE[1])
    assert isinstance(read, Recipe), read
    assert (read.size, read.timeout_s) == (recipe.DEFAULT_SIZE, recipe.DEFAULT_TIMEOUT_MINUTES * 60)
    for table, keys in recipe._KEYS.items():
        assert f"[{table}]" in EXAMPLE[0]
        assert all(re.search(rf"^{key} = ", EXAMPLE[0], re.MULTILINE) for key in keys)


@pytest.mark.parametrize(
    "text",
    [
        MARKER,
        str(recipe.LONGEST_TIMEOUT_MINUTES),
        *(tags.BUILD_RUN, tags.BUILD_DEFINITION, tags.BUILD_FOR, tags.BUILD_SINCE),
        *(
            MonthReason.BAD_RECIPE,
            MonthReason.WINDOWS_RECIPE,
            MonthReason.NO_BUILD_SUBNET,
            MonthReason.BUILD_TIMED_OUT,
            MonthReason.NO_MARKER,
            MonthReason.NOT_PROVEN,
            MonthReason.SOURCE_DOES_NOT_FIT,
            MonthReason.TRUSTED_LAUNCH,
        ),
    ],
)
def test_the_page_names_marker_tags_and_reasons(text: str) -> None:
    """Marker, tags and reasons are spelled as in the app."""
    assert text in PAGE


def test_every_recipe_in_the_repository_can_be_read() -> None:
    """The recipes of the demo, of the tests and of a deployment are valid."""
    tops = ("recipes", "simulator", "tests")
    homes = [path.parent for top in tops for path in (ROOT / top).rglob("recipe.toml")]
    assert homes
    for home in homes:
        read = read_recipe((home / "recipe.toml").read_text(), (home / "cloud-init.yaml").read_text())
        assert isinstance(read, Recipe), (home, read)
