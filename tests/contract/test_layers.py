"""import-linter sees one package `azure`; these tests tell its parts apart."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FUNCTIONS_SDKS = ("azure.functions", "azure.durable_functions")
MANAGEMENT_SDKS = ("azure.mgmt", "azure.identity", "azure.core", "azure.eventgrid", "aiohttp")


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def users_of(*packages: str) -> set[str]:
    return {
        str(path.relative_to(ROOT))
        for path in (ROOT / "refresh").rglob("*.py")
        if any(name == package or name.startswith(package + ".") for name in imports_of(path) for package in packages)
    }


@pytest.mark.parametrize(
    ("packages", "home"),
    [(FUNCTIONS_SDKS, "refresh/triggers/"), (MANAGEMENT_SDKS, "refresh/arm/")],
)
def test_an_sdk_is_known_in_one_place(packages: tuple[str, ...], home: str) -> None:
    """Only the triggers import the Functions SDKs and only arm/ imports the management SDKs."""
    users = users_of(*packages)
    assert users
    assert {user for user in users if not user.startswith(home)} == set()
