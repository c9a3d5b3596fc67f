"""Where the tests look for judges (external programs that check the project), and the effect of a missing one."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.engine.program import ENGINE_VARIABLE
from tests.support.infra.external_tools import ExternalTool, find_tool, need_azurite, need_engine, need_tool

JUDGE = ExternalTool("A_JUDGE", "a-judge", "shared/tools/a-judge/run", "install it")


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_the_variable_comes_first_then_the_path_then_the_shared_folder(tmp_path: Path) -> None:
    """A later place is used only when the earlier ones have no such program."""
    root = tmp_path / "repository"
    assert find_tool(JUDGE, {}, root) is None
    shared = program(tmp_path / "shared" / "tools" / "a-judge" / "run")
    assert find_tool(JUDGE, {}, root) == shared
    on_path = program(tmp_path / "bin" / "a-judge")
    path = {"PATH": str(on_path.parent)}
    assert find_tool(JUDGE, path, root) == on_path
    named = program(tmp_path / "elsewhere" / "judge")
    assert find_tool(JUDGE, {**path, "A_JUDGE": str(named)}, root) == named


def test_a_variable_that_names_no_file_is_an_error(tmp_path: Path) -> None:
    """A wrong path does not fall back to another program."""
    program(tmp_path / "shared" / "tools" / "a-judge" / "run")
    with pytest.raises(FileNotFoundError, match="A_JUDGE=/no/such/judge"):
        find_tool(JUDGE, {"A_JUDGE": "/no/such/judge"}, tmp_path / "repository")


def test_a_missing_judge_skips_a_test_and_fails_it_in_ci(tmp_path: Path) -> None:
    """The message names the missing program, the places searched, and what to do."""
    for env, outcome in (({}, pytest.skip.Exception), ({"CI": "true"}, pytest.fail.Exception)):
        with pytest.raises(outcome) as raised:
            need_tool(JUDGE, env, tmp_path / "repository")
        for word in ("a-judge", "A_JUDGE", "PATH", "../shared/tools/a-judge/run", "install it"):
            assert word in str(raised.value)


def test_a_missing_engine_skips_a_test_with_a_reason(tmp_path: Path) -> None:
    """Without `CI` in the environment a missing engine skips the test and names the searched path."""
    need_azurite()
    with pytest.raises(pytest.skip.Exception, match=f"{ENGINE_VARIABLE} names {tmp_path}/engine"):
        need_engine({ENGINE_VARIABLE: str(tmp_path / "engine")})


def test_where_ci_is_set_a_missing_engine_is_a_failure(tmp_path: Path) -> None:
    """Otherwise CI would skip the most important tests without a failure."""
    need_azurite()
    with pytest.raises(pytest.fail.Exception, match="a missing tool is a failure"):
        need_engine({ENGINE_VARIABLE: str(tmp_path / "engine"), "CI": "true"})


def test_the_ci_command_sets_ci() -> None:
    """`.ci/run` sets `CI`, so a missing judge is a failure on every machine."""
    assert "export CI=true" in (Path(__file__).parents[2] / ".ci" / "run").read_text().splitlines()
