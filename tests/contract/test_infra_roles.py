"""The role files have single actions, each with its reason, and agree with the docs, Bicep and the proofs."""

from __future__ import annotations

import json
import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from refresh.domain.preflight.rights import needed_on
from refresh.domain.terms.stop_mode import StopMode
from tests.support.infra import deployed_roles
from tests.support.infra.bicep import INFRA, OTHER, OWN, Snapshot, deployment, example
from tests.support.worlds.builders import GROUP, VM_ID, disk_id
from tools import permissions

FILES = sorted((INFRA / "roles").glob("*.json"))
SET_ID = f"{GROUP}/providers/Microsoft.Compute/diskEncryptionSets/ours"
DEFINITIONS = "Microsoft.Authorization/roleDefinitions"
ACTION = re.compile(r"Microsoft\.[A-Za-z]+(/[A-Za-z]+)+/(read|write|delete|action)")


# (page of docs/, start of its row if rows are for different scopes) -> the roles that the app has on that scope.
PAGE_ROLES = {
    ("preflight", ""): ("reader", "swapper"),
    ("images", "| the galleries |"): ("reader", "builder"),
    ("images", "| a source VM |"): ("reader", "swapper"),
    ("images", "| a source disk or snapshot |"): ("reader", "builder"),
    ("images", "| a source image, or another gallery |"): ("reader", "builder"),
    ("images", "| the storage account of a VHD |"): ("vhd-source",),
    ("images", "| the gallery's group, for `via_managed_image` |"): ("builder",),
    ("images", "| an encryption set |"): ("reader",),
    ("recipes", ""): ("reader", "recipes", "build-network"),
    ("retention", ""): ("reader", "builder", "cleaner"),
}


