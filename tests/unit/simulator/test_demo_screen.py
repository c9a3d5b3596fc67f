"""The output of a demo scene without a terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from simulator.demo.azure import Seen
from simulator.demo.screen import Screen


def vm(name: str, power: str) -> Seen:
    return Seen(f"/vms/{name}", name, f"{name}-os", power, {})


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
            screen.show(float(at_s), [vm(name, power) for name in names], "swapping", 0)
    lines = [" ".join(line.split()[2:]) for line in out.getvalue().splitlines()]
    assert lines == printed
