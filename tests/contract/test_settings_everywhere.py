"""The table of settings, the example file, host.json and the page of settings agree."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from refresh.activities.swap.read_hints import budgets
from refresh.settings.settings import Settings
from refresh.settings.table import ACTIVITIES_BESIDE_SWAPS, MAX_CONCURRENT_ACTIVITIES, SETTINGS

_ROOT = Path(__file__).resolve().parents[2]


def _text(name: str) -> str:
    path = _ROOT / name
    if not path.exists():
        pytest.skip(f"there is no {name} yet")
    return path.read_text(encoding="utf-8")


def _example() -> dict[str, str]:
    values: dict[str, str] = json.loads(_text("local.settings.json.example"))["Values"]
    return values


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_the_example_gives_every_setting_its_default(setting: Any) -> None:
    """The example file has every setting, each with its default if it has one."""
    shown = _example()[setting.name]
    assert shown == setting.default or (setting.default == "" and setting.name == "REFRESH_SUBSCRIPTIONS")


def test_the_example_is_accepted_by_the_app() -> None:
    """The app starts with a copy of the example."""
    assert Settings.from_env(_example()).subscriptions


def test_the_example_has_no_unknown_setting() -> None:
    """The example has no setting that the app does not read."""
    ours = {name for name in _example() if name.startswith(("REFRESH_", "SWEEP_", "PURGE_", "RETENTION_"))}
    assert ours <= {setting.name for setting in SETTINGS}


def test_the_table_fills_every_field() -> None:
    """Every field of Settings has exactly one row."""
    assert [setting.field for setting in SETTINGS] == list(Settings.__dataclass_fields__)
    assert len({setting.name for setting in SETTINGS}) == len(SETTINGS)


def test_the_example_has_every_setting_of_host_json() -> None:
    """The example has a value for each `%NAME%` in host.json, because these have no default."""
    named = set(re.findall(r"%([A-Za-z_]+)%", _text("host.json")))
    assert named <= set(_example())


def test_host_json_runs_as_many_activities_as_the_swap_limit_assumes() -> None:
    """REFRESH_MAX_SWAPS is bounded by the number of activities that host.json allows."""
    durable = json.loads(_text("host.json"))["extensions"]["durableTask"]
    assert durable["maxConcurrentActivityFunctions"] == MAX_CONCURRENT_ACTIVITIES
    assert ACTIVITIES_BESIDE_SWAPS == 20


@pytest.mark.parametrize("swaps", [1, 20, 21, 40])
def test_swaps_and_starts_of_vms_that_are_down_leave_twenty_activities_free(swaps: int) -> None:
    """With every accepted number of swaps some VMs that are down can be started beside them."""
    found = budgets(Settings.from_env({**_example(), "REFRESH_MAX_SWAPS": str(swaps)}))
    assert found["max_swaps"] == swaps
    assert 4 <= found["max_starts"] <= 24
    assert swaps + found["max_starts"] <= MAX_CONCURRENT_ACTIVITIES - ACTIVITIES_BESIDE_SWAPS


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_the_page_documents_every_setting_with_its_default(setting: Any) -> None:
    """docs/settings.md has a table row for each setting with the default in it."""
    rows = [line for line in _text("docs/settings.md").splitlines() if re.match(rf"\|\s*`{setting.name}`", line)]
    assert len(rows) == 1, f"docs/settings.md: one table row that starts with | `{setting.name}` |"
    assert not setting.default or f"`{setting.default}`" in rows[0], f"`{setting.default}` in {rows[0]}"


@pytest.mark.parametrize("name", ["TASK_HUB_NAME", "BuiltIn__HttpActivity", "BuiltIn__HttpPollOrchestrator"])
def test_the_page_documents_the_settings_of_the_host(name: str) -> None:
    """The page also has the settings that the example sets for the host."""
    (setting,) = [one for one in _example() if name in one]
    assert f"| `{setting}` |" in _text("docs/settings.md")
