"""The commands for a person give a real shell exactly the names that Azure has."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from refresh.domain.azure.galleries import Region
from refresh.domain.images.manual_commands import delete_command, retry_commands
from refresh.domain.recipes.temporary_group import delete_commands
from refresh.domain.swap.manual_commands import write_commands
from refresh.domain.terms.shell import command
from tests.support.worlds.builders import SUBSCRIPTION, VERSION_ID, VM_ID, disk_id, make_version

AZ = """#!{python}
import json, sys
with open({log!r}, "a") as log:
    log.write(json.dumps(sys.argv[1:]) + "\\n")
"""
# Azure allows parentheses and letters of any script in the names of groups; the rest must not matter either.
NAMES = [
    "rg",
    "rg (old)",
    "a$(touch x)b",
    "`touch x`",
    "a; touch x",
    "a && touch x #",
    "a > x",
    "it's",
    'say "hi"',
    "back\\slash",
    "*",
    "~root",
    "$HOME",
    "a\nb",
    "größe",
    "-x",
    "--yes",
]


def in_group(resource: str, group: str) -> str:
    """The id of the same resource in another group."""
    parts = resource.split("/")
    return "/".join([*parts[:4], group, *parts[5:]])


def ran(commands: Iterable[str], tmp_path: Path) -> list[list[str]]:
    """The arguments of every `az` when `sh` runs the commands in an empty directory; nothing else may happen."""
    log, work = tmp_path / "log", tmp_path / "work"
    work.mkdir()
    program = tmp_path / "az"
    program.write_text(AZ.format(python=sys.executable, log=str(log)))
    program.chmod(0o755)
    for each in commands:
        env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "HOME": "/nowhere"}
        done = subprocess.run(["sh", "-c", each], cwd=work, env=env, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(work.iterdir()) == []
    return [json.loads(line) for line in log.read_text().splitlines()]


@pytest.mark.parametrize("name", NAMES)
def test_the_commands_of_a_swap_name_the_vm_and_the_disk(name: str, tmp_path: Path) -> None:
    """Hold, stop, old disk, start and release are five commands about this VM and this disk."""
    vm, disk = in_group(VM_ID, name), in_group(disk_id("d"), name)
    tag = ["tag", "update", "--resource-id", vm, "--operation", "Merge", "--tags"]
    assert ran(write_commands(vm, disk), tmp_path) == [
        [*tag, "AutoRefresh=hold"],
        ["vm", "deallocate", "--ids", vm],
        ["vm", "update", "--ids", vm, "--os-disk", disk],
        ["vm", "start", "--ids", vm],
        [*tag, "AutoRefresh=true"],
    ]


@pytest.mark.parametrize("name", NAMES)
def test_the_commands_of_a_version_name_the_version(name: str, tmp_path: Path) -> None:
    """Regions are removed and added in the version's own group, also one whose name begins with a hyphen."""
    regions = (Region("westeurope", "Completed", 100), Region("northeurope", "Failed", 0))
    version_id = in_group(VERSION_ID, name)
    version = make_version(id=version_id, regions=regions)
    calls = ran((*retry_commands(version), delete_command(version_id)), tmp_path)
    group = [f"--resource-group={name}"] if name.startswith("-") else ["-g", name]
    for call in calls[:2]:
        assert call[:3] == ["sig", "image-version", "update"]
        at = call.index(group[0])
        assert call[at : at + len(group)] == group
    assert calls[1][-2:] == ["westeurope", "northeurope"]
    assert calls[2] == ["resource", "delete", "--ids", version_id]


@pytest.mark.parametrize("name", NAMES)
def test_the_commands_of_a_group_name_the_group(name: str, tmp_path: Path) -> None:
    """Locks are listed, deleted and then the group; the place for the locks' ids is no redirection."""
    group = f"refresh-build-{name}"
    calls = ran(delete_commands(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}"), tmp_path)
    where = ["--resource-group", group, "--subscription", SUBSCRIPTION]
    assert calls == [
        ["lock", "list", *where, "--query", "[].id", "--output", "tsv"],
        ["lock", "delete", "--ids", "<each of them>"],
        ["group", "delete", "--name", group, "--subscription", SUBSCRIPTION, "--yes"],
    ]


@pytest.mark.parametrize("name", NAMES)
def test_any_words_reach_the_program_as_they_are(name: str, tmp_path: Path) -> None:
    """The shell changes, splits and runs nothing in a word."""
    assert ran([command("az", name, "", f"--name={name}")], tmp_path) == [[name, "", f"--name={name}"]]


def test_plain_names_are_written_plainly() -> None:
    """Commands about usual names have no quotes, which a person reads more easily."""
    commands = (*write_commands(VM_ID, disk_id("d")), delete_command(VERSION_ID))
    assert "'" not in "".join(commands)
