"""The names, commands and links on the pages about deployment exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.support.infra.bicep import INFRA, declared
from tools.refresh import parse

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "simulator/README.md")),
    ROOT / ".github" / "PULL_REQUEST_TEMPLATE.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
DEPLOY = (ROOT / "docs" / "deploy.md").read_text()


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def test_every_value_of_the_environment_exists() -> None:
    """Each value that the page sets is read by main.bicepparam; each that it gets is an output or was set."""
    read = set(re.findall(r"readEnvironmentVariable\('([A-Z_]+)'", (INFRA / "main.bicepparam").read_text()))
    made = set(declared(INFRA / "main.bicep", "outputs"))
    assert set(re.findall(r"azd env set ([A-Z_]+)", DEPLOY)) <= read
    assert set(re.findall(r"azd env get-value ([A-Z_]+)", DEPLOY)) <= read | made
    assert set(re.findall(r"<output ([A-Z_]+)>", DEPLOY)) <= made


def test_every_parameter_the_page_names_exists() -> None:
    """The page names no parameter that no longer exists."""
    taken = set(declared(INFRA / "main.bicep", "parameters"))
    named = {"swapGroups", "settings", "appNetwork", "appSubnetId", "durableBackend", "retentionDeletes", "tagPolicy"}
    named |= {"alwaysReady", "recipeBuilds", "otherBuildSubnets", "imageDefinitions", "logDays"}
    assert all(f"`{name}" in DEPLOY for name in named)
    assert named <= taken


def test_every_variable_of_a_parameters_file_that_the_page_names_exists() -> None:
    """Each variable exported before `az deployment` is read by the parameters file that the command passes."""
    (line, file) = re.findall(r"^export (.+?)  .*\n(?:.*\n)*?.*--parameters (\S+)$", DEPLOY, re.MULTILINE)[0]
    read = set(re.findall(r"readEnvironmentVariable\('([A-Z_]+)'", (ROOT / file).read_text()))
    assert {"API_CLIENT_ID", "API_ALLOWED_PRINCIPALS"} == set(re.findall(r"([A-Z_]+)=", line))
    assert set(re.findall(r"([A-Z_]+)=", line)) <= read


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_line_of_the_project_is_valid(page: Path) -> None:
    """Each line that starts `tools.refresh` has arguments that it accepts."""
    for line in re.findall(r"^python3 -m tools\.refresh (.+)$", page.read_text(), re.MULTILINE):
        options = parse(shlex.split(line, comments=True))
        assert options.app == "$APP"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_has_an_existing_target(page: Path) -> None:
    """A link to a file of the project names an existing file, and its anchor names a heading of that file."""
    for target in re.findall(r"\]\((?!https?://)([^)]+)\)", page.read_text()):
        name, _, anchor = target.partition("#")
        path = (page.parent / name) if name else page
        assert path.exists(), f"{page.name}: {target}"
        headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE) if anchor else []
        anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert not anchor or anchor in anchors, f"{page.name}: {target}"


def test_the_removal_uses_the_names_that_infra_creates() -> None:
    """The removal deletes the names that infra/ creates."""
    for name, file in (
        ("rg-vm-refresh-events-", "events.bicep"),
        ("rg-vm-refresh-", "main.bicep"),
        ("vm-refresh-tag-", "modules/policy.bicep"),
        ("vm-refresh-", "events.bicep"),
    ):
        assert f"{name}$ENV" in DEPLOY
        assert f"'{name}${{environmentName}}'" in (INFRA / file).read_text(), name
    roles = (INFRA / "modules" / "role-definitions.bicep").read_text()
    assert "(${environmentName}, " in roles
    assert "'($ENV, '" in DEPLOY
