"""Which code deletes what: one path deletes disks, none deletes a VM, a snapshot or another resource of users."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

REFRESH = Path(__file__).parents[2] / "refresh"
# The methods that send a deletion to Azure, and the only files that use each.
CALLERS = {
    "begin_delete_disk": {"activities/retention/delete_disks.py"},
    "begin_delete_version": {"activities/retention/delete_versions.py", "activities/images/discard_version.py"},
    "begin_delete_image": {"activities/images/discard_version.py"},
    "begin_delete_group": {"activities/recipes/ensure_group_gone.py"},
    "delete_tags": {
        "activities/swap/clear_intent.py",
        "activities/swap/write_intent.py",
        "activities/swap/write_rejection.py",
    },
}


def calls_of(path: Path) -> set[str]:
    """Every name and attribute that a file uses."""
    tree = ast.parse(path.read_text())
    return {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)} | {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name)
    }


def users_of(name: str) -> set[str]:
    """The files that use `name`, without `arm/`, which implements it."""
    files = {str(path.relative_to(REFRESH)): path for path in REFRESH.rglob("*.py")}
    return {where for where, path in files.items() if not where.startswith("arm/") and name in calls_of(path)}


def requests_of(path: Path) -> list[str]:
    """Every expression in a file that can delete: the SDK's deletions, and DELETE requests made by hand."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and "delete" in node.attr:
            found.append(ast.unparse(node))
        if isinstance(node, ast.Constant) and node.value in ("DELETE", "Delete"):
            found.append(str(node.value))
    return found


@pytest.mark.parametrize("name", sorted(CALLERS))
def test_each_deletion_has_only_its_listed_callers(name: str) -> None:
    """No other file uses the method, and each listed file still does."""
    assert users_of(name) == CALLERS[name]


def test_no_other_deletion_is_sent_to_azure() -> None:
    """The gateways send only these deletions: a new one is added here, with its callers above."""
    sent = {str(path.relative_to(REFRESH)): requests_of(path) for path in (REFRESH / "arm").glob("*.py")}
    assert {where: found for where, found in sent.items() if found} == {
        "arm/disks.py": ["self._clients.compute(disk.subscription).disks.begin_delete"],
        "arm/gallery.py": ["operations.begin_delete"],
        "arm/sources.py": ["self._clients.compute(found.subscription).images.begin_delete"],
        "arm/tags.py": ["Delete"],
        "arm/temporary_groups.py": ["DELETE"],
    }
