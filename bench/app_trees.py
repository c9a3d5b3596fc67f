"""The two versions of the app that `bench.dispatcher` compares: the one in this checkout, and an older commit.

Decides where the older one comes from and how one version becomes importable. Does not know what is measured.
"""

from __future__ import annotations

import importlib
import io
import subprocess
import sys
import tarfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

ROOT = Path(__file__).parents[1]
# The last commit before the dispatcher's state was divided.
BASELINE = "8d456a8"


def extract_commit(commit: str, folder: Path) -> bool:
    """Write the files of `commit` into `folder`; False if this clone does not have the commit."""
    command = ["git", "-C", str(ROOT), "archive", "--format=tar", commit]
    try:
        archive = subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603 - our own arguments
    except (OSError, subprocess.CalledProcessError):
        return False
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")
    return True


def use_app(folder: Path) -> None:
    """Make `refresh` and `function_app` in `folder` importable. RuntimeError if those of another folder already are."""
    sys.path.insert(0, str(folder))
    check_app(folder)


def check_app(folder: Path) -> None:
    """RuntimeError if `refresh` is imported from another folder."""
    found = Path(str(importlib.import_module("refresh").__file__))
    if not found.resolve().is_relative_to(folder.resolve()):
        raise RuntimeError(f"refresh is imported from {found}, not from {folder}")


@cache
def _registered() -> tuple[Any, ...]:
    # The app refuses to list its functions twice: the names of the first list count as taken.
    return tuple(importlib.import_module("function_app").app.get_functions())


def functions_of(kind: Literal["entity", "orchestrator"]) -> Mapping[str, Callable[..., Any]]:
    """The registered functions of one kind of the app in use, by their durable names."""
    found = {}
    for function in _registered():
        user_function = getattr(function.get_user_function(), f"{kind}_function", None)
        if user_function is not None:
            name = getattr(user_function, "__durable_entity_name__", None) or function.get_function_name()
            found[str(name)] = user_function
    return found
