"""`python -m simulator up`, as a process: the app on a pretend Azure, left running."""

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
def left_running(tmp_path: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str], Path]]:
    """The process on any ports, its one line, and the file that takes what it says on stderr."""
    said = tmp_path / "stderr"
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    with (
        said.open("w") as stderr,
        subprocess.Popen(
            [*COMMAND, "--port", "0", *arguments], cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=stderr, text=True
        ) as up,
    ):
        try:
            assert up.stdout is not None
            yield up, json.loads(up.stdout.readline()), said
        finally:
            up.kill()


def ask(url: str, body: Any = None) -> Any:
    """GET, or POST with a body; the answer's JSON."""
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data), timeout=30) as answer:
        return json.load(answer)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_up_announces_itself_answers_and_ends_when_told(number: signal.Signals, tmp_path: Path) -> None:
    """One line of JSON, the fleet under /api/vms, a plan, lines to try; then exit code 0 and nothing left behind."""
    with left_running(tmp_path, "--speed", "20") as (up, ends, said):
        vms = ask(f"{ends['functions']}/api/vms")["value"]
        assert {vm["vm"].rsplit("/", 1)[-1] for vm in vms} >= {"web01", "app01", "win01", "typo01"}
        plan = ask(f"{ends['functions']}/api/refresh", {"all": True, "rollout": "auto", "dryRun": True})["plan"]
        assert sum(row["decision"] == "swap" for row in plan) == 10
        ask(f"{ends['functions']}/api/refresh", {"all": True, "rollout": "auto"})
        up.send_signal(number)
        out, _ = up.communicate(timeout=30)
        assert (up.returncode, out) == (0, "")
    text = said.read_text()
    for line in (f"curl -s {ends['functions']}/api/vms", f"export REQUESTS_CA_BUNDLE={ends['ca_file']}", "Ctrl-C"):
        assert line in text
    assert not re.search(r"Traceback|code=|eyJ[A-Za-z0-9_-]{20}", text)
    assert list(tmp_path.iterdir()) == [said]


def shown_in_readme() -> tuple[list[str], list[str], list[str]]:
    """What the README shows of *Try it*: the lines `make up` prints, the words of the dry run, the lines it answers."""
    blocks = re.findall(r"^```(?:sh|text)\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    _, _, _, printed, command, answered = [block.splitlines() for block in blocks[:6]]
    return printed, shlex.split(command[-1].replace("$APP", "APP")), answered


def without_numbers(text: str) -> str:
    """Text without what differs from day to day: months and ports."""
    return re.sub(r"20\d{4}|(?<=127\.0\.0\.1:)\d+", "#", text)


def test_the_readme_shows_what_up_and_a_dry_run_answer(tmp_path: Path) -> None:
    """The third command to try is run as the README has it; each line that is shown is one of the answer."""
    printed, command, answered = shown_in_readme()
    assert command[:3] == ["python3", "-m", "tools.refresh"]
    with left_running(tmp_path, "--speed", "10") as (_, ends, said):
        asked = [sys.executable, *command[1:]]
        asked[asked.index("APP")] = ends["functions"]
        done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [without_numbers(line) for line in (done.stdout + said.read_text()).splitlines()]
    for line in (*printed, *answered):
        begins = without_numbers(line).rstrip("…")
        assert any(each.startswith(begins) for each in lines), line


def test_a_fleet_of_ones_own_can_be_tried(tmp_path: Path) -> None:
    """`--scenario FILE`: the lines to try name a VM of that fleet, and its tag edit reaches the app."""
    group = "/subscriptions/aaaaaaaa-0000-4000-8000-000000000001/resourceGroups/mine"
    vm = f"{group}/providers/Microsoft.Compute/virtualMachines/solo"
    file = tmp_path / "mine.json"
    file.write_text(json.dumps([{"id": vm, "tags": {"AutoRefresh": "true", "OsDiskName": "nowhere"}}]))
    with left_running(tmp_path, "--scenario", str(file)) as (up, ends, said):
        assert ask(f"{ends['functions']}/api/vms?vm=solo")["reason"] == "disk-not-found"
        up.send_signal(signal.SIGTERM)
        up.communicate(timeout=30)
    assert f"--resource-id {vm} --tags OsDiskName=@previous" in said.read_text()


def test_the_fleet_of_the_simulators_readme_can_be_refreshed(tmp_path: Path) -> None:
    """The example of a fleet of one's own is complete: a dry run of the month plans a version, a disk and a swap."""
    text = (ROOT / "simulator" / "README.md").read_text()
    (example,) = re.findall(r"^cat > mine\.json <<'END'\n(.*?)^END$", text, re.MULTILINE | re.DOTALL)
    file = tmp_path / "mine.json"
    file.write_text(example)
    with left_running(tmp_path, "--scenario", str(file)) as (_, ends, _):
        plan = ask(f"{ends['functions']}/api/refresh", {"all": True, "rollout": "auto", "dryRun": True})
    assert [row["decision"] for row in plan["images"]] == ["create"], plan["images"]
    assert [(row["decision"], row["steps"][0]) for row in plan["plan"]] == [("swap", "create-disk")], plan["plan"]


def test_up_on_a_port_that_is_taken_says_so_and_how_to_choose_another(tmp_path: Path) -> None:
    """Exit code 2 and one sentence with the port and the options."""
    with left_running(tmp_path) as (_, ends, _):
        port = ends["arm"].rsplit(":", 1)[-1]
        done = subprocess.run([*COMMAND, "--port", port], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert port in done.stderr
    assert "--functions-port" in done.stderr


def test_up_with_a_schedule_that_is_none_does_not_start(tmp_path: Path) -> None:
    """Exit code 2; the function and the fault are named without a stack trace."""
    env = {**os.environ, "TMPDIR": str(tmp_path), "SWEEP_SCHEDULE": "often"}
    done = subprocess.run([*COMMAND, "--port", "0"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert "sweep: 'often'" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
