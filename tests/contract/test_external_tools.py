"""Where the tests search for external tools, and what a missing one causes."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.engine.program import ENGINE_VARIABLE
from tests.support.infra.external_tools import ExternalTool, find_tool, need_azurite, need_engine, need_tool

TOOL = ExternalTool("A_TOOL", "a-tool", "shared/tools/a-tool/run", "install it")


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_the_variable_comes_first_then_the_path_then_the_shared_folder(tmp_path: Path) -> None:
    """A later place is used only when the earlier ones have no such program."""
    root = tmp_path / "repository"
    assert find_tool(TOOL, {}, root) is None
    shared = program(tmp_path / "shared" / "tools" / "a-tool" / "run")
    assert find_tool(TOOL, {}, root) == shared
    on_path = program(tmp_path / "bin" / "a-tool")
    path = {"PATH": str(on_path.parent)}
    assert find_tool(TOOL, path, root) == on_path
    named = program(tmp_path / "elsewhere" / "tool")
    assert find_tool(TOOL, {**path, "A_TOOL": str(named)}, root) == named


def test_a_variable_that_names_no_file_is_an_error(tmp_path: Path) -> None:
    """A wrong path does not fall back to another program."""
    program(tmp_path / "shared" / "tools" / "a-tool" / "run")
    with pytest.raises(FileNotFoundError, match="A_TOOL=/no/such/tool"):
        find_tool(TOOL, {"A_TOOL": "/no/such/tool"}, tmp_path / "repository")


def test_a_missing_tool_skips_a_test_and_fails_it_in_ci(tmp_path: Path) -> None:
    """The message names the missing program, the places searched, and what to do."""
    for env, outcome in (({}, pytest.skip.Exception), ({"CI": "true"}, pytest.fail.Exception)):
        with pytest.raises(outcome) as raised:
            need_tool(TOOL, env, tmp_path / "repository")
        for part in ("a-tool", "A_TOOL", "PATH", "../shared/tools/a-tool/run", "install it"):
            assert part in str(raised.value)


def test_a_missing_engine_skips_a_test_with_a_reason(tmp_path: Path) -> None:
    """Without `CI` in the environment a missing engine skips the test and names the searched path."""
    need_azurite()
    with pytest.raises(pytest.skip.Exception, match=f"{ENGINE_VARIABLE} names {tmp_path}/engine"):
        need_engine({ENGINE_VARIABLE: str(tmp_path / "engine")})


def test_where_ci_is_set_a_missing_engine_is_a_failure(tmp_path: Path) -> None:
    """With `CI` in the environment a missing engine fails the test, so CI never skips the engine tests silently."""
    need_azurite()
    with pytest.raises(pytest.fail.Exception, match="a missing tool is a failure"):
        need_engine({ENGINE_VARIABLE: str(tmp_path / "engine"), "CI": "true"})


def test_the_ci_command_sets_ci() -> None:
    """`.ci/run` sets `CI`, so a missing tool is a failure on every machine."""
    assert "export CI=true" in (Path(__file__).parents[2] / ".ci" / "run").read_text().splitlines()
