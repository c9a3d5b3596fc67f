"""`python -m simulator serve`, as a process."""

from __future__ import annotations

import json
import signal
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from simulator.cli import parse

COMMAND = [sys.executable, "-m", "simulator"]
ROOT = Path(__file__).parents[3]


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A simulator process on any ports, and the endpoints it printed."""
    command = [*COMMAND, "serve", "--port", "0", "--tls-port", "0", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


def read(url: str, ca_file: str | None = None) -> Any:
    context = ssl.create_default_context(cafile=ca_file) if ca_file else None
    with urllib.request.urlopen(url, context=context, timeout=30) as response:
        return json.load(response)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_prints_one_line_and_stops_on_a_signal(number: signal.Signals) -> None:
    """http and https answer, stdout has only that line, and the process ends with exit code 0 and no other output."""
    with serving("--speed", "60", "--seed", "3") as (process, ends):
        health = read(f"{ends['control']}/health")
        assert (health["speed"], health["clock"]) == (60.0, "real")
        assert read(f"{ends['arm_tls']}/metadata/endpoints", ends["ca_file"])["resourceManager"] == ends["arm_tls"]
        assert {"arm", "arm_tls", "ca_file", "identity_endpoint", "identity_header", "control", "topic"} == ends.keys()
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out, err) == (0, "", "")
        assert not Path(ends["ca_file"]).exists()


def test_serve_loads_a_scenario_file(tmp_path: Path) -> None:
    """The resources of the file exist in the simulator."""
    file = tmp_path / "one.json"
    file.write_text(json.dumps([{"id": "/subscriptions/s/resourceGroups/g"}]))
    with serving("--scenario", str(file)) as (_, ends):
        assert [body["name"] for body in read(f"{ends['control']}/resources")] == ["g"]


def test_an_unknown_scenario_is_reported_in_one_sentence() -> None:
    """The exit code is 2, stdout is empty, and there is no stack trace."""
    command = [*COMMAND, "serve", "--port", "0", "--tls-port", "0", "--scenario", "nowhere"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "nowhere" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["serve", "--clock", "virtual"], "serve runs on the real clock only"),
        (["demo", "--speed", "31"], "at speed 30 at most"),
        (["serve", "--port", "70000"], "not a port"),
        (["serve", "--port", "http"], "not a port"),
        (["serve", "--speed", "0"], "not greater than 0"),
        (["serve", "--speed", "inf"], "not greater than 0 and finite"),
        (["serve", "--speed", "fast"], "not a number"),
        (["demo", "--scenario", "empty"], "its own fleet"),
        (["up", "--svg", "up.svg"], "--svg makes a picture of demo"),
        (["demo", "--svg", "nowhere/demo.svg"], "there is no folder"),
        (["fly"], "invalid choice"),
        (["serve", "--engine", "azure-storage"], "--engine belongs to up and demo"),
        (
            ["up", "--engine", "azure-storage", "--speed", "2"],
            "runs in real time: leave out --clock virtual and --speed",
        ),
        (["demo", "--engine", "azure-storage", "--clock", "virtual"], "runs in real time"),
        (["demo", "--engine", "azure"], "invalid choice: 'azure'"),
        (["demo", "--verbose"], "--verbose belongs to up"),
    ],
)
def test_an_invalid_command_line_is_refused(
    arguments: list[str], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 2 and one line names the fault."""
    with pytest.raises(SystemExit) as end:
        parse(arguments)
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert part in line


def test_the_simulated_engine_is_the_default() -> None:
    """`up` and `demo` accept both engines; the default is the simulated one."""
    assert parse(["up"]).engine == "simulated"
    for command in ("up", "demo"):
        assert parse([command, "--engine", "azure-storage"]).engine == "azure-storage"
