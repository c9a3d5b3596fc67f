"""The output of a demo scene, with and without a terminal."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from rich.console import Console

from simulator.demo.azure import Seen, Work, build_steps
from simulator.demo.screen import Screen
from simulator.demo.text import write

SWAPPING = Work("swapping")
DISK_ID = f"/subscriptions/aaaaaaaa-0000-4000-8000-000000000001/{'x' * 60}/disks/web01-os"


def vm(name: str, power: str) -> Seen:
    return Seen(f"/vms/{name}", name, f"{name}-os", power, {})


def lines_after_time(out: io.StringIO) -> list[str]:
    return [" ".join(line.split()[2:]) for line in out.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("record", "names", "printed"),
    [
        (False, ("web01", "web02"), ["the app swapping", "web01 deallocated web01-os", "web02 deallocated web02-os"]),
        (True, ("web01", "web02"), ["the app swapping"]),
        (True, ("web01",), ["the app swapping", "web01 deallocated web01-os"]),
    ],
)
def test_a_picture_shows_single_vms_only_where_one_moves(
    record: bool, names: tuple[str, ...], printed: list[str]
) -> None:
    """Every change of every VM is a line; in a picture only in a scene about one VM."""
    out = io.StringIO()
    with Screen(Console(file=out, width=100, record=record), "swapped", len(names)) as screen:
        for at_s, power in enumerate(("running", "deallocated")):
            screen.show(float(at_s), [vm(name, power) for name in names], SWAPPING, 0)
    assert lines_after_time(out) == printed


@pytest.mark.parametrize(
    ("record", "printed"),
    [
        (False, ["replicating: north 24 %", "replicating: north 48 %", "being proved"]),
        (True, ["replicating", "being proved"]),
    ],
)
def test_each_step_of_a_build_is_a_line(record: bool, printed: list[str]) -> None:
    """A step is printed when it changes, with its percentage unless it is for a picture."""
    out = io.StringIO()
    with Screen(Console(file=out, width=80, record=record), "refreshed", 1) as screen:
        for step in ("replicating: north 24 %", "replicating: north 48 %", "replicating: north 48 %", "being proved"):
            screen.show(1.0, [], Work("", {"ubuntu": step}), 0)
    assert lines_after_time(out) == [f"ubuntu {step}" for step in printed]


def build(run: str, definition: str, started: str, version: str | None = None) -> dict[str, Any]:
    images = [{"version": version}] if version else []
    status = "succeeded" if version else "running"
    where = {"definition": f"/galleries/fleet/images/{definition}"}
    return {"id": run, "status": status, "started": started, "input": where, "images": images}


def test_the_version_of_a_recipe_is_its_second_build() -> None:
    """First its VM builds itself, then the second build has the step, then the version is ready."""
    recipe, publishing = build("build-1", "gen1", "12:00"), build("build-2", "gen1", "12:04")
    planned = {"run": "build-1", "message": "being planned"}
    replicating = {"run": "build-2", "message": "replicating: north Replicating 24 %"}
    assert build_steps([recipe], [planned], True) == {"gen1": "a VM builds itself from a recipe"}
    assert build_steps([publishing, recipe], [planned, replicating], False) == {"gen1": "replicating: north 24 %"}
    ready = build("build-2", "gen1", "12:04", "202611.1.0")
    assert build_steps([ready, recipe], [planned], False) == {"gen1": "version 202611.1.0 is ready"}


def test_a_run_that_ends_between_two_requests_has_steps_too() -> None:
    """The images of a run that has ended name no build; the builds have ended as well."""
    rows = [{"message": "version 202611.1.0 was made", "version": "202611.1.0"}]
    steps = build_steps([build("build-1", "ubuntu", "12:00", "202611.1.0")], rows, False)
    assert steps == {"ubuntu": "version 202611.1.0 is ready"}


@pytest.mark.parametrize("terminal", [False, True])
def test_no_word_is_broken_at_80_columns(terminal: bool) -> None:
    """Lines are wrapped between words, in a terminal and in a pipe."""
    out = io.StringIO()
    console = Console(file=out, width=80, force_terminal=terminal)
    work = Work("capturing and replicating image versions", {"windows-server": "replicating: westeurope 24 %"})
    vms = [vm("batch01", "running"), vm("batch01", "deallocated")]
    with Screen(console, "refreshed", 1) as screen:
        for each in vms:
            screen.show(1234.0, [each], work, 0)
    printed = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue())
    assert {"windows-server", "westeurope", "deallocated", "batch01-os"} <= set(printed.split())
    assert max(map(len, printed.splitlines())) <= 80


@pytest.mark.parametrize("width", [40, 80, 132])
def test_a_paragraph_is_wrapped_between_words(width: int) -> None:
    """Its lines are no wider than the console, but an id or an address stays whole."""
    out = io.StringIO()
    text = f"  web01     {'the well-known reason ' * 12}{DISK_ID} and [more] of it"
    write(Console(file=out, width=width), text, indent=12)
    lines = out.getvalue().splitlines()
    assert " ".join(out.getvalue().split()) == " ".join(text.split())
    assert lines[0].startswith("  web01     the well-known")
    assert all(line.startswith(" " * 12) for line in lines[1:])
    assert [line.strip() for line in lines if len(line) > width] in ([], [DISK_ID])
