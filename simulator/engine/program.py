"""Finds the programs of the real engine: the engine itself, and Azurite.

Decides the order of the search: `DURABLE_ENGINE` in the environment, the output of `make engine`, then a folder beside
the checkout. Does not start the programs.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parents[1]
ENGINE_VARIABLE = "DURABLE_ENGINE"
_BUILT = _ROOT / "dist" / "durable-engine" / "durable-engine"
_BESIDE = _ROOT.parent / "shared" / "tools" / "durable-engine" / "run"
_AZURITE = _HERE / "azurite" / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"


class MissingProgram(RuntimeError):
    """A program of the real engine is not on this machine; the text names the command that installs it."""


def find_engine(environment: Mapping[str, str] | None = None, places: Sequence[Path] = (_BUILT, _BESIDE)) -> Path:
    """The engine's program: the one that `environment` names, else the first existing file of `places`.

    MissingProgram names the command that installs it. If the named file does not exist, no other is used.
    """
    named = (os.environ if environment is None else environment).get(ENGINE_VARIABLE)
    if named:
        path = Path(named).absolute()
        if not path.is_file():
            raise MissingProgram(f"{ENGINE_VARIABLE} names {path}, which does not exist")
        return path
    for path in places:
        if path.is_file():
            return path
    raise MissingProgram(
        f"the Durable engine is not installed: set {ENGINE_VARIABLE} to its program, or run `make engine` (.NET 10)"
    )


def find_azurite() -> tuple[str, ...]:
    """The command that starts Azurite. MissingProgram if Node.js or the package is missing."""
    node = shutil.which("node")
    if node is None:
        raise MissingProgram("Azurite needs Node.js, but there is no `node` on the PATH")
    if not _AZURITE.is_file():
        raise MissingProgram("Azurite is not installed: run `make azurite` (needs npm)")
    return (node, str(_AZURITE))
