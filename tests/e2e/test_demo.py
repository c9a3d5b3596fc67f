"""`python -m simulator demo` as a process on the virtual clock."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.pages.picture import lines_of, loads_from_elsewhere, squeezed

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "simulator", "demo", "--clock", "virtual"]


def in_own_temp(tmp_path: Path, **more: str) -> dict[str, str]:
    """An environment in which temporary files are in `tmp_path`."""
    return {**os.environ, "TMPDIR": str(tmp_path), **more}


def test_the_demo_ends_with_every_vm_where_it_should_be(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Exit code 0, three finished scenes, twelve VMs with result and reason, a next step, no temporary file left.

    `--svg` writes a picture with every printed line; the picture loads no other file.
    """
    picture = tmp_path_factory.mktemp("picture") / "demo.svg"
    command = [*COMMAND, "--svg", str(picture)]
    done = subprocess.run(command, cwd=ROOT, env=in_own_temp(tmp_path), capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    shown = lines_of(picture)
    assert [line for line in done.stdout.splitlines() if line.strip() and squeezed(line) not in shown] == []
    assert not loads_from_elsewhere(picture)
    assert [line for line in done.stdout.splitlines() if len(line.rstrip()) > 80] == []
    for line in ("10 of 10 refreshed", "1 of 1 swapped back", "1 of 1 rolled back", "Every VM is where it should be."):
        assert line in done.stdout
    for step in ("a VM builds itself from a recipe", "replicating", "being proved", "is ready"):
        assert re.search(rf"^ +\d+ s  ubuntu-gen1 .*{step}$", done.stdout, re.MULTILINE), step
    drift = done.stdout.split("Not on the latest image version:\n")[1].split("Every VM is")[0]
    assert re.findall(r"^  (\w+) +(.*); latest is \S+$", drift, re.MULTILINE) == [("web02", "from no image version")]
    rows = re.findall(r"^([✓-]) +(\w+) +(\S+) +(\S+) +(\w+) +\d+ s +(\S.*?) *$", done.stdout, re.MULTILINE)
    verdict = {name: (mark, old, now, power, result) for mark, name, old, now, power, result in rows}
    assert len(verdict) == 12
    assert "✗" not in done.stdout
    (published,) = re.findall(r"^Published: (.*?)\n(?=Not on )", done.stdout, re.MULTILINE | re.DOTALL)
    events = " ".join(published.split()).split(", ")
    assert {"month.completed ×1", "swap.rolled-back ×1", "swap.starting ×12"} <= set(events)
    month = verdict["web01"][2].removeprefix("web01-")
    assert re.fullmatch(r"\d{6}", month)
    assert verdict["web02"] == ("✓", "web02-os", "web02-os", "running", "succeeded")
    assert verdict["web03"] == ("✓", "web03-os", f"web03-{month}", "running", "rolled-back")
    assert verdict["batch01"][:4] == ("✓", "batch01-os", f"batch01-{month}", "deallocated")
    assert verdict["typo01"] == ("-", "typo01-os", "typo01-os", "running", "refused")
    assert verdict["legacy01"][-1] == "not in scope"
    reasons = re.findall(r"^  (\w+) +\S.*$", done.stdout.split("\nPublished")[0].split("result")[1], re.MULTILINE)
    assert reasons == list(verdict)
    assert "  typo01    RefreshImage='ubunut-server' is no image definition" in done.stdout
    assert "stopping" in done.stdout, "the demo shows what a VM does meanwhile"
    assert done.stdout.endswith("\n  make up\n")
    assert list(tmp_path.iterdir()) == []


def test_a_demo_that_is_stopped_in_the_middle_cleans_up(tmp_path: Path) -> None:
    """SIGTERM during the first scene gives exit code 143, no stack trace and no temporary file."""
    command = [*COMMAND[:-2], "--speed", "30"]
    with subprocess.Popen(
        command, cwd=ROOT, env=in_own_temp(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stdout is not None
        assert any("capturing" in line for line in demo.stdout)
        demo.send_signal(signal.SIGTERM)
        _, err = demo.communicate(timeout=30)
    assert (demo.returncode, err) == (128 + signal.SIGTERM, "")
    assert list(tmp_path.iterdir()) == []


def test_a_demo_with_wrong_settings_names_them(tmp_path: Path) -> None:
    """All errors are printed at once, with exit code 2 and before any other output."""
    env = in_own_temp(tmp_path, REFRESH_MAX_SWAPS="99", REFRESH_STOP_MODE="maybe")
    done = subprocess.run(COMMAND, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert "REFRESH_MAX_SWAPS='99'" in done.stderr
    assert "REFRESH_STOP_MODE='maybe'" in done.stderr
    assert "Traceback" not in done.stderr
