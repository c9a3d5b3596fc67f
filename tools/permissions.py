"""Writes docs/permissions.md from the role files: every action of the app's roles, with its reason.

Decides the form of the page. The actions come from infra/roles/, the JSON that Bicep deploys.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

if not __package__:  # started as a file, not with -m
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.shared.command_line import Parser, run_command

ROOT = Path(__file__).parents[1]
ROLES = ROOT / "infra" / "roles"
PAGE = ROOT / "docs" / "permissions.md"

WHERE: Mapping[str, str] = {
    "reader": "every subscription of the fleet, and the app's resource group",
    "swapper": "every subscription of the fleet, or only the groups in `swapGroups`",
    "builder": "the app's resource group, which has its gallery",
    "build-network": "the app's resource group and those of `otherBuildSubnets`, only with `recipeBuilds`",
    "recipes": "the app's subscription, only with `recipeBuilds`",
    "vhd-source": "the storage accounts in `vhdStorageAccounts`",
    "cleaner": "the scopes of the swap role, only with `retentionDeletes`",
    "app-team": "nowhere: assign it to a team on its resource group",
}
"""Role file to where it is assigned, in the page's order."""

EVIDENCE: Mapping[str, str] = {
    "documented": "documented by Azure",
    "reported": "reported by others; not in Azure's documentation",
    "inferred": "**inferred: verify on first deployment**",
}

_HEAD = """# The rights the app needs

*Made from `infra/roles/*.json` by `python -m tools.permissions`; edit those files, not this page.*

Every right is a single action without `*`. The roles are custom roles that `infra/` creates and assigns to the app's
one managed identity. `az role definition list --custom-role-only` lists them. The app reads its own rights before it
stops a VM and refuses when one is missing ([docs/preflight.md](preflight.md)).

Tests check the list (`tests/e2e/test_roles.py`): with exactly these roles at exactly these scopes the local Azure
refuses no swap, month, image from any source, recipe or retention; without any one action a failure names it. Rights
that the local Azure cannot check, on the status addresses of long operations, are marked as inferred.

The identity also has built-in data roles on the app's own resources: Storage Blob Data Owner, Queue and Table
Data Contributor on its storage account, Monitoring Metrics Publisher on its Application Insights, EventGrid Data Sender
on its outcome topic, with `durableBackend=scheduler` Durable Task Data Contributor on its scheduler. The system topic's
identity is Storage Blob Data Contributor on the container `dead-letters`.

`infra/` does not assign rights on resources of others: the look and build roles on galleries in `otherGalleries`,
`Microsoft.Compute/diskEncryptionSets/read` on encryption sets outside the fleet's subscriptions, and the rights on
image sources ([the list](images.md#rights)) when the source is a VM or a disk outside the groups with swaps, or a
managed image or a snapshot outside the app's resource group. `infra/management-group.bicep` assigns the roles on a
management group.
"""


def page() -> str:
    """The whole page."""
    return "\n".join((_HEAD, *(_section(name, _read(name)) for name in WHERE)))


def _read(name: str) -> dict[str, Any]:
    role: dict[str, Any] = json.loads((ROLES / f"{name}.json").read_text())
    return role


def _section(name: str, role: Mapping[str, Any]) -> str:
    rows = [f"| `{each['action']}` | {each['why']} | {EVIDENCE[each['evidence']]} |" for each in role["grants"]]
    head = f"## {role['roleName']}\n\n{role['description']} Assigned on {WHERE[name]}. File: `infra/roles/{name}.json`."
    return "\n".join((head, "", "| action | why | evidence |", "| --- | --- | --- |", *rows, ""))


def main(arguments: Sequence[str] = ()) -> int:
    """Write the page; exit code 0."""
    Parser("permissions", "Write docs/permissions.md from the role files in infra/roles/.").parse_args(arguments)
    PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
