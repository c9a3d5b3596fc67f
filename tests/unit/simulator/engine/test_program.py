"""Where the engine's program is looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.engine.program import ENGINE_VARIABLE, MissingProgram, find_engine


@pytest.fixture
def places(tmp_path: Path) -> list[Path]:
    """Two programs: the one that was built, then the one beside."""
    found = [tmp_path / "built", tmp_path / "beside"]
    for path in found:
        path.touch()
    return found


def test_the_variable_stands_over_every_place(places: list[Path], tmp_path: Path) -> None:
    """What the environment names is taken, whatever else is there."""
    named = tmp_path / "named"
    named.touch()
    assert find_engine({ENGINE_VARIABLE: str(named)}, places) == named


def test_what_was_built_stands_over_what_lies_beside(places: list[Path]) -> None:
    """The first place that holds a file is taken, the next one only without it."""
    assert find_engine({}, places) == places[0]
    places[0].unlink()
    assert find_engine({}, places) == places[1]


def test_a_named_program_that_is_not_there_is_never_replaced(places: list[Path], tmp_path: Path) -> None:
    """The error says the variable and the path."""
    with pytest.raises(MissingProgram, match=f"{ENGINE_VARIABLE} names {tmp_path}/nowhere"):
        find_engine({ENGINE_VARIABLE: str(tmp_path / "nowhere")}, places)


def test_without_a_program_the_cure_is_told(tmp_path: Path) -> None:
    """The error names the variable and the target that builds it; a folder is no program."""
    with pytest.raises(MissingProgram, match=f"{ENGINE_VARIABLE}.*make engine"):
        find_engine({}, [tmp_path, tmp_path / "nowhere"])
