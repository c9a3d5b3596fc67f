"""The locks of the Python dependencies have every package of their closure, each at one version with hashes."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.support.infra.package_probe import closure

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements", "requirements-dev", "requirements-az", "requirements-scan")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(name: str) -> dict[str, str]:
    """Version by normalised name of each `name==version` in a file of pins."""
    found = re.findall(r"(?m)^([A-Za-z0-9._-]+)==([^\s;\\]+)", (ROOT / name).read_text(encoding="utf-8"))
    return {normal(package): version for package, version in found}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_every_pin_of_its_source(name: str) -> None:
    """Each pin stands in the lock at the same version; a changed .in file needs `make lock`."""
    required, locked = pins(f"{name}.in"), pins(f"{name}.txt")
    assert required
    assert {package: locked.get(package) for package in required} == required


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_hashes_for_every_package(name: str) -> None:
    """pip installs only archives with these hashes; a single line without one would switch that off or fail."""
    text = (ROOT / f"{name}.txt").read_text(encoding="utf-8")
    entries = re.split(r"(?m)^(?=[A-Za-z0-9])", re.sub(r"(?m)^ *#.*\n", "", text))[1:]
    assert len(entries) == len(pins(f"{name}.txt"))
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


def test_what_is_deployed_is_what_is_tested() -> None:
    """The lock for Azure and the one for development have the same version of each package of the app."""
    deployed, tested = pins("requirements.txt"), pins("requirements-dev.txt")
    assert {package: tested.get(package) for package in deployed} == deployed


def test_the_lock_for_azure_has_the_whole_closure() -> None:
    """Every package that the app's pins need here is locked, at the version that is installed."""
    needed = closure([*pins("requirements.in")])
    locked = pins("requirements.txt")
    assert needed - set(locked) == set()
    assert {package: version(package) for package in needed} == {package: locked[package] for package in needed}


def test_only_locks_are_installed() -> None:
    """The Makefile and the workflows install from locks, never a package by name."""
    files = [ROOT / "Makefile", *sorted((ROOT / ".github" / "workflows").glob("*.yml"))]
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines() if "pip install" in line]
    assert lines
    assert [line for line in lines if not re.search(r" -r requirements(-\w+)?\.txt$", line)] == []
