"""`python -m simulator up` as a process: the app on the local Azure."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from simulator.scenarios.demo import APP, vm_id

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "simulator", "up", "--tls-port", "0", "--functions-port", "0"]


@contextmanager
def running(tmp_path: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str], Path]]:
    """The process on free ports, the JSON of its only output line, and the file with its stderr."""
    printed = tmp_path / "stderr"
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    with (
        printed.open("w") as stderr,
        subprocess.Popen(
            [*COMMAND, "--port", "0", *arguments], cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=stderr, text=True
        ) as up,
    ):
        try:
            assert up.stdout is not None
            yield up, json.loads(up.stdout.readline()), printed
        finally:
            up.kill()


def call(url: str, body: Any = None) -> Any:
    """GET, or POST with a body; the JSON of the response."""
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data), timeout=30) as answer:
        return json.load(answer)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_up_prints_its_addresses_answers_and_ends_on_a_signal(number: signal.Signals, tmp_path: Path) -> None:
    """It prints one line of JSON, serves the API, and ends with code 0, one line, and the app's log in a file."""
    with running(tmp_path, "--speed", "20") as (up, ends, printed):
        vms = call(f"{ends['functions']}/api/vms")["value"]
        assert {vm["vm"].rsplit("/", 1)[-1] for vm in vms} >= {"web01", "app01", "win01", "typo01"}
        plan = call(f"{ends['functions']}/api/refresh", {"all": True, "rollout": "auto", "dryRun": True})["plan"]
        assert sum(row["decision"] == "swap" for row in plan) == 10
        call(f"{ends['functions']}/api/refresh", {"all": True, "rollout": "auto"})
        up.send_signal(number)
        out, _ = up.communicate(timeout=30)
        assert (up.returncode, out) == (0, "")
    text = printed.read_text()
    for line in (f"export APP={ends['functions']} ", f"export REQUESTS_CA_BUNDLE={ends['ca_file']}", "Ctrl-C"):
        assert line in text
    (log,) = re.findall(r"^The app's log: (\S+)$", text, re.MULTILINE)
    prose = [line for line in text.splitlines() if not line.startswith("  ") and log not in line]
    assert [line for line in prose if len(line) > 80] == []
    assert text.splitlines()[-1] == f"Stopped. The app's log stays in {log}"
    assert "Traceback" not in text
    assert "INFO refresh." not in text
    assert not re.search(r"Traceback|code=|eyJ[A-Za-z0-9_-]{20}", text + Path(log).read_text())
    assert sorted(tmp_path.iterdir()) == sorted([printed, Path(log).parent])


def test_verbose_shows_the_log_in_the_terminal_as_well(tmp_path: Path) -> None:
    """With --verbose the lines of the file are on stderr."""
    with running(tmp_path, "--speed", "20", "--verbose") as (up, ends, printed):
        tag = {"operation": "Merge", "properties": {"tags": {"OsDiskName": "nowhere"}}}
        write_tags(ends["arm"], tag)
        until(lambda: call(f"{ends['functions']}/api/vms?vm=app01")["reason"] == "disk-not-found")
        until(lambda: "disk-not-found" in printed.read_text())
        up.send_signal(signal.SIGINT)
        up.communicate(timeout=30)
    (log,) = re.findall(r"^The app's log: (\S+)$", printed.read_text(), re.MULTILINE)
    lines = Path(log).read_text().splitlines()
    assert lines
    assert set(lines) <= set(printed.read_text().splitlines())


def pasted(text: str) -> str:
    """The commands that are printed, as a script; those for the Azure CLI are played in test_az_cli.py."""
    lines = text.split("\nThe same tag with the real Azure CLI")[0].splitlines()
    return "\n".join(line[2:] for line in lines if line.startswith("  "))


