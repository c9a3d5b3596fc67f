"""Programs that judge this project and are not Python packages.

Decides that a missing judge skips a test on a developer's machine and fails it where `CI` is set. Does not know what a
judge says.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import pytest

from simulator.engine.program import MissingProgram, find_azurite, find_engine


def need_azurite(env: Mapping[str, str] = os.environ) -> None:
    """Azurite. Without it the test that asks is skipped, or fails where `CI` is set, and says why."""
    try:
        find_azurite()
    except MissingProgram as missing:
        _miss(str(missing), env)


def need_engine(env: Mapping[str, str] = os.environ) -> None:
    """The Durable engine with its storage. Without them the test that asks is skipped, or fails where `CI` is set."""
    need_azurite(env)
    try:
        find_engine(env)
    except MissingProgram as missing:
        _miss(str(missing), env)


def _miss(why: str, env: Mapping[str, str]) -> None:
    if env.get("CI"):
        pytest.fail(f"{why}; where CI is set a missing judge is a failure")
    pytest.skip(why)
