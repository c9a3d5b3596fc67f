"""App settings in the local host."""

import os

import pytest

from simulator.functions.settings import UnknownSetting, applied, is_disabled, resolve


def test_a_name_between_percent_signs_is_replaced_by_its_setting() -> None:
    """The text around it stays; a text can contain several names."""
    assert resolve("a %ONE%-%TWO%", {"ONE": "1", "TWO": "2"}) == "a 1-2"


def test_a_setting_that_does_not_exist_is_named() -> None:
    """There is no default: the error names the missing setting."""
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
    """Both spellings of the setting's name work."""
    assert is_disabled("sweep", settings) is disabled


def test_the_environment_is_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings are in the environment only inside the block; earlier values are restored."""
    monkeypatch.setenv("TOY_KEPT", "before")
    with applied({"TOY_KEPT": "within", "TOY_NEW": "x"}):
        assert os.environ["TOY_KEPT"] == "within"
        assert os.environ["TOY_NEW"] == "x"
    assert os.environ["TOY_KEPT"] == "before"
    assert "TOY_NEW" not in os.environ
