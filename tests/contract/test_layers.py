"""Import rules for parts of the package `azure`, which import-linter sees as one package."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from durabletask.client import AsyncTaskHubGrpcClient

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


# Names of the durable client that read more than one instance or entity.
QUERIES = {"OrchestrationQuery", "EntityQuery", "get_all_orchestration_states", "get_all_entities", "list_instance_ids"}


def names_in(path: Path) -> set[str]:
    """Every name and attribute that a module uses."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    imported = {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
    return names | imported | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def returns(member: object) -> str:
    """The return type of a method, as text."""
    return str(getattr(member, "__annotations__", {}).get("return", ""))


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
def test_an_sdk_is_imported_in_one_package(packages: tuple[str, ...], home: str) -> None:
    """Only the triggers import the Functions SDKs and only arm/ imports the management SDKs."""
    users = users_of(*packages)
    assert users
    assert {user for user in users if not user.startswith(home)} == set()


def test_instances_are_listed_in_one_place() -> None:
    """Only `reading/instances.py` queries instances: Azure Tables refuses pages over 1,000, the client's default."""
    users = {
        str(path.relative_to(ROOT))
        for path in [*(ROOT / "refresh").rglob("*.py"), ROOT / "function_app.py"]
        if names_in(path) & QUERIES
    }
    assert users == {"refresh/reading/instances.py"}


def test_every_client_method_that_lists_instances_is_covered() -> None:
    """`QUERIES` has every client method that returns more than one instance or entity."""
    many = {
        name
        for name, member in vars(AsyncTaskHubGrpcClient).items()
        if callable(member) and not name.startswith("_") and re.search(r"\b(list|Page)\[", returns(member))
    }
    # get_orchestration_history lists the events of one instance.
    assert many - {"get_orchestration_history"} == {name for name in QUERIES if name.islower()}
