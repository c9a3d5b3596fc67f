"""Programs that judge this project and are not Python packages: where each is found.

Decides the order of places, and that a missing judge skips a test on a developer's machine and fails it where `CI` is
set. Does not know what a judge says.
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
class Judge:
    """A program: its environment variable, its name on the PATH, its place beside the repository, its cure."""

    variable: str
    program: str
    shared: str
    cure: str


BICEP_VERSION = "0.49.2"
BICEP = Judge(
    "BICEP", "bicep", "shared/tools/bicep/bicep", f"`az bicep install --version v{BICEP_VERSION}` installs it"
)


def find_judge(judge: Judge, env: Mapping[str, str] = os.environ, root: Path = ROOT) -> Path | None:
    """The program of a judge: what its variable names, else the PATH's, else the shared one; None where there is none.

    Raises FileNotFoundError when the variable names no file: another program in its place would judge unasked.
    """
    named = env.get(judge.variable)
    if named:
        if not Path(named).is_file():
            raise FileNotFoundError(f"{judge.variable}={named}: there is no such file")
        return Path(named)
    found = shutil.which(judge.program, path=env.get("PATH", ""))
    if found:
        return Path(found)
    shared = root.parent / judge.shared
    return shared if shared.is_file() else None


def need_judge(judge: Judge, env: Mapping[str, str] = os.environ, root: Path = ROOT) -> Path:
    """The program of a judge. Without it the test that asks is skipped, or fails where `CI` is set, and says why."""
    found = find_judge(judge, env, root)
    if found is None:
        places = f"{judge.variable}, nor on the PATH, nor at ../{judge.shared}"
        miss(f"{judge.program} is neither in {places}: {judge.cure}", env)
    return found


def need_azurite(env: Mapping[str, str] = os.environ) -> None:
    """Azurite. Without it the test that asks is skipped, or fails where `CI` is set, and says why."""
    try:
        find_azurite()
    except MissingProgram as missing:
        miss(str(missing), env)


def need_engine(env: Mapping[str, str] = os.environ) -> None:
    """The Durable engine with its storage. Without them the test that asks is skipped, or fails where `CI` is set."""
    need_azurite(env)
    try:
        find_engine(env)
    except MissingProgram as missing:
        miss(str(missing), env)


def miss(why: str, env: Mapping[str, str] = os.environ) -> NoReturn:
    """Skip the test that runs because a judge is missing; where `CI` is set, fail it."""
    if env.get("CI"):
        pytest.fail(f"{why}; where CI is set a missing judge is a failure")
    pytest.skip(why)
