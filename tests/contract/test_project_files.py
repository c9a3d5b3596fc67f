"""The project's files agree with each other: version and changelog, make targets, hooks, dependency updates."""

from __future__ import annotations

import re
import subprocess
import tomllib
from datetime import date
from pathlib import Path

import pytest

import refresh

ROOT = Path(__file__).parents[2]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
RELEASE = re.compile(r"^## (\d+\.\d+\.\d+) - (\d{4}-\d\d-\d\d)$", re.MULTILINE)


def tracked() -> list[Path]:
    """The files that git tracks."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [Path(name) for name in listed.stdout.split("\0") if name]


def test_the_version_stands_in_one_place() -> None:
    """The newest release in the changelog is the app's version; pyproject.toml reads the version from the package."""
    newest, _ = RELEASE.findall(CHANGELOG)[0]
    assert refresh.__version__ == newest
    assert "version" not in PROJECT["project"]
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert PROJECT["tool"]["setuptools"]["dynamic"]["version"] == {"attr": f"{refresh.__name__}.__version__"}


def test_the_changelog_has_its_form() -> None:
    """Unreleased first, then releases with their dates, newest first; only known sections, none empty."""
    headings = re.findall(r"^## (.+)$", CHANGELOG, re.MULTILINE)
    releases = RELEASE.findall(CHANGELOG)
    assert headings == ["Unreleased", *(f"{version} - {day}" for version, day in releases)]
    numbers = [tuple(map(int, version.split("."))) for version, _ in releases]
    days = [date.fromisoformat(day) for _, day in releases]
    assert numbers == sorted(set(numbers), reverse=True)
    assert days == sorted(days, reverse=True)
    assert set(re.findall(r"^### (.+)$", CHANGELOG, re.MULTILINE)) <= KINDS
    assert not re.search(r"^### .+\n+(?=#|\Z)", CHANGELOG, re.MULTILINE), "a section without an entry"


def test_make_help_lists_every_target() -> None:
    """Each target has a line in `make help` and is phony."""
    targets = re.findall(r"^([a-z][a-z-]*):(?!=)", MAKEFILE, re.MULTILINE)
    shown = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    lines = [re.fullmatch(r"make (\S+) +(\S.*)", line) for line in shown.stdout.splitlines()]
    assert [line and line[1] for line in lines] == targets
    phony = " ".join(re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)).split()
    assert sorted(phony) == sorted(targets)


def test_dependabot_updates_every_folder_with_pins() -> None:
    """Dependabot updates every folder with a requirements.txt or package-lock.json, and the workflows."""
    text = (ROOT / ".github" / "dependabot.yml").read_text(encoding="utf-8")
    updated = re.findall(r"package-ecosystem: (\S+)\n +directory: (\S+)", text)
    kinds = {"package-lock.json": "npm", "requirements.txt": "pip"}
    pinned = {
        (kinds[path.name], "/" if path.parent == Path() else f"/{path.parent}")
        for path in tracked()
        if path.name in kinds
    }
    assert sorted(updated) == sorted({*pinned, ("github-actions", "/")})


def test_the_hooks_are_the_pinned_tools() -> None:
    """pre-commit runs tools of .venv at their pinned versions and downloads no hook."""
    text = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert re.findall(r"repo: (\S+)", text) == ["local"]
    assert set(re.findall(r"language: (\S+)", text)) == {"system"}
    pins = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
    of_package = {"lint-imports": "import-linter"}
    entries = re.findall(r"entry: (\S+)/(\S+)", text)
    assert entries
    for folder, tool in entries:
        assert folder == ".venv/bin"
        assert re.search(rf"^{of_package.get(tool, tool)}==", pins, re.MULTILINE), tool


def test_the_license_is_named() -> None:
    """LICENSE is the MIT license, and pyproject.toml names it."""
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License\n")
    assert (PROJECT["project"]["license"], PROJECT["project"]["license-files"]) == ("MIT", ["LICENSE"])
