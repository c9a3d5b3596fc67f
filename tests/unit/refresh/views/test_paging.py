"""Tokens that name where the next page begins."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refresh.views.paging import next_link, read_token, write_token


@given(st.integers(), st.text(max_size=200))
def test_a_token_reads_back(number: int, text: str) -> None:
    """A key written into a token reads back as it was."""
    link = next_link("/api/vms", {}, (number, text))
    assert link is not None
    assert read_token(parse_qs(urlsplit(link).query)["after"][0], (int, str)) == (number, text)


@pytest.mark.parametrize(
    "text", ["", "x", "%%%", "bm90IGpzb24", write_token((1,)), write_token((True, "a")), "A" * 3000]
)
def test_an_invalid_token_reads_as_none(text: str) -> None:
    """An invented or shortened token, or one of another list, reads as None."""
    assert read_token(text, (int, str)) is None


def test_the_last_page_has_no_link() -> None:
    """Without a key there is no link."""
    assert next_link("/api/vms", {"top": "5"}, None) is None
