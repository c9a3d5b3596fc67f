"""What infra/ would deploy is valid Bicep, and the checks that say so notice when it is not."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.support.bicep import FILES, INFRA, declared, findings

PARAMETER_FILES = (INFRA / "main.parameters.json", *sorted((INFRA / "environments").glob("*.json")))
MISTAKES = {
    "a property Azure does not have": ("modules/storage.bicep", "allowBlobPublicAccess", "allowBlobPublicAcess"),
    "a missing required property": ("modules/monitoring.bicep", "    Application_Type: 'web'\n", ""),
    "a value Azure does not know": ("modules/event-subscription.bicep", "'StringContains'", "'StringHolds'"),
    "an API version that does not exist": ("modules/app.bicep", "serverfarms@2025-03-01", "serverfarms@2025-03-02"),
    "a parameter the module does not take": ("main.bicep", "alwaysReady: alwaysReady", "alwaysRead: alwaysReady"),
    "an output the module does not have": ("main.bicep", "storage.outputs.queueEndpoint", "storage.outputs.queueUrl"),
    "a file that is not there": ("modules/role-definitions.bicep", "roles/swapper.json", "roles/swap.json"),
    "a name nobody declared": ("modules/alerts.bicep", "scopes: [workspaceId]", "scopes: [workspace]"),
    "a module without a needed parameter": ("main.bicep", "    taskHub: taskHub\n    appSettings", "    appSettings"),
    "a syntax error": ("modules/identity.bicep", "properties.clientId", "properties."),
}


def test_every_file_is_valid() -> None:
    """Azure's published types find no fault and no warning in any file."""
    assert len(FILES) > 15
    assert findings(*FILES) == []


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found(mistake: str, tmp_path: Path) -> None:
    """Each deliberate mistake is found."""
    file, right, wrong = MISTAKES[mistake]
    shutil.copytree(INFRA, tmp_path / "infra")
    changed = tmp_path / "infra" / file
    text = changed.read_text()
    assert right in text, f"{file} has no {right!r} any more"
    changed.write_text(text.replace(right, wrong))
    assert any("error" in line for line in findings(tmp_path / "infra" / "main.bicep", changed))


@pytest.mark.parametrize(
    "file",
    [INFRA / "main.parameters.json", *sorted((INFRA / "environments").glob("*.json"))],
    ids=lambda path: path.name,
)
def test_parameter_files_name_parameters_that_exist(file: Path) -> None:
    """A parameter file gives nothing that main.bicep does not take, and everything it cannot do without."""
    taken = declared(INFRA / "main.bicep", "param")
    given = json.loads(file.read_text())["parameters"]
    assert set(given) <= set(taken)
    assert {name for name, node in taken.items() if node.default is None} <= set(given)
    assert all(set(value) == {"value"} for value in given.values())


def test_environments_set_settings_that_exist() -> None:
    """A parameter file overrides only settings that the type in types.bicep has."""
    known = set(re.findall(r"^  ([A-Z_]+): string\?$", (INFRA / "types.bicep").read_text(), re.MULTILINE))
    for file in (INFRA / "environments").glob("*.json"):
        assert set(json.loads(file.read_text())["parameters"].get("settings", {}).get("value", {})) <= known


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_every_parameter_of_an_entry_point_is_explained(file: Path) -> None:
    """Whoever deploys main.bicep, events.bicep or management-group.bicep reads what each parameter means."""
    if file.parent != INFRA:
        return
    silent = [
        name
        for name, node in declared(file, "param").items()
        if not any(getattr(each, "name", "") == "description" for each in node.decs)
    ]
    assert silent == []