def rights_section(page: str) -> str:
    """The section of a page about rights."""
    text = (INFRA.parent / "docs" / f"{page}.md").read_text()
    (found,) = re.findall(r"^## (?:The r|R)ights.*?\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return str(found)


def listed(page: str, row: str) -> set[str]:
    """The actions in the section about rights, in the lines that start with `row`."""
    lines = [line for line in rights_section(page).splitlines() if line.startswith(row)]
    return {match[0] for line in lines for match in ACTION.finditer(line)}


def role(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((INFRA / "roles" / f"{name}.json").read_text())
    return found


def actions(*names: str) -> set[str]:
    return {grant["action"] for name in names for grant in role(name)["grants"]}


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_a_role_is_single_actions_each_with_its_reason(file: Path) -> None:
    """No wildcard and no duplicate; each action has a reason and its evidence."""
    found = json.loads(file.read_text())
    assert set(found) == {"roleName", "description", "grants"}
    names = [grant["action"] for grant in found["grants"]]
    assert names
    assert len({name.lower() for name in names}) == len(names)
    for grant in found["grants"]:
        assert set(grant) == {"action", "why", "evidence"}
        assert ACTION.fullmatch(grant["action"]), grant["action"]
        assert grant["why"].endswith((".", "**"))
        assert grant["evidence"] in permissions.EVIDENCE


def test_the_fleet_roles_have_the_rights_that_a_swap_checks() -> None:
    """The two roles on a fleet have every right that the app checks before downtime."""
    given = actions("reader", "swapper")
    for scope, mode in product((VM_ID, disk_id("web01-old"), SET_ID), StopMode):
        assert set(needed_on(scope, mode)) <= given


@pytest.mark.parametrize("page_row", PAGE_ROLES, ids=lambda page_row: " ".join(page_row).strip(" |"))
def test_every_right_a_page_lists_is_given_where_it_is_needed(page_row: tuple[str, str]) -> None:
    """Each action in a page's list of rights is in one of the app's roles on that scope."""
    needed = listed(*page_row)
    assert needed
    assert needed - actions(*PAGE_ROLES[page_row]) == set()


def test_every_row_of_rights_is_tested() -> None:
    """The rows of `PAGE_ROLES` cover every action that the pages list."""
    for page in {page for page, _ in PAGE_ROLES}:
        assert listed(page, "") == {action for at, row in PAGE_ROLES if at == page for action in listed(at, row)}


@pytest.mark.parametrize("name", [file.stem for file in FILES if file.stem != "app-team"])
def test_no_role_gives_more_than_a_page_lists(name: str) -> None:
    """A right that no page lists is marked as inferred: only a run in Azure shows whether it is needed."""
    needed = {action for page_row, roles in PAGE_ROLES.items() if name in roles for action in listed(*page_row)}
    inferred = {grant["action"] for grant in role(name)["grants"] if grant["evidence"] == "inferred"}
    assert actions(name) - needed - inferred == set()


def test_no_role_repeats_the_reader_role() -> None:
    """The app has the reader role on every scope of its other roles, except the storage accounts of VHDs."""
    for file in FILES:
        if file.stem not in ("reader", "app-team", "vhd-source"):
            assert actions(file.stem) & actions("reader") == set(), file.stem


def test_readers_change_nothing_and_swappers_delete_nothing() -> None:
    """The reader role cannot write, the swap and app team roles cannot delete, and an app team can only write tags."""
    harmless = {"Microsoft.Compute/virtualMachines/retrieveBootDiagnosticsData/action"}
    assert all(action.endswith("/read") for action in actions("reader") - harmless)
    assert not any(action.endswith("/delete") for action in actions("swapper", "app-team"))
    assert {action for action in actions("app-team") if not action.endswith("/read")} == {
        "Microsoft.Resources/tags/write"
    }


def test_no_role_assigns_roles_or_reads_secrets() -> None:
    """No role assigns roles, and only `vhd-source` lists storage keys."""
    for file in FILES:
        found = actions(file.stem)
        assert not any("roleAssignments" in action or "roleDefinitions" in action for action in found)
        assert file.stem == "vhd-source" or not any("listKeys" in action for action in found)


def test_every_file_is_deployed_and_explained() -> None:
    """Each subscription gets a definition with the actions of each role file, and each file has its section."""
    for subscription in (OWN, OTHER):
        defined = {
            each.at("properties.roleName").partition(" (")[0]: each.at("properties.permissions")
            for each in example("fleet").of_type(DEFINITIONS)
            if each.id.startswith(f"/subscriptions/{subscription}/")
        }
        rest: dict[str, list[str]] = {"notActions": [], "dataActions": [], "notDataActions": []}
        assert defined == {
            role(file.stem)["roleName"]: [{"actions": deployed_roles.actions_of(file.stem), **rest}] for file in FILES
        }
    assert {file.stem for file in FILES} == set(permissions.WHERE)


def given(made: Snapshot) -> set[tuple[str, str]]:
    """(role file, scope) of every custom role that a deployment assigns; scopes have the names of the snapshot."""
    files = {role(file.stem)["roleName"]: file.stem for file in FILES}
    names = {each.id: files[each.at("properties.roleName").partition(" (")[0]] for each in made.of_type(DEFINITIONS)}
    return {
        (names[each.at("properties.roleDefinitionId")], scope_of(each.id))
        for each in made.of_type("Microsoft.Authorization/roleAssignments")
        if each.at("properties.roleDefinitionId") in names
    }


def scope_of(assignment: str) -> str:
    """The scope of a role assignment. Its id is an expression because its name contains the identity's object id."""
    strings: list[str] = re.findall(r"'([^']*)'", assignment)
    kind = strings.index("Microsoft.Authorization/roleAssignments")
    if assignment.startswith("[extensionResourceId("):
        return strings[0]
    group = f"/resourceGroups/{strings[1]}" if kind == 2 else ""
    return f"/subscriptions/{strings[0]}{group}"


SCOPES = {
    deployed_roles.APP_GROUP: f"/subscriptions/{OWN}/resourceGroups/rg-vm-refresh-example",
    deployed_roles.FLEET: f"/subscriptions/{OWN}",
    GROUP: f"/subscriptions/{OWN}/resourceGroups/rg-web",
    deployed_roles.STORAGE: (
        f"/subscriptions/{OWN}/resourceGroups/rg-vhds/providers/Microsoft.Storage/storageAccounts/vhds"
    ),
}
"""The scopes of app, fleet, swaps and VHDs in the proofs -> the scopes in the deployments below."""
WITH: dict[str, dict[str, Any]] = {
    "retentionDeletes": {"retentionDeletes": True},
    "recipeBuilds": {"recipeBuilds": True},
    "vhdStorageAccounts": {"vhdStorageAccounts": SCOPES[deployed_roles.STORAGE]},
}


def test_the_proofs_assign_the_roles_as_bicep_does() -> None:
    """tests/support/infra/deployed_roles.py has the assignments of a deployment with swapGroups."""
    groups = [{"subscriptionId": OWN, "name": "rg-web"}]
    always = {(name, SCOPES[scope]) for name, scope in deployed_roles.ALWAYS}
    assert given(deployment(swapGroups=groups)) == always
    assert set(WITH) == set(deployed_roles.WITH)
    for parameter, parameters in WITH.items():
        more = {(name, SCOPES[scope]) for name, scope in deployed_roles.WITH[parameter]}
        assert given(deployment(swapGroups=groups, **parameters)) == always | more, parameter


def test_without_groups_the_app_swaps_everywhere_in_its_fleet_and_nowhere_else() -> None:
    """The swap role is assigned on each subscription of the fleet; outside it only on the app's own group."""
    fleet = [f"/subscriptions/{each}" for each in (OWN, OTHER)]
    app = ("reader", SCOPES[deployed_roles.APP_GROUP]), ("builder", SCOPES[deployed_roles.APP_GROUP])
    both = given(deployment(fleetSubscriptions=f"{OWN},{OTHER}", retentionDeletes=True))
    assert both == {(name, scope) for name in ("reader", "swapper", "cleaner") for scope in fleet} | {*app}
    assert given(deployment(fleetSubscriptions=OTHER)) == {("reader", fleet[1]), ("swapper", fleet[1]), *app}
    assert given(deployment(managementGroup="fleet")) == {*app}


def test_a_management_group_gives_what_a_subscription_gives() -> None:
    """Below a management group the app has the reader and swap roles, and the cleaner role with retentionDeletes."""
    who = {"environmentName": "example", "principalId": "app"}
    for deletes, names in ((True, {"reader", "swapper", "cleaner"}), (False, {"reader", "swapper"})):
        made = deployment("management-group.bicep", **who, retentionDeletes=deletes)
        defined = {each.id: set(each.at("properties.permissions")[0]["actions"]) for each in made.of_type(DEFINITIONS)}
        assert sorted(map(sorted, defined.values())) == sorted(sorted(actions(name)) for name in names)
        roles = [
            each.at("properties.roleDefinitionId") for each in made.of_type("Microsoft.Authorization/roleAssignments")
        ]
        assert sorted(roles) == sorted(defined)


def test_the_page_matches_the_role_files() -> None:
    """docs/permissions.md equals the output of `python -m tools.permissions`."""
    assert permissions.PAGE.read_text() == permissions.page()
