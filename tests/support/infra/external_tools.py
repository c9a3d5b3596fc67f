"""Finds external tools that check this project and are not Python packages, such as the Bicep compiler.

Decides the order of places, and that a missing tool skips a test on a developer's machine and fails it where `CI` is
set. Does not know the tools' output.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from simulator.engine.program import MissingProgram, find_azurite, find_engine

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class ExternalTool:
    """A program: its environment variable, its name on the PATH, its path beside the repository, how to install it."""

    variable: str
    program: str
    shared: str
    install: str


BICEP_VERSION = "0.49.2"
BICEP = ExternalTool(
    "BICEP", "bicep", "shared/tools/bicep/bicep", f"`az bicep install --version v{BICEP_VERSION}` installs it"
)


def find_tool(tool: ExternalTool, env: Mapping[str, str] = os.environ, root: Path = ROOT) -> Path | None:
    """The tool's program: from its variable, else from the PATH, else the shared one; None without one.

    Raises FileNotFoundError when the variable names no file: a search elsewhere could return another version.
    """
    named = env.get(tool.variable)
    if named:
        if not Path(named).is_file():
            raise FileNotFoundError(f"{tool.variable}={named}: there is no such file")
        return Path(named)
    found = shutil.which(tool.program, path=env.get("PATH", ""))
    if found:
        return Path(found)
    shared = root.parent / tool.shared
    return shared if shared.is_file() else None


def need_tool(tool: ExternalTool, env: Mapping[str, str] = os.environ, root: Path = ROOT) -> Path:
    """The tool's program. Without it the current test is skipped, or fails where `CI` is set, with the reason."""
    found = find_tool(tool, env, root)
    if found is None:
        places = f"{tool.variable}, nor on the PATH, nor at ../{tool.shared}"
        skip_or_fail(f"{tool.program} is neither in {places}: {tool.install}", env)
    return found


def need_azurite(env: Mapping[str, str] = os.environ) -> None:
    """Require Azurite. Without it the current test is skipped, or fails where `CI` is set, with the reason."""
    try:
        find_azurite()
    except MissingProgram as missing:
        skip_or_fail(str(missing), env)


def need_engine(env: Mapping[str, str] = os.environ) -> None:
    """Require the Durable engine and Azurite. Without them the current test is skipped, or fails where `CI` is set."""
    need_azurite(env)
    try:
        find_engine(env)
    except MissingProgram as missing:
        skip_or_fail(str(missing), env)


def skip_or_fail(why: str, env: Mapping[str, str] = os.environ) -> NoReturn:
    """Skip the current test because a tool is missing; where `CI` is set, fail it."""
    if env.get("CI"):
        pytest.fail(f"{why}; where CI is set a missing tool is a failure")
    pytest.skip(why)
