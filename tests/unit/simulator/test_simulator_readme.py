"""The simulator's README covers every key, route, operation, fault and scenario."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

import simulator
from simulator.arm.core.fault_plans import KINDS
from simulator.arm.core.fault_rules import OPERATIONS, Rule, Serial, parse
from simulator.arm.front.seeding import SCENARIO_KEYS
from simulator.clock import Clock
from simulator.control import PREFIX, ControlPlane
from simulator.scenarios import names
from simulator.world import Simulator
from tests.unit.simulator.arm.azure import Azure, run_story

README = (Path(simulator.__file__).parent / "README.md").read_text(encoding="utf-8")
ROUTES = [
    (route.method, route.path.removeprefix(f"{PREFIX}/"))
    for route in ControlPlane(Simulator(Clock("virtual"))).routes()
]


@pytest.mark.parametrize(
    "entry",
    sorted(
        {
            *SCENARIO_KEYS,
            *KINDS,
            *OPERATIONS,
            *get_args(Serial),
            *names(),
            *(f"{method} {path}" for method, path in ROUTES),
        }
    ),
)
def test_the_readme_names_every_key_route_operation_fault_and_scenario(entry: str) -> None:
    """Every private key, route, operation, kind of fault, serial log and scenario is in the README as code."""
    assert f"`{entry}`" in README


def test_the_readme_shows_every_outcome_of_a_rule() -> None:
    """Each example parses, and together they use every field a rule has."""
    examples = [json.loads(text) for text in re.findall(r"^\| `(\{.*?\})` \|", README, re.MULTILINE)]
    for example in examples:
        parse(example, "example")
    used = {key for example in examples for key in (*example, *example.get("match", {}))}
    assert {field.name for field in fields(Rule)} - {"id", "about", "times", "cloud_init"} | {"cloudInit"} <= used


def test_the_readmes_scenario_loads() -> None:
    """The example is a list of bodies that the simulator accepts."""
    (text,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)

    async def story(azure: Azure) -> None:
        (vm,) = (await azure.sim("GET", "resources?type=Microsoft.Compute/virtualMachines")).body
        assert (vm["_power"], vm["_listens"]) == ("deallocated", [22])

    run_story(story, json.loads(text))
