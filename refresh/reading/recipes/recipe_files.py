"""The recipes that are deployed with the app.

Decides where they are: a folder named like the image definition, with `recipe.toml` and `cloud-init.yaml`.
Does not know what they mean (`domain.recipes.recipe`).
"""

from __future__ import annotations

from pathlib import Path

from refresh import package
from refresh.domain.recipes.recipe import Recipe, read_recipe
from refresh.domain.terms import resource_id
from refresh.domain.terms.month_reason import MonthReason, Refusal
from refresh.settings.settings import Settings

_MAX_FILE_BYTES = 256 * 1024
_MOST_FAULTS = 3


def find_recipe(settings: Settings, definition_id: str) -> Recipe | Refusal:
    """The recipe of an image definition, or its faults."""
    found = resource_id.parse(definition_id)
    name = found.name if found else ""
    folder = (package.ROOT / settings.recipes).resolve()
    home = folder / name
    texts = []
    for file in ("recipe.toml", "cloud-init.yaml"):
        text = _read(home / file) if name and home.parent == folder else None
        if text is None:
            message = f"{settings.recipes}/{name}/{file} is not among the files deployed with the app, or is not text"
            return Refusal(MonthReason.BAD_RECIPE, message)
        texts.append(text)
    recipe = read_recipe(*texts)
    if isinstance(recipe, Recipe):
        return recipe
    more = f" (and {len(recipe) - _MOST_FAULTS} more)" if len(recipe) > _MOST_FAULTS else ""
    return Refusal(MonthReason.BAD_RECIPE, f"recipe {name}: {'; '.join(recipe[:_MOST_FAULTS])}{more}")


def _read(path: Path) -> str | None:
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            return None
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
