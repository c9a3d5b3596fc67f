"""Loads an unpacked package as Azure does, in its own process, where only pinned distributions can be imported.

Prints one line of JSON: with the argument `index`, `functions` are the names that Azure's own indexer finds in the app;
with `import` and modules, `cpu_s` is the time to import them.
"""

from __future__ import annotations

import importlib
import importlib.abc
import json
import re
import sys
import time
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path
from types import ModuleType

# The Functions worker provides these.
_WORKER = ("azure-functions-runtime",)
_NOT_DEPLOYED = {"tests", "tools", "bench"}


def closure(names: Sequence[str]) -> set[str]:
    """The distributions that `names` need, including themselves, by normalised name."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = _normal(waiting.pop())
        if name in found:
            continue
        try:
            requires = distribution(name).requires or []
        except PackageNotFoundError:
            continue
        found.add(name)
        waiting += [_name(line) for line in requires if "extra ==" not in line]
    return found


def _name(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match is not None, requirement
    return match[0]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


class OnlyPinned(importlib.abc.MetaPathFinder):
    """Refuses to import modules of other than the allowed distributions."""

    def __init__(self, allowed: set[str]) -> None:
        """`allowed` are normalised names of distributions."""
        self._allowed = allowed
        self._owners = packages_distributions()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return None to allow the import; raises ModuleNotFoundError for a module that is missing in Azure."""
        top = fullname.partition(".")[0]
        owners = {_normal(each) for each in self._owners.get(top, ())}
        if top in _NOT_DEPLOYED or (owners and not owners & self._allowed):
            raise ModuleNotFoundError(f"{fullname} is missing in Azure: no line of requirements.txt installs it")
        return None


def main() -> None:
    """Index the app or import modules, and print the result."""
    app, what, modules = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    pinned = [_name(line) for line in (app / "requirements.txt").read_text().splitlines() if line[:1].isalnum()]
    if what == "index":
        # Before the restriction: the indexer's own imports are not the app's.
        from simulator.functions.indexing import index_app
    sys.meta_path.insert(0, OnlyPinned(closure([*pinned, *_WORKER])))
    if what == "index":
        print(json.dumps({"functions": sorted(function.name for function in index_app(app))}))
        return
    sys.path.insert(0, str(app))
    start = time.process_time()
    for module in modules:
        importlib.import_module(module)
    print(json.dumps({"cpu_s": time.process_time() - start}))


if __name__ == "__main__":
    main()
