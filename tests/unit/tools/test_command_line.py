"""The command line of every tool: help and wrong arguments never end in a traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TOOLS = sorted(path.stem for path in (ROOT / "tools").glob("*.py") if path.stem != "__init__")
# Without the installed libraries, so without those of Azure.
BARE = [sys.executable, "-S"]


def run(tmp_path: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run `command` in another directory, with the project on Python's path and nothing on the PATH."""
    env = {"PATH": str(tmp_path), "PYTHONPATH": str(ROOT), "COLUMNS": "80"}
    return subprocess.run([*BARE, *command], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("tool", TOOLS)
def test_help_works_as_a_file_and_as_a_module_from_any_directory(tool: str, tmp_path: Path) -> None:
    """Both forms print the same help and exit with 0; no line is wider than a terminal."""
    as_file = run(tmp_path, str(ROOT / "tools" / f"{tool}.py"), "--help")
    as_module = run(tmp_path, "-m", f"tools.{tool}", "--help")
    assert (as_file.returncode, as_file.stderr) == (as_module.returncode, as_module.stderr) == (0, "")
    assert as_file.stdout == as_module.stdout
    assert as_file.stdout.startswith(f"usage: python -m tools.{tool} ")
    assert max(map(len, as_file.stdout.splitlines())) <= 80


@pytest.mark.parametrize("tool", TOOLS)
def test_wrong_arguments_end_in_one_line_and_exit_code_2(tool: str, tmp_path: Path) -> None:
    """An unknown option is one line on stderr, and nothing runs."""
    done = run(tmp_path, str(ROOT / "tools" / f"{tool}.py"), "--no-such-option")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"python -m tools.{tool}: ")
    assert "--help" in line


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["drain", "--poll-s", "0"], "0 is not greater than 0"),
        (["refresh", "swap", "--app", "http://127.0.0.1:9", "--timeout-s", "soon"], "soon is not a number"),
        (["refresh", "swap", "--app", "127.0.0.1:7071"], "must begin with https://"),
        (["refresh", "swap", "--app", "http://127.0.0.1:9"], "127.0.0.1:9 does not answer: [Errno "),
        (["refresh", "sawp", "--app", "http://127.0.0.1:9"], "invalid choice: 'sawp'"),
        (["hooks", "postdeployment"], "invalid choice: 'postdeployment'"),
    ],
)
def test_a_wrong_value_ends_in_one_line_and_exit_code_2(arguments: list[str], part: str, tmp_path: Path) -> None:
    """The line names the value or the address."""
    tool, *rest = arguments
    done = run(tmp_path, "-m", f"tools.{tool}", *rest)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert part in line


@pytest.mark.parametrize("tool", ["drain", "events", "providers", "registration", "selfcheck"])
def test_a_step_of_a_deployment_without_its_environment_ends_in_words(tool: str, tmp_path: Path) -> None:
    """Neither azd's variables nor `az`: exit code 1 and a message, no traceback."""
    done = run(tmp_path, "-m", f"tools.{tool}")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr
    assert "Traceback" not in done.stderr


def test_the_environment_of_this_test_has_no_azure(tmp_path: Path) -> None:
    """The tests above run without the libraries of Azure, so the tools need none."""
    assert "No module named 'azure'" in run(tmp_path, "-c", "import azure.identity").stderr
