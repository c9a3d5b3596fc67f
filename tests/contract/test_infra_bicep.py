"""Every file in infra/ compiles without a finding and is formatted, and each deliberate mistake is found."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.infra.bicep import AZD, FILES, INFRA, PARAMETER_FILES, ROOT, build, built, declared, formatted
from tests.support.infra.external_tools import BICEP, BICEP_VERSION, need_tool

# Mistake -> the file, the right and the wrong text, and the code of the compiler's finding.
MISTAKES = {
    "a property Azure does not have": ("modules/storage.bicep", "allowBlobPublicAccess", "allowBlobAccess", "BCP037"),
    "a missing required property": ("modules/monitoring.bicep", "    Application_Type: 'web'\n", "", "BCP035"),
    "a value that Azure does not accept": (
        "modules/event-subscription.bicep",
        "'StringContains'",
        "'StringHolds'",
        "BCP088",
    ),
    "an API version that does not exist": (
        "modules/app.bicep",
        "serverfarms@2025-03-01",
        "serverfarms@2025-03-02",
        "BCP081",
    ),
    "a parameter the module does not take": (
        "main.bicep",
        "alwaysReady: alwaysReady",
        "alwaysRead: alwaysReady",
        "BCP089",
    ),
    "an output the module does not have": ("main.bicep", "storage.outputs.forApp", "storage.outputs.forAll", "BCP083"),
    "a file that does not exist": ("modules/role-definitions.bicep", "roles/swapper.json", "roles/swap.json", "BCP091"),
    "a name that is not declared": ("modules/alerts.bicep", "scopes: [workspaceId]", "scopes: [workspace]", "BCP057"),
    "a module without a needed parameter": (
        "main.bicep",
        "    taskHub: taskHub\n    appSettings",
        "    appSettings",
        "BCP035",
    ),
    "a syntax error": ("modules/identity.bicep", "properties.clientId", "properties.", "BCP020"),
    "a resource id made by hand": (
        "modules/outcome-topic.bicep",
        "subscriptionResourceId('Microsoft.Authorization/roleDefinitions', dataSender)",
        "'/providers/Microsoft.Authorization/roleDefinitions/${dataSender}'",
        "use-resource-id-functions",
    ),
    "an API version that is not the newest": (
        "modules/alerts.bicep",
        "scheduledQueryRules@2026-03-01",
        "scheduledQueryRules@2023-12-01",
        "use-recent-api-versions",
    ),
    "a role that is not among the files": ("modules/own-access.bicep", "'builder'", "'bilder'", "BCP034"),
    "a setting that the app does not have": (
        "environments/test.bicepparam",
        "REFRESH_MAX_SWAPS",
        "REFRESH_MAX_SWOPS",
        "BCP089",
    ),
    "a parameter that the template does not take": (
        "environments/test.bicepparam",
        "param apiAuth",
        "param apiAuht",
        "BCP259",
    ),
    "a needed parameter that is not given": (
        "environments/test.bicepparam",
        "param location = 'westeurope'\n",
        "",
        "BCP258",
    ),
    "a value that the template does not allow": (
        "environments/production.bicepparam",
        "tagPolicy = 'audit'",
        "tagPolicy = 'report'",
        "BCP033",
    ),
}
EVERY_FILE = [*FILES, *PARAMETER_FILES]
# Each variable of main.bicepparam, with its parameter and a value.
VARIABLES = {
    "AZURE_ENV_NAME": ("environmentName", "dev"),
    "AZURE_LOCATION": ("location", "northeurope"),
    "REFRESH_SUBSCRIPTIONS": ("fleetSubscriptions", "one,two"),
    "REFRESH_MANAGEMENT_GROUP": ("managementGroup", "fleet"),
    "API_AUTH": ("apiAuth", "key"),
    "API_CLIENT_ID": ("apiClientId", "client"),
    "API_ALLOWED_PRINCIPALS": ("apiAllowedPrincipals", "you,me"),
    "DURABLE_BACKEND": ("durableBackend", "scheduler"),
    "TAG_POLICY": ("tagPolicy", "deny"),
    "ALERT_EMAILS": ("alertEmails", "you@example.com"),
}


def name_of(path: Path) -> str:
    return path.relative_to(INFRA).as_posix()


def with_mistake(folder: Path, file: str, right: str, wrong: str) -> Path:
    """The changed file in a copy of infra/, with `right` replaced by `wrong`."""
    shutil.copytree(INFRA, folder / "infra")
    changed = folder / "infra" / file
    text = changed.read_text()
    assert right in text, f"{file} has no {right!r} any more"
    changed.write_text(text.replace(right, wrong))
    return changed


@pytest.mark.parametrize("file", EVERY_FILE, ids=name_of)
def test_every_file_compiles_without_a_finding(file: Path) -> None:
    """The compiler reports no error, warning or lint for a file and its modules."""
    assert built(file).findings == ()
    assert built(file).template is not None


@pytest.mark.parametrize("file", EVERY_FILE, ids=name_of)
def test_every_file_is_formatted(file: Path) -> None:
    """`bicep format` changes nothing."""
    assert formatted(file) == file.read_text()


def test_every_file_is_checked() -> None:
    """The lists of files are complete, and there is no parameters file of another kind."""
    assert len(FILES) > 15
    assert {name_of(path) for path in PARAMETER_FILES} >= {
        "main.bicepparam",
        "environments/test.bicepparam",
        "environments/production.bicepparam",
        "examples/fleet.bicepparam",
    }
    assert [*INFRA.rglob("*.parameters.json"), *(INFRA / "environments").glob("*.json")] == []


def test_no_rule_is_switched_off() -> None:
    """Neither the compiler's configuration nor a line of a file switches a rule off."""
    core = json.loads((INFRA / "bicepconfig.json").read_text())["analyzers"]["core"]
    assert core["enabled"]
    assert {rule["level"] for rule in core["rules"].values()} <= {"warning", "error"}
    assert [name_of(path) for path in EVERY_FILE if "#disable-" in path.read_text()] == []


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found(mistake: str, tmp_path: Path) -> None:
    """Each deliberate mistake causes the finding with its code."""
    file, right, wrong, code = MISTAKES[mistake]
    found = {finding.code for finding in build(with_mistake(tmp_path, file, right, wrong)).findings}
    assert code in found


