"""Bicep read offline: findings against Azure's published types, and the resources of a file as plain values.

The checker is a tool of its own that need not be there: whoever asks is skipped then, with the line that says so.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"
CHECKER = ROOT.parent / "shared" / "tools" / "bicepcheck"
FILES = sorted(INFRA.rglob("*.bicep"))


class Unknown:
    """A value that only a deployment knows: a parameter, a call, a condition."""


@dataclass(frozen=True)
class Resource:
    """A resource as written: its type with those it is nested in, its API version, its body as plain values."""

    file: str
    name: str
    type: str
    api_version: str
    existing: bool
    body: dict[str, Any]

    def at(self, path: str) -> Any:
        """The value at a dotted path; None where there is none."""
        value: Any = self.body
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return value


def findings(*files: Path) -> list[str]:
    """What is wrong in `files` and the modules they use, one line each."""
    _need()
    command = [sys.executable, str(CHECKER / "bicepcheck.py"), str(CHECKER / "types.json"), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not done.stderr, done.stderr
    return done.stdout.splitlines()


def resources() -> list[Resource]:
    """Every resource of every file in infra/."""
    return [resource for path in FILES for resource in resources_of(path)]


def of_type(kind: str) -> list[Resource]:
    """The resources of one type that are made (not the existing ones)."""
    return [resource for resource in resources() if resource.type.lower() == kind.lower() and not resource.existing]


def literals(path: Path) -> Iterator[str]:
    """Every string literal in a file."""
    return (node.lit for node in _walk(_parser().parse(path.read_text())) if node.kind == "string" and node.lit)


def declared(path: Path, kind: str) -> dict[str, Any]:
    """Name to syntax node of every `param`, `output`, `typedef` or `module` of a file."""
    return {node.name: node for node in _parser().parse(path.read_text()) if node.kind == kind}


def plain(node: Any) -> Any:
    """A syntax node as a plain value; what is not a literal is `Unknown`, an interpolation its text with `${}`."""
    match node.kind:
        case "string":
            return "".join(part if isinstance(part, str) else "${}" for part in node.parts)
        case "int" | "bool":
            return node.value
        case "object":
            return {item.name: plain(item.value) for item in node.items if item.kind == "prop"}
        case "array":
            return [plain(item) for item in node.items]
        case "paren":
            return plain(node.e)
    return Unknown()


def resources_of(path: Path) -> Iterator[Resource]:
    """Every resource of one file, a nested one after the one it is nested in."""

    def read(node: Any, parent: str) -> Iterator[Resource]:
        kind, _, api_version = str(node.spec.lit).partition("@")
        kind = f"{parent}/{kind}" if parent else kind
        body = node.body
        while body.kind in ("if", "for"):
            body = body.body
        yield Resource(path.name, node.name, kind, api_version, bool(node.existing), plain(body))
        for item in body.items:
            if item.kind == "resource":
                yield from read(item, kind)

    for node in _parser().parse(path.read_text()):
        if node.kind == "resource":
            yield from read(node, "")


def _walk(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        for each in value:
            yield from _walk(each)
    elif isinstance(value, dict):
        yield from _walk(list(value.values()))
    elif hasattr(value, "kind"):
        yield value
        yield from _walk(list(value.a.values()))


def _need() -> None:
    if not (CHECKER / "bicepcheck.py").is_file():
        pytest.skip(f"there is no Bicep checker in {CHECKER}: `az bicep build` checks the files in the workflow")


def _parser() -> ModuleType:
    _need()
    spec = importlib.util.spec_from_file_location("bicepparse", CHECKER / "bicepparse.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
