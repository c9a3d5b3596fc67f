"""Property tests draw the same values in every test run and new values in every soak run."""

from __future__ import annotations

import re
import subprocess
import sys

from hypothesis import settings

from tests.support.worlds.local_azure import ROOT

_DRAWS = """
import importlib, pkgutil, sys
from hypothesis import given, strategies as st
from tests.support.chaos.drawing import FIXED, draw_from
draw_from(FIXED)
for name in sys.argv[1:]:
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(package.__path__, f"{name}."):
        importlib.import_module(module.name)
@given(st.integers(0, 10_000), st.text(max_size=20), st.sets(st.sampled_from(("a", "b", "c"))))
def draw(number, text, letters):
    print(number, repr(text), sorted(letters))
draw()
"""


def _printed(*arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout


def test_a_test_run_draws_from_fixed_seeds() -> None:
    """Hypothesis uses no new seed, no database of earlier failures and no deadline."""
    assert settings().derandomize
    assert settings().database is None
    assert settings().deadline is None


def test_drawn_values_do_not_depend_on_loaded_modules() -> None:
    """The modules that earlier tests loaded into the process change no drawn value."""
    alone, after_others = _printed("-c", _DRAWS), _printed("-c", _DRAWS, "simulator.arm", "refresh.domain")
    assert len(alone.splitlines()) >= 100
    assert alone == after_others


def test_no_test_draws_from_seeds_of_its_own() -> None:
    """Only `drawing.py` and the soak command set seeds."""
    own = re.compile(r"\b(derandomize|deadline|database)=|\bimport random\b|\bRandom\(\)|\bsecrets\.\w+\(|\buuid4\(")
    here = {
        ROOT / "tests" / name for name in ("support/chaos/drawing.py", "commands/soak.py", "property/test_drawing.py")
    }
    files = [file for file in (ROOT / "tests").rglob("*.py") if file not in here and "node_modules" not in file.parts]
    assert len(files) > 100
    found = [f"{file.relative_to(ROOT)}: {match[0]}" for file in files for match in own.finditer(file.read_text())]
    assert not found


def test_a_soak_prints_its_new_seed_first_and_can_repeat_a_seed() -> None:
    """Two soak runs have different seeds, and a given seed is used."""
    one = ("-m", "tests.commands.soak", "--stories", "recipes", "--examples", "1")
    first, second = (_printed(*one).split(":")[0] for _ in range(2))
    assert first.startswith("seed ")
    assert first != second
    assert _printed(*one, "--seed", first.removeprefix("seed ")).startswith(f"{first}: 1 ended well")