def test_every_variable_of_azd_reaches_its_parameter() -> None:
    """main.bicepparam passes every variable of azd's environment to the template."""
    command = [str(need_tool(BICEP)), "build-params", str(INFRA / "main.bicepparam"), "--stdout"]
    env = {name: os.environ[name] for name in ("HOME", "PATH", "TMPDIR") if name in os.environ}
    env |= {name: value for name, (_, value) in VARIABLES.items()}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    given = json.loads(json.loads(done.stdout)["parametersJson"])["parameters"]
    assert {name: value["value"] for name, value in given.items()} == dict(VARIABLES.values())


def test_what_azd_does_not_hold_has_the_default_of_the_template() -> None:
    """A variable that azd does not set leaves its parameter at the default of the template."""
    bare = built(INFRA / "main.bicepparam").parameters
    parameters = declared(INFRA / "main.bicep", "parameters")
    defaults = {name: parameters[name]["defaultValue"] for name in bare if "defaultValue" in parameters[name]}
    given = {VARIABLES[name][0]: value for name, value in AZD.items()}
    assert bare == defaults | given


@pytest.mark.parametrize("file", [path for path in FILES if path.parent == INFRA], ids=name_of)
def test_every_parameter_of_an_entry_point_is_explained(file: Path) -> None:
    """Each parameter of main.bicep, events.bicep and management-group.bicep has a description."""
    parameters = declared(file, "parameters")
    assert [name for name, value in parameters.items() if not value.get("metadata", {}).get("description")] == []


def test_the_workflow_installs_the_compiler_that_the_tests_name() -> None:
    """The workflows install the pinned version of the compiler, and the tests use that one."""
    ci, deploy = ((ROOT / ".github" / "workflows" / f"{name}.yml").read_text() for name in ("ci", "deploy"))
    installs = f"run: az bicep install --version v{BICEP_VERSION}\n"
    assert (ci.count(installs), deploy.count(installs)) == (1, deploy.count("az deployment sub "))
    assert f"{BICEP.variable}: /home/runner/.azure/bin/bicep" in ci


def test_the_workflow_gives_every_variable_that_an_environment_reads() -> None:
    """Each step of deploy.yml that passes a parameters file sets every variable that those files read."""
    read = {
        name
        for path in (INFRA / "environments").glob("*.bicepparam")
        for name in re.findall(r"readEnvironmentVariable\('([A-Z_]+)'", path.read_text())
    }
    steps = (ROOT / ".github" / "workflows" / "deploy.yml").read_text().split("      - name: ")
    passing = [step for step in steps if "infra/environments/$ENVIRONMENT.bicepparam" in step]
    assert len(passing) == 2
    assert read
    for step in passing:
        assert read == {name for name in read if f"{name}: ${{{{ vars.{name} }}}}" in step}