def test_the_printed_commands_can_be_pasted_as_they_are(tmp_path: Path) -> None:
    """Every line works in a shell; the tag edit swaps the VM, the way back too, and a wrong tag is refused."""
    with running(tmp_path, "--speed", "30") as (_, ends, printed):
        script = pasted(printed.read_text())
        done = subprocess.run(["bash", "-eu", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        # The name of an empty part of the answer, and the address of a check's source.
        known = done.stdout.lower().replace('"errors"', "").replace("/windows/error-messages", "")
        assert "error" not in known, done.stdout
        assert '"decision": "swap"' in done.stdout
        exports = "\n".join(line for line in script.splitlines()[:6])
        for value, expected in (
            ("app01-os-copy", ("already-there", "app01-os-copy")),
            ("@previous", ("already-there", "app01-os")),
            ("nowhere", ("disk-not-found", "app01-os")),
        ):
            command = ["bash", "-eu", "-c", f"{exports}\ntag OsDiskName {value}"]
            subprocess.run(command, capture_output=True, check=True, timeout=30)
            until(partial(has_reason_and_disk, ends, expected))


def write_tags(arm: str, body: Any) -> None:
    """Edit the tags of app01 as the portal does."""
    vm = vm_id(APP, "app01")
    url = f"{arm}{vm}/providers/Microsoft.Resources/tags/default?api-version=2024-07-01"
    headers = {"Authorization": "Bearer any", "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method="PATCH")
    with urllib.request.urlopen(request, timeout=30):
        pass


def has_reason_and_disk(ends: dict[str, str], expected: tuple[str, str]) -> bool:
    """Whether the app has this reason for its decision about app01, and app01 runs this disk."""
    row = call(f"{ends['functions']}/api/vms?vm=app01")
    return (row["reason"], row["current"]) == expected


def until(reached: Callable[[], bool]) -> None:
    """Wait until `reached` is true, half a minute at most."""
    for _ in range(150):
        if reached():
            return
        threading.Event().wait(0.2)
    raise AssertionError("not reached in half a minute")


def shown_in_readme() -> tuple[list[str], list[str], list[str]]:
    """From *Try it* in the README: the output of `make up`, the command of the dry run, and its answer."""
    blocks = re.findall(r"^```(?:sh|text)\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    _, _, _, printed, command, answered = [block.splitlines() for block in blocks[:6]]
    return printed, shlex.split(command[-1].replace("$APP", "APP")), answered


def without_numbers(text: str) -> str:
    """Text without what differs from day to day: months and ports."""
    return re.sub(r"20\d{4}|(?<=127\.0\.0\.1:)\d+", "#", text)


def test_the_readme_shows_the_output_of_up_and_of_a_dry_run(tmp_path: Path) -> None:
    """The third command of the README is run as shown, and each shown line is a line of the output."""
    printed, command, answered = shown_in_readme()
    assert command[:3] == ["python3", "-m", "tools.refresh"]
    with running(tmp_path, "--speed", "10") as (_, ends, printed_to):
        command_line = [sys.executable, *command[1:]]
        command_line[command_line.index("APP")] = ends["functions"]
        done = subprocess.run(command_line, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [without_numbers(line) for line in (done.stdout + printed_to.read_text()).splitlines()]
    for line in (*printed, *answered):
        begins = without_numbers(line).rstrip("…")
        assert any(each.startswith(begins) for each in lines), line


def test_a_custom_fleet_can_be_tried(tmp_path: Path) -> None:
    """With `--scenario FILE` the commands to paste are about a VM of that fleet, and the app serves it."""
    group = "/subscriptions/aaaaaaaa-0000-4000-8000-000000000001/resourceGroups/mine"
    vm = f"{group}/providers/Microsoft.Compute/virtualMachines/solo"
    file = tmp_path / "mine.json"
    file.write_text(json.dumps([{"id": vm, "tags": {"AutoRefresh": "true", "OsDiskName": "nowhere"}}]))
    with running(tmp_path, "--scenario", str(file)) as (up, ends, printed):
        assert call(f"{ends['functions']}/api/vms?vm=solo")["reason"] == "disk-not-found"
        up.send_signal(signal.SIGTERM)
        up.communicate(timeout=30)
    assert f"  export VM={vm}\n" in printed.read_text()


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


def test_up_names_a_scenario_without_vms_in_scope_and_an_unknown_setting(tmp_path: Path) -> None:
    """Both are probably typos: a note names each, and the app runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REFRESH_STOP_MOD", "power-off")
        with running(tmp_path, "--scenario", "empty") as (up, ends, printed):
            assert call(f"{ends['functions']}/api/vms")["value"] == []
            up.send_signal(signal.SIGTERM)
            up.communicate(timeout=30)
    text = printed.read_text()
    assert "no VM has the tag AutoRefresh=true" in text
    assert "no setting REFRESH_STOP_MOD" in text


def test_up_on_a_used_port_fails_with_the_options_for_another_port(tmp_path: Path) -> None:
    """The command prints one line with the port and the options, exits with code 2 and leaves no file."""
    with running(tmp_path) as (_, ends, _):
        port = ends["arm"].rsplit(":", 1)[-1]
        env = {**os.environ, "TMPDIR": str(tmp_path)}
        done = subprocess.run([*COMMAND, "--port", port], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert port in done.stderr
    assert "--functions-port" in done.stderr
    assert len(list(tmp_path.glob("azure-vm-refresh-*"))) == 1, "only the log of the process that runs"


def test_up_with_an_invalid_schedule_does_not_start(tmp_path: Path) -> None:
    """The command names the function and the error without a stack trace and exits with code 2."""
    env = {**os.environ, "TMPDIR": str(tmp_path), "SWEEP_SCHEDULE": "often"}
    done = subprocess.run([*COMMAND, "--port", "0"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert "sweep: 'often'" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
