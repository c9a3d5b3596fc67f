"""Loads a function app and indexes it with the code that Azure uses, including its full validation.

Decides how an app is loaded and unloaded, so that one process can host one app after another. Does not know what the
functions are for.

`azure_functions_runtime` keeps one registry per process, so only one app can be loaded at a time.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import azure_functions_runtime as runtime
from azure_functions_runtime import handle_event
from azure_functions_runtime.functions import Registry

from simulator.functions import protos
from simulator.functions.protos import Message
from simulator.functions.settings import applied

_loaded: list[Path] = []


class IndexingFailed(RuntimeError):
    """The app cannot be loaded or fails the worker's validation; the text is the worker's reason."""


@dataclass(frozen=True)
class IndexedFunction:
    """A function in the host: its name, the worker's id for it, and its bindings as in function.json."""

    name: str
    function_id: str
    bindings: tuple[Mapping[str, Any], ...]

    @property
    def trigger(self) -> Mapping[str, Any]:
        """The binding that starts the function."""
        return next(binding for binding in self.bindings if str(binding["type"]).endswith("Trigger"))

    @property
    def durable_client(self) -> str | None:
        """The name of the parameter for a durable client, if there is one."""
        return next((str(binding["name"]) for binding in self.bindings if binding["type"] == "durableClient"), None)


def index_app(app_dir: Path, settings: Mapping[str, str] | None = None) -> list[IndexedFunction]:
    """Load, index and unload the app in `app_dir` with `settings` in the environment.

    Raises IndexingFailed with the worker's reason. Cannot run on a running event loop.
    """

    async def index() -> list[IndexedFunction]:
        with applied(settings or {}), loaded(app_dir):
            return await indexed(app_dir)

    return asyncio.run(index())


@contextmanager
def loaded(app_dir: Path) -> Iterator[None]:
    """Make the app importable inside the block; afterwards unload the modules imported from its directory."""
    if _loaded:
        raise IndexingFailed(f"the app in {_loaded[0]} is loaded; one process hosts one app at a time")
    app_dir = app_dir.resolve()
    before = set(sys.modules)
    _loaded.append(app_dir)
    sys.path.insert(0, str(app_dir))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(app_dir))
        _loaded.remove(app_dir)
        for name in set(sys.modules) - before:
            if _is_of_app(name, app_dir):
                _unload(name)


async def indexed(app_dir: Path) -> list[IndexedFunction]:
    """Import and index the app, inside a `loaded` block. IndexingFailed with the worker's reason."""
    if not (app_dir / "function_app.py").is_file():
        raise IndexingFailed(f"there is no function_app.py in {app_dir}")
    handle_event._functions = Registry()  # type: ignore[assignment] # the worker's annotation is wrong
    request = Message(
        request=Message(
            worker_init_request=Message(capabilities={}, function_app_directory=str(app_dir)),
        ),
        properties={"host": "127.0.0.1", "protos": protos},
    )
    response = await runtime.worker_init_request(request)
    if response.result.status != protos.StatusResult.Success:
        raise IndexingFailed(response.result.exception.message)
    return [
        IndexedFunction(metadata.name, metadata.function_id, tuple(map(json.loads, metadata.raw_bindings)))
        for metadata in handle_event._metadata_result or []
    ]


def _is_of_app(module_name: str, app_dir: Path) -> bool:
    file = getattr(sys.modules[module_name], "__file__", None)
    if module_name.partition(".")[0] == "simulator" or file is None:
        return False
    path = Path(file)
    # A virtual environment is often inside the app's directory.
    return path.is_relative_to(app_dir) and "site-packages" not in path.parts


def _unload(module_name: str) -> None:
    del sys.modules[module_name]
    package, _, name = module_name.rpartition(".")
    # `from package import name` uses the package's attribute before it imports.
    if package in sys.modules and hasattr(sys.modules[package], name):
        delattr(sys.modules[package], name)
