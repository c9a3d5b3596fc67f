"""`python -m simulator up` as a process: the app on the local Azure."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "simulator", "up", "--tls-port", "0", "--functions-port", "0"]


@contextmanager
def running(tmp_path: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str], Path]]:
    """The process on free ports, the JSON of its only output line, and the file with its stderr."""
    log = tmp_path / "stderr"
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    with (
        log.open("w") as stderr,
        subprocess.Popen(
            [*COMMAND, "--port", "0", *arguments], cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=stderr, text=True
        ) as up,
    ):
        try:
            assert up.stdout is not None
            yield up, json.loads(up.stdout.readline()), log
        finally:
            up.kill()


def call(url: str, body: Any = None) -> Any:
    """GET, or POST with a body; the JSON of the response."""
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data), timeout=30) as answer:
        return json.load(answer)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_up_prints_its_addresses_answers_and_ends_on_a_signal(number: signal.Signals, tmp_path: Path) -> None:
    """It prints one line of JSON and commands to try, serves the API, and ends with code 0 and no temporary file."""
    with running(tmp_path, "--speed", "20") as (up, ends, log):
        vms = call(f"{ends['functions']}/api/vms")["value"]
        assert {vm["vm"].rsplit("/", 1)[-1] for vm in vms} >= {"web01", "app01", "win01", "typo01"}
        plan = call(f"{ends['functions']}/api/refresh", {"all": True, "rollout": "auto", "dryRun": True})["plan"]
        assert sum(row["decision"] == "swap" for row in plan) == 10
        call(f"{ends['functions']}/api/refresh", {"all": True, "rollout": "auto"})
        up.send_signal(number)
        out, _ = up.communicate(timeout=30)
        assert (up.returncode, out) == (0, "")
    text = log.read_text()
    for line in (f"curl -s {ends['functions']}/api/vms", f"export REQUESTS_CA_BUNDLE={ends['ca_file']}", "Ctrl-C"):
        assert line in text
    assert not re.search(r"Traceback|code=|eyJ[A-Za-z0-9_-]{20}", text)
    assert list(tmp_path.iterdir()) == [log]


def shown_in_readme() -> tuple[list[str], list[str], list[str]]:
    """From *Try it* in the README: the output of `make up`, the command of the dry run, and its answer."""
    blocks = re.findall(r"^```(?:sh|text)\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    _, _, _, printed, command, answered = [block.splitlines() for block in blocks[:6]]
    return printed, shlex.split(command[-1].replace("$APP", "APP")), answered


def without_numbers(text: str) -> str:
    """Text without months and ports, which differ from run to run."""
    return re.sub(r"20\d{4}|(?<=127\.0\.0\.1:)\d+", "#", text)


def test_the_readme_shows_the_output_of_up_and_of_a_dry_run(tmp_path: Path) -> None:
    """The third command of the README is run as shown, and each shown line is a line of the output."""
    printed, command, answered = shown_in_readme()
    assert command[:3] == ["python3", "-m", "tools.refresh"]
    with running(tmp_path, "--speed", "10") as (_, ends, log):
        command_line = [sys.executable, *command[1:]]
        command_line[command_line.index("APP")] = ends["functions"]
        done = subprocess.run(command_line, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [without_numbers(line) for line in (done.stdout + log.read_text()).splitlines()]
    for line in (*printed, *answered):
        start = without_numbers(line).rstrip("…")
        assert any(each.startswith(start) for each in lines), line


def test_a_custom_fleet_can_be_tried(tmp_path: Path) -> None:
    """With `--scenario FILE` the commands to try name a VM of that fleet, and the app serves it."""
    group = "/subscriptions/aaaaaaaa-0000-4000-8000-000000000001/resourceGroups/mine"
    vm = f"{group}/providers/Microsoft.Compute/virtualMachines/solo"
    file = tmp_path / "mine.json"
    file.write_text(json.dumps([{"id": vm, "tags": {"AutoRefresh": "true", "OsDiskName": "nowhere"}}]))
    with running(tmp_path, "--scenario", str(file)) as (up, ends, log):
        assert call(f"{ends['functions']}/api/vms?vm=solo")["reason"] == "disk-not-found"
        up.send_signal(signal.SIGTERM)
        up.communicate(timeout=30)
    assert f"--resource-id {vm} --tags OsDiskName=@previous" in log.read_text()


def test_the_fleet_of_the_simulator_readme_can_be_refreshed(tmp_path: Path) -> None:
    """A dry run of the month with the example fleet of simulator/README.md plans a version, a disk and a swap."""
    text = (ROOT / "simulator" / "README.md").read_text()
    (example,) = re.findall(r"^cat > mine\.json <<'END'\n(.*?)^END$", text, re.MULTILINE | re.DOTALL)
    file = tmp_path / "mine.json"
    file.write_text(example)
    with running(tmp_path, "--scenario", str(file)) as (_, ends, _):
        plan = call(f"{ends['functions']}/api/refresh", {"all": True, "rollout": "auto", "dryRun": True})
    assert [row["decision"] for row in plan["images"]] == ["create"], plan["images"]
    assert [(row["decision"], row["steps"][0]) for row in plan["plan"]] == [("swap", "create-disk")], plan["plan"]


def test_up_on_a_used_port_fails_with_the_options_for_another_port(tmp_path: Path) -> None:
    """The command prints one line with the port and the options and exits with code 2."""
    with running(tmp_path) as (_, ends, _):
        port = ends["arm"].rsplit(":", 1)[-1]
        done = subprocess.run([*COMMAND, "--port", port], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert port in done.stderr
    assert "--functions-port" in done.stderr


def test_up_with_an_invalid_schedule_does_not_start(tmp_path: Path) -> None:
    """The command names the function and the error without a stack trace and exits with code 2."""
    env = {**os.environ, "TMPDIR": str(tmp_path), "SWEEP_SCHEDULE": "often"}
    done = subprocess.run([*COMMAND, "--port", "0"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert "sweep: 'often'" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
