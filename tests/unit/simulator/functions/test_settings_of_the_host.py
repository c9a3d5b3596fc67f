"""App settings as the local host uses them."""

import os

import pytest

from simulator.functions.settings import UnknownSetting, applied, is_disabled, resolve


def test_a_name_between_percent_signs_is_replaced_by_its_setting() -> None:
    """Text around it stays; several names may stand in one text."""
    assert resolve("a %ONE%-%TWO%", {"ONE": "1", "TWO": "2"}) == "a 1-2"


def test_a_setting_that_does_not_exist_is_named() -> None:
    """There is no default: the missing name is the error."""
    with pytest.raises(UnknownSetting, match="SWEEP_SCHEDULE"):
        resolve("%SWEEP_SCHEDULE%", {})


@pytest.mark.parametrize(
    ("settings", "disabled"),
    [
        ({"AzureWebJobs.sweep.Disabled": "true"}, True),
        ({"AzureWebJobs.sweep.Disabled": "1"}, True),
        ({"AzureWebJobs__sweep__Disabled": "True"}, True),
        ({"AzureWebJobs.sweep.Disabled": "false"}, False),
        ({"AzureWebJobs.other.Disabled": "true"}, False),
        ({}, False),
    ],
)
def test_a_function_is_disabled_by_its_app_setting(settings: dict[str, str], disabled: bool) -> None:
    """In both spellings of the setting's name."""
    assert is_disabled("sweep", settings) is disabled


def test_the_environment_is_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings are in the environment inside the block only, and what was there comes back."""
    monkeypatch.setenv("TOY_KEPT", "before")
    with applied({"TOY_KEPT": "within", "TOY_NEW": "x"}):
        assert os.environ["TOY_KEPT"] == "within"
        assert os.environ["TOY_NEW"] == "x"
    assert os.environ["TOY_KEPT"] == "before"
    assert "TOY_NEW" not in os.environ
