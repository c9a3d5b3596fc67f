"""The search for the engine's program."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.engine.program import ENGINE_VARIABLE, MissingProgram, find_engine


@pytest.fixture
def places(tmp_path: Path) -> list[Path]:
    """Two programs: a built one, then one beside the checkout."""
    found = [tmp_path / "built", tmp_path / "beside"]
    for path in found:
        path.touch()
    return found


def test_the_environment_variable_overrides_every_place(places: list[Path], tmp_path: Path) -> None:
    """The program that the environment names is used even if others exist."""
    named = tmp_path / "named"
    named.touch()
    assert find_engine({ENGINE_VARIABLE: str(named)}, places) == named


def test_a_built_program_is_preferred_to_one_beside_the_checkout(places: list[Path]) -> None:
    """The first place with a file is used."""
    assert find_engine({}, places) == places[0]
    places[0].unlink()
    assert find_engine({}, places) == places[1]


def test_a_named_program_that_is_not_there_is_never_replaced(places: list[Path], tmp_path: Path) -> None:
    """The error names the variable and the path."""
    with pytest.raises(MissingProgram, match=f"{ENGINE_VARIABLE} names {tmp_path}/nowhere"):
        find_engine({ENGINE_VARIABLE: str(tmp_path / "nowhere")}, places)


def test_the_error_for_a_missing_program_says_how_to_get_it(tmp_path: Path) -> None:
    """The error names the variable and the make target; a folder does not count as a program."""
    with pytest.raises(MissingProgram, match=f"{ENGINE_VARIABLE}.*make engine"):
        find_engine({}, [tmp_path, tmp_path / "nowhere"])
