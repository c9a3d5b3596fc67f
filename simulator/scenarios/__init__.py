"""Scenarios: the resources that the simulated Azure has when it starts.

Decides how a scenario is found: it is a list of ARM bodies, a JSON file with such a list, or a name. A named scenario
is a module in this package with a function `resources()`, or a JSON file here. `empty` is an empty subscription.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent

Scenario = str | Path | list[dict[str, Any]] | None


class ScenarioError(ValueError):
    """The scenario does not exist or is not a list of ARM bodies; the text names the fault."""


def load(scenario: Scenario) -> list[dict[str, Any]]:
    """The ARM bodies of a scenario; None is the empty one. ScenarioError if it does not exist or is no list."""
    if scenario is None or scenario == "empty":
        return []
    if isinstance(scenario, list):
        return scenario
    name = str(scenario)
    if name.isidentifier() and importlib.util.find_spec(f"{__name__}.{name}"):
        bodies: Iterable[dict[str, Any]] = import_module(f"{__name__}.{name}").resources()
        return list(bodies)
    built_in = _HERE / f"{name}.json"
    path = built_in if name.isidentifier() and built_in.exists() else Path(scenario)
    try:
        bodies = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ScenarioError(f"no scenario called {name!r}, and no such file; known: {', '.join(names())}") from error
    except ValueError as error:
        raise ScenarioError(f"{path} is not JSON: {error}") from error
    if not isinstance(bodies, list):
        raise ScenarioError(f"{path} is not a JSON list of ARM resource bodies")
    return bodies


def names() -> list[str]:
    """The names of the built-in scenarios."""
    files = [*_HERE.glob("*.json"), *_HERE.glob("[a-z]*.py")]
    return sorted({"empty", *(file.stem for file in files)})
