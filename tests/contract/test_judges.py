"""Judges that are programs: missing, they skip a test at home and fail it where CI is set."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.engine.program import ENGINE_VARIABLE
from tests.support.judges import need_azurite, need_engine


def test_a_missing_engine_skips_a_test_and_says_why(tmp_path: Path) -> None:
    """On a developer's machine."""
    need_azurite()
    with pytest.raises(pytest.skip.Exception, match=f"{ENGINE_VARIABLE} names {tmp_path}/engine"):
        need_engine({ENGINE_VARIABLE: str(tmp_path / "engine")})


def test_where_ci_is_set_a_missing_engine_is_a_failure(tmp_path: Path) -> None:
    """Or what decides whether the app works at all would go unplayed without a word."""
    need_azurite()
    with pytest.raises(pytest.fail.Exception, match="a missing judge is a failure"):
        need_engine({ENGINE_VARIABLE: str(tmp_path / "engine"), "CI": "true"})


def test_the_ci_command_sets_ci() -> None:
    """`.ci/run` counts a missing judge as a failure, wherever it is run."""
    assert "export CI=true" in (Path(__file__).parents[2] / ".ci" / "run").read_text().splitlines()
