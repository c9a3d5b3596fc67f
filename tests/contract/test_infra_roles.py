"""The role files: single actions, each with its reason, the same everywhere they are read."""

from __future__ import annotations

import json
import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from refresh.domain.rights import needed_on
from refresh.domain.stop_mode import StopMode
from tests.support import deployed_roles
from tests.support.bicep import INFRA
from tests.support.builders import GROUP, VM_ID, disk_id
from tools import permissions

FILES = sorted((INFRA / "roles").glob("*.json"))
SET_ID = f"{GROUP}/providers/Microsoft.Compute/diskEncryptionSets/ours"
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
    """Each role file is loaded by the module that makes the roles, and has its section in the page."""
    text = (INFRA / "modules" / "role-definitions.bicep").read_text()
    loaded = set(re.findall(r"loadJsonContent\('\.\./roles/([a-z-]+)\.json'\)", text))
    assert loaded == {file.stem for file in FILES} == set(permissions.WHERE)


def test_the_proofs_assign_the_roles_as_bicep_does() -> None:
    """What tests/support/deployed_roles.py calls a deployment is what main.bicep and fleet-access.bicep assign."""

    def given(file: str, pattern: str) -> list[str]:
        text = re.sub(r"\s+", " ", (INFRA / file).read_text())
        found = re.search(pattern, text)
        assert found, f"{file}: {pattern}"
        return [deployed_file(name) for name in re.findall(r"ids\.(\w+)", found[0])]

    def deployed_file(name: str) -> str:
        return re.sub("([A-Z])", lambda letter: f"-{letter[0].lower()}", name)

    def assigned_at(scope: str, rows: tuple[tuple[str, str], ...]) -> list[str]:
        return [role for role, at in rows if at == scope]

    everywhere, with_ = deployed_roles.ALWAYS, deployed_roles.WITH
    app, fleet, swaps = deployed_roles.APP_GROUP, deployed_roles.FLEET, GROUP
    build = given("modules/own-access.bicep", r"module build 'assign-group.bicep' = \{.*?\n?\} \}")
    assert build == [*assigned_at(app, everywhere), *assigned_at(app, with_["recipeBuilds"])]
    on_subscription = given(
        "modules/own-access.bicep", r"module recipes 'assign-subscription.bicep' = if \(recipeBuilds\) .*?\} \}"
    )
    assert on_subscription == ["reader", *assigned_at(fleet, with_["recipeBuilds"])]
    assert given("modules/own-access.bicep", r"roleId: roles\.outputs\.ids\.\w+") == [
        role for role, _ in with_["vhdStorageAccounts"]
    ]
    assert given("modules/fleet-access.bicep", r"var look = \[.*?\]") == assigned_at(fleet, everywhere)
    swap = given("modules/fleet-access.bicep", r"var swap = .*?: \[\]\)")
    assert swap == [*assigned_at(swaps, everywhere), *assigned_at(swaps, with_["retentionDeletes"])]


def test_the_page_is_what_the_files_say() -> None:
    """docs/permissions.md is current: `python -m tools.permissions` makes it."""
    assert permissions.PAGE.read_text() == permissions.page()
