"""The functions that Azure sees: the code that indexes the app in Azure runs here with full validation."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from refresh.dispatcher.operations import OPERATIONS
from refresh.records import durable_names
from simulator.functions.indexing import IndexedFunction, index_app

ROOT = Path(__file__).parents[2]
BUILT_IN = {"BuiltIn__HttpActivity", "BuiltIn__HttpPollOrchestrator"}
TIMERS = {
    "monthly_refresh": "%REFRESH_SCHEDULE%",
    "sweep": "%SWEEP_SCHEDULE%",
    "purge_history": "%PURGE_SCHEDULE%",
    "weekly_retention": "%RETENTION_SCHEDULE%",
}
ROUTES = {
    ("POST", "images"),
    ("POST", "disks"),
    ("POST", "tags"),
    ("POST", "swap"),
    ("POST", "adopt"),
    ("POST", "rollback"),
    ("POST", "refresh"),
    ("POST", "retention"),
    ("POST", "selfcheck"),
    ("GET", "selfcheck"),
    ("POST", "pause"),
    ("POST", "resume"),
    ("GET", "vms"),
    ("GET", "orphans"),
    ("GET", "queue"),
    ("GET", "runs"),
    ("GET", "runs/{id}"),
    ("POST", "runs/{id}/cancel"),
}
CLIENT_BOUND = {
    "read_hints",
    "prepare_swap",
    "find_outcomes",
    "make_disks",
    "count_swaps",
    "write_disk_tags",
    "write_ways_back",
    "withdraw_wishes",
    "find_leftovers",
    "find_holders",
    "plan_retention",
    "check_instances",
}
ENTITIES = {"dispatcher", "inbox", "past_outcomes", "vm_memory"}
ORCHESTRATIONS = {
    "refresh_month",
    "create_images",
    "build_image",
    "create_disks",
    "write_tags",
    "apply_retention",
    "run_recipe",
    "build_vm",
    "prove_version",
    "swap_vms",
    "look",
    "swap_vm",
    "selfcheck",
    "answer_selfcheck",
}


@pytest.fixture(scope="module")
def functions() -> dict[str, IndexedFunction]:
    return {function.name: function for function in index_app(ROOT)}


def bindings(function: IndexedFunction, kind: str) -> list[Mapping[str, Any]]:
    return [binding for binding in function.bindings if binding["type"] == kind]


def named(functions: dict[str, IndexedFunction], kind: str) -> set[str]:
    return {name for name, function in functions.items() if bindings(function, kind)} - BUILT_IN


def test_timers_have_their_schedules_from_settings(functions: dict[str, IndexedFunction]) -> None:
    """The schedule of every timer is an app setting."""
    found = {
        name: bindings(functions[name], "timerTrigger")[0]["schedule"] for name in named(functions, "timerTrigger")
    }
    assert found == TIMERS


def test_every_route_requires_a_key(functions: dict[str, IndexedFunction]) -> None:
    """The HTTP API has exactly the listed routes, and each has auth level FUNCTION."""
    triggers = [bindings(functions[name], "httpTrigger")[0] for name in named(functions, "httpTrigger")]
    assert {(trigger["methods"][0], trigger["route"]) for trigger in triggers} == ROUTES
    assert all(len(trigger["methods"]) == 1 and trigger["authLevel"] == "FUNCTION" for trigger in triggers)


def test_durable_functions_are_called_like_their_files(functions: dict[str, IndexedFunction]) -> None:
    """Orchestrations and activities are registered under the names of their files, entities under their own names."""
    assert named(functions, "orchestrationTrigger") == ORCHESTRATIONS
    assert named(functions, "entityTrigger") == ENTITIES
    assert named(functions, "eventGridTrigger") == {"on_resource_write"}
    folders = {"orchestrations": ORCHESTRATIONS, "activities": named(functions, "activityTrigger")}
    for folder, names in folders.items():
        files = {path.stem for path in (ROOT / "refresh" / folder).rglob("*.py")}
        assert names <= files


def test_every_durable_name_is_spelled_once(functions: dict[str, IndexedFunction]) -> None:
    """The constants of `durable_names` are the registered functions, and no other module of the app repeats a name."""
    kinds = ("orchestrationTrigger", "activityTrigger", "entityTrigger")
    registered = set().union(*(named(functions, kind) for kind in kinds))
    keys = {"DISPATCHER_KEY", "INBOX_KEY", "VM_KEYS"}
    constants = {
        value
        for name, value in vars(durable_names).items()
        if name.isupper() and not name.startswith("_") and name not in keys
    }
    assert constants == registered
    assert set(durable_names.Operation) == set(OPERATIONS)
    repeated = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.value}"
        for path in (ROOT / "refresh").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and path.name != "durable_names.py"
        # Results, settings and checks use these three names as well.
        if node.value in registered - {"look", "selfcheck", "dispatcher", "inbox"}
    ]
    assert repeated == []


def test_every_activity_that_is_called_is_registered(functions: dict[str, IndexedFunction]) -> None:
    """Every activity that an orchestration calls is registered, and every registered activity is called."""
    called = set()
    for path in (ROOT / "refresh" / "orchestrations").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                called.add(node.value)
            if isinstance(node, ast.Attribute):
                called.add(str(getattr(durable_names, node.attr, "")))
    registered = named(functions, "activityTrigger")
    assert registered <= called
    assert {name for name in called if name.startswith("ensure_")} <= registered


def test_functions_that_start_or_signal_have_a_durable_client(functions: dict[str, IndexedFunction]) -> None:
    """Timers, HTTP and Event Grid functions, and activities that read the dispatcher, have a durable client bound."""
    outside = {"timerTrigger", "httpTrigger", "eventGridTrigger"}
    need = set().union(*(named(functions, kind) for kind in outside)) | CLIENT_BOUND
    assert named(functions, "durableClient") == need
