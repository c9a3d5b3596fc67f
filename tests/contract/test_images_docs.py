"""docs/images.md documents every source of images, every refusal, tag and key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from refresh.domain.images.spec import read_specs
from refresh.domain.terms import tags
from refresh.domain.terms.month_reason import MonthReason
from tests.support.worlds.builders import GALLERY

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs" / "images.md").read_text(encoding="utf-8")
REFUSALS = [
    MonthReason.NO_SOURCE,
    MonthReason.UNKNOWN_SOURCE,
    MonthReason.SOURCE_GONE,
    MonthReason.SOURCE_ELSEWHERE,
    MonthReason.SOURCE_NOT_READY,
    MonthReason.SOURCE_DOES_NOT_FIT,
    MonthReason.DEFINITION_DIFFERS,
    MonthReason.GENERALIZED,
    MonthReason.TRUSTED_LAUNCH,
    MonthReason.NEWER_VERSION,
    MonthReason.BUILD_UNDER_WAY,
    MonthReason.IMAGE_NOT_ALLOWED,
]
TAGS = [
    tags.REFRESH_SOURCE,
    f"{tags.REFRESH_SOURCE_LUN}0",
    tags.REFRESH_SOURCE_STORAGE,
    tags.REFRESH_ALLOWED_SCOPES,
    tags.REFRESH_CHECKS,
    tags.REFRESH_PERSONALIZES,
]


@pytest.mark.parametrize("code", [*REFUSALS, *TAGS])
def test_every_refusal_and_tag_is_documented(code: str) -> None:
    """The page has every reason of a refusal and every tag."""
    assert f"`{code}`" in DOC or f"`{code}=" in DOC


def test_the_example_is_a_valid_file() -> None:
    """The example of images.toml has no error once its ellipses are replaced by values."""
    (text,) = re.findall(r"```toml\n(.*?)```", DOC, re.DOTALL)
    whole = text.replace("/subscriptions/…/galleries/gal", GALLERY)
    whole = whole.replace("/subscriptions/…/", "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/")
    specs, faults = read_specs(whole, (GALLERY, f"{GALLERY}2"))
    assert faults == ()
    assert [spec.definition.name for spec in specs] == ["ubuntu"]


def test_every_key_is_shown() -> None:
    """The example has every key that the error for an unknown key lists."""
    _, faults = read_specs("[images.x]\nstrange = 1\n[images.x.publish]\nstrange = 1", (GALLERY,))
    listed = [fault.partition("it takes ")[2] for fault in faults if "strange" in fault]
    keys = {key for text in listed for key in text.split(", ")}
    assert {"gallery", "location", "features", "via_managed_image"} <= keys
    for key in keys - {"publish"}:
        assert re.search(rf"^{key} = ", DOC, re.MULTILINE), key


def test_the_readme_links_to_the_page_about_images() -> None:
    """The README links to docs/images.md."""
    assert "docs/images.md" in (ROOT / "README.md").read_text(encoding="utf-8")
