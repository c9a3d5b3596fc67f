"""The role files: single actions, each with its reason, the same everywhere they are read."""

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
WORDS = re.compile(r"Microsoft\.[A-Za-z]+(/[A-Za-z]+)+/(read|write|delete|action)")


# Page of docs/ and, where its rows are for different places, how a row begins: the roles that the app has there.
ASKED = {
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


def chapter(page: str) -> str:
    """The page's chapter on rights."""
    text = (INFRA.parent / "docs" / f"{page}.md").read_text()
    (found,) = re.findall(r"^## (?:The r|R)ights.*?\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return str(found)


def listed(page: str, row: str) -> set[str]:
    """The actions in that chapter, or in the row of it that begins so."""
    lines = [line for line in chapter(page).splitlines() if line.startswith(row)]
    return {match[0] for line in lines for match in WORDS.finditer(line)}


def role(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((INFRA / "roles" / f"{name}.json").read_text())
    return found


def actions(*names: str) -> set[str]:
    return {grant["action"] for name in names for grant in role(name)["grants"]}


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_a_role_is_single_actions_each_with_its_reason(file: Path) -> None:
    """No wildcard, no double, nothing without a reason and its evidence."""
    found = json.loads(file.read_text())
    assert set(found) == {"roleName", "description", "grants"}
    names = [grant["action"] for grant in found["grants"]]
    assert names
    assert len({name.lower() for name in names}) == len(names)
    for grant in found["grants"]:
        assert set(grant) == {"action", "why", "evidence"}
        assert WORDS.fullmatch(grant["action"]), grant["action"]
        assert grant["why"].endswith((".", "**"))
        assert grant["evidence"] in permissions.EVIDENCE


def test_the_fleet_roles_hold_what_a_swap_asks_for() -> None:
    """What the app checks for before downtime is in the two roles it has on a fleet."""
    given = actions("reader", "swapper")
    for scope, mode in product((VM_ID, disk_id("web01-old"), SET_ID), StopMode):
        assert set(needed_on(scope, mode)) <= given


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: " ".join(asked).strip(" |"))
def test_every_right_a_page_lists_is_given_where_it_is_needed(asked: tuple[str, str]) -> None:
    """Each action in a page's list of rights stands in one of the roles that the app has in that place."""
    told = listed(*asked)
    assert told
    assert told - actions(*ASKED[asked]) == set()


def test_no_row_is_forgotten() -> None:
    """Every action that any of the pages lists was looked for."""
    for page in {page for page, _ in ASKED}:
        assert listed(page, "") == {action for at, row in ASKED if at == page for action in listed(at, row)}


@pytest.mark.parametrize("name", [file.stem for file in FILES if file.stem != "app-team"])
def test_no_role_gives_more_than_a_page_lists(name: str) -> None:
    """What the app is given and no page asks for is marked as inferred: only Azure can say whether it is needed."""
    told = {action for asked, roles in ASKED.items() if name in roles for action in listed(*asked)}
    inferred = {grant["action"] for grant in role(name)["grants"] if grant["evidence"] == "inferred"}
    assert actions(name) - told - inferred == set()


def test_no_role_repeats_what_looking_gives() -> None:
    """Wherever the app may change something it has the look role too, but on the storage accounts of VHDs."""
    for file in FILES:
        if file.stem not in ("reader", "app-team", "vhd-source"):
            assert actions(file.stem) & actions("reader") == set(), file.stem


def test_looking_changes_nothing_and_swapping_deletes_nothing() -> None:
    """The look role cannot write, the swap and app team roles cannot delete, an app team cannot touch a VM."""
    harmless = {"Microsoft.Compute/virtualMachines/retrieveBootDiagnosticsData/action"}
    assert all(action.endswith("/read") for action in actions("reader") - harmless)
    assert not any(action.endswith("/delete") for action in actions("swapper", "app-team"))
    assert {action for action in actions("app-team") if not action.endswith("/read")} == {
        "Microsoft.Resources/tags/write"
    }


def test_nobody_may_give_rights_or_read_secrets() -> None:
    """No role assigns roles; the one that lets Azure read a storage key stands alone."""
    for file in FILES:
        found = actions(file.stem)
        assert not any("roleAssignments" in action or "roleDefinitions" in action for action in found)
        assert file.stem == "vhd-source" or not any("listKeys" in action for action in found)


def test_every_file_is_deployed_and_explained() -> None:
    """Each subscription gets a definition with the very actions of each role file, and each file has its section."""
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
    """(role file, scope) of every custom role that a deployment gives; scopes with the snapshot's own names."""
    files = {role(file.stem)["roleName"]: file.stem for file in FILES}
    names = {each.id: files[each.at("properties.roleName").partition(" (")[0]] for each in made.of_type(DEFINITIONS)}
    return {
        (names[each.at("properties.roleDefinitionId")], scope_of(each.id))
        for each in made.of_type("Microsoft.Authorization/roleAssignments")
        if each.at("properties.roleDefinitionId") in names
    }


def scope_of(assignment: str) -> str:
    """The scope of a role assignment, whose id is an expression because its name has the identity's object id in it."""
    words: list[str] = re.findall(r"'([^']*)'", assignment)
    kind = words.index("Microsoft.Authorization/roleAssignments")
    if assignment.startswith("[extensionResourceId("):
        return words[0]
    group = f"/resourceGroups/{words[1]}" if kind == 2 else ""
    return f"/subscriptions/{words[0]}{group}"


PLACES = {
    deployed_roles.APP_GROUP: f"/subscriptions/{OWN}/resourceGroups/rg-vm-refresh-example",
    deployed_roles.FLEET: f"/subscriptions/{OWN}",
    GROUP: f"/subscriptions/{OWN}/resourceGroups/rg-web",
    deployed_roles.STORAGE: (
        f"/subscriptions/{OWN}/resourceGroups/rg-vhds/providers/Microsoft.Storage/storageAccounts/vhds"
    ),
}
"""Where the proofs have the app, its fleet, its swaps and its VHDs -> where the deployments below have them."""
WITH: dict[str, dict[str, Any]] = {
    "retentionDeletes": {"retentionDeletes": True},
    "recipeBuilds": {"recipeBuilds": True},
    "vhdStorageAccounts": {"vhdStorageAccounts": PLACES[deployed_roles.STORAGE]},
}


def test_the_proofs_assign_the_roles_as_bicep_does() -> None:
    """What tests/support/infra/deployed_roles.py calls a deployment is what a deployment with swapGroups gives."""
    groups = [{"subscriptionId": OWN, "name": "rg-web"}]
    always = {(name, PLACES[scope]) for name, scope in deployed_roles.ALWAYS}
    assert given(deployment(swapGroups=groups)) == always
    assert set(WITH) == set(deployed_roles.WITH)
    for parameter, parameters in WITH.items():
        more = {(name, PLACES[scope]) for name, scope in deployed_roles.WITH[parameter]}
        assert given(deployment(swapGroups=groups, **parameters)) == always | more, parameter


def test_without_groups_the_app_swaps_everywhere_in_its_fleet_and_nowhere_else() -> None:
    """The swap role is given on each subscription of the fleet; outside it the app has its own group alone."""
    fleet = [f"/subscriptions/{each}" for each in (OWN, OTHER)]
    app = ("reader", PLACES[deployed_roles.APP_GROUP]), ("builder", PLACES[deployed_roles.APP_GROUP])
    both = given(deployment(fleetSubscriptions=f"{OWN},{OTHER}", retentionDeletes=True))
    assert both == {(name, scope) for name in ("reader", "swapper", "cleaner") for scope in fleet} | {*app}
    assert given(deployment(fleetSubscriptions=OTHER)) == {("reader", fleet[1]), ("swapper", fleet[1]), *app}
    assert given(deployment(managementGroup="fleet")) == {*app}


def test_a_management_group_gives_what_a_subscription_gives() -> None:
    """The roles for everything below a management group are the look and swap roles, and retention's when asked for."""
    who = {"environmentName": "example", "principalId": "app"}
    for deletes, names in ((True, {"reader", "swapper", "cleaner"}), (False, {"reader", "swapper"})):
        made = deployment("management-group.bicep", **who, retentionDeletes=deletes)
        defined = {each.id: set(each.at("properties.permissions")[0]["actions"]) for each in made.of_type(DEFINITIONS)}
        assert sorted(map(sorted, defined.values())) == sorted(sorted(actions(name)) for name in names)
        roles = [
            each.at("properties.roleDefinitionId") for each in made.of_type("Microsoft.Authorization/roleAssignments")
        ]
        assert sorted(roles) == sorted(defined)


def test_the_page_is_what_the_files_say() -> None:
    """docs/permissions.md is current: `python -m tools.permissions` makes it."""
    assert permissions.PAGE.read_text() == permissions.page()
