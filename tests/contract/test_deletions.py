"""Who can delete what: one path to a disk, and none to a VM, a snapshot or anything else people own."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

REFRESH = Path(__file__).parents[2] / "refresh"
# What asks Azure to delete, and the only rooms from which it is asked.
CALLERS = {
    "begin_delete_disk": {"activities/retention/delete_disks.py"},
    "begin_delete_version": {"activities/retention/delete_versions.py", "activities/images/discard_version.py"},
    "begin_delete_image": {"activities/images/discard_version.py"},
    "begin_delete_group": {"activities/recipes/ensure_group_gone.py"},
    "delete_tags": {"activities/swap/clear_intent.py", "activities/swap/write_rejection.py"},
}


def calls_of(path: Path) -> set[str]:
    """The name of everything a file calls or hands on."""
    tree = ast.parse(path.read_text())
    return {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)} | {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name)
    }


def users_of(name: str) -> set[str]:
    """The rooms that use `name`, those that are it (`arm`) or describe it (`gateways`) left out."""
    files = {str(path.relative_to(REFRESH)): path for path in REFRESH.rglob("*.py")}
    return {where for where, path in files.items() if not where.startswith("arm/") and name in calls_of(path)}


def requests_of(path: Path) -> list[str]:
    """Every call in `arm/` by which something could be deleted: the SDK's deletions, and DELETE sent by hand."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and "delete" in node.attr:
            found.append(ast.unparse(node))
        if isinstance(node, ast.Constant) and node.value in ("DELETE", "Delete"):
            found.append(str(node.value))
    return found


@pytest.mark.parametrize("name", sorted(CALLERS))
def test_a_deletion_is_asked_for_from_one_place(name: str) -> None:
    """Nobody else calls it, and nobody who may has stopped needing it."""
    assert users_of(name) == CALLERS[name]


def test_azure_is_asked_to_delete_nothing_else() -> None:
    """Every deletion the gateways can send, spelled out: a new one has to be added here, with its caller above."""
    sent = {str(path.relative_to(REFRESH)): requests_of(path) for path in (REFRESH / "arm").glob("*.py")}
    assert {where: found for where, found in sent.items() if found} == {
        "arm/disks.py": ["self._clients.compute(disk.subscription).disks.begin_delete"],
        "arm/gallery.py": ["operations.begin_delete"],
        "arm/sources.py": ["self._clients.compute(found.subscription).images.begin_delete"],
        "arm/tags.py": ["Delete"],
        "arm/temporary_groups.py": ["DELETE"],
    }
