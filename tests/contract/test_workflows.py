"""The GitHub workflows are valid, pinned and without secrets, and use options that the commands accept."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.drain import parse as parse_drain
from tools.refresh import ACTIONS, parse

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
BIN = Path(sys.executable).parent
REFRESH = (ROOT / ".github" / "workflows" / "refresh.yml").read_text()
ORDER = ("tools.providers", "tools.drain", "deployment sub create", "config-zip", "tools.events", "tools.selfcheck")
MISTAKES = {
    "an input that is not declared": ("refresh.yml", "inputs.period", "inputs.month"),
    "a runner that does not exist": ("ci.yml", "ubuntu-24.04", "ubuntu-24.40"),
    "a shell mistake": ("refresh.yml", '"${asked[@]}"', "$asked"),
    "a moving tag": ("ci.yml", "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8", "actions/checkout@v5"),
    "an input inside a script": ("refresh.yml", '"--vms=$VMS"', '"--vms=${{ inputs.vms }}"'),
    "rights for everything": ("ci.yml", "    permissions:\n      contents: read\n", "    permissions: write-all\n"),
}


def findings_in(folder: Path) -> list[str]:
    """The findings of actionlint (with shellcheck) and zizmor in a folder of workflows, offline."""
    env = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    commands = (
        [str(BIN / "actionlint"), *map(str, sorted(folder.glob("*.yml")))],
        [str(BIN / "zizmor"), "--offline", "--no-progress", "--quiet", str(folder)],
    )
    found = []
    for command in commands:
        if not Path(command[0]).is_file():
            pytest.skip(f"{Path(command[0]).name} is not installed: requirements-dev.txt has it")
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            found.append(done.stdout + done.stderr)
    return found


def test_every_workflow_is_valid_and_safe() -> None:
    """actionlint, shellcheck and zizmor report nothing."""
    assert findings_in(ROOT / ".github" / "workflows") == []


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found(mistake: str, tmp_path: Path) -> None:
    """Each deliberate mistake is found."""
    file, right, wrong = MISTAKES[mistake]
    folder = tmp_path / ".github" / "workflows"
    shutil.copytree(ROOT / ".github" / "workflows", folder)
    text = (folder / file).read_text()
    assert right in text
    (folder / file).write_text(text.replace(right, wrong))
    assert findings_in(folder)


def test_no_secret_is_stored() -> None:
    """Identities are federated: no workflow reads a secret, and every action is pinned to a commit."""
    for path in WORKFLOWS:
        text = path.read_text()
        assert "secrets." not in text, path.name
        assert "permissions: {}" in text, path.name
        for used in re.findall(r"uses: (\S+)", text):
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", used), used


def test_the_refresh_workflow_matches_the_command() -> None:
    """The workflow offers the command's actions and passes every input, and the command accepts every flag."""
    (options,) = re.findall(r"options: \[(images.*)\]", REFRESH)
    assert tuple(options.split(", ")) == ACTIONS
    inputs = re.findall(r"^      (\w+):$", REFRESH.partition("schedule:")[0], re.MULTILINE)
    assert len(inputs) == 8
    assert all(f"${{{{ inputs.{name} }}}}" in REFRESH for name in inputs)
    options = parse(
        ["swap", "--vms=web01 web02", "--disk=", "--period=", "--rollout=", "--dry-run", "--app", "http://x"]
    )
    assert options.vms.split() == ["web01", "web02"]
    for flag in re.findall(r"(--[a-z-]+)", REFRESH.partition("run: |")[2]):
        assert flag.replace("-", "_").strip("_") in vars(options), flag


def test_a_deployment_is_kept_away_from_swaps() -> None:
    """The deployment waits for swaps before it changes settings or the package, and always resumes as its last step."""
    text = (ROOT / ".github" / "workflows" / "deploy.yml").read_text().partition("\n  deploy:\n")[2]
    steps = re.split(r"^      - ", text, flags=re.MULTILINE)[1:]
    runs = [step.partition("run: ")[2].strip() for step in steps]
    at = {each: next(n for n, run in enumerate(runs) if each in run) for each in (*ORDER, "--resume")}
    assert list(at.values()) == sorted(at.values())
    assert at["--resume"] == len(steps) - 1
    assert "if: always()" in steps[-1]
    assert [n for n, step in enumerate(steps) if "if: " in step] == [len(steps) - 1]
    assert parse_drain([], {}).wait_s == 15 * 60


def test_hooks_start_commands_that_exist() -> None:
    """azure.yaml starts only `tools.hooks`, on every operating system."""
    started = re.findall(r"python3? -m (\S+)", (ROOT / "azure.yaml").read_text())
    assert set(started) == {"tools.hooks"}
    assert all((ROOT / f"{name.replace('.', '/')}.py").is_file() for name in started)
