"""All settings are valid or an error names every fault with its cure."""

from __future__ import annotations

import pytest

from refresh.settings.settings import Settings, SettingsError, defaults
from refresh.settings.table import SETTINGS

_SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
_SCOPE = {"REFRESH_SUBSCRIPTIONS": _SUBSCRIPTION}
_TOPIC = "https://outcomes.westeurope-1.eventgrid.azure.net/api/events"
_GALLERY = f"/subscriptions/{_SUBSCRIPTION}/resourceGroups/images/providers/Microsoft.Compute/galleries/golden"


def test_a_subscription_is_all_that_is_needed() -> None:
    """All other settings have the table's defaults."""
    settings = Settings.from_env(_SCOPE)
    assert settings.subscriptions == (_SUBSCRIPTION,)
    assert (settings.rollout, settings.max_swaps, settings.health_timeout_s) == ("manual", 20, 300)
    assert (settings.stop_mode, settings.disk_trust, settings.history_days) == ("deallocate", "group", 90)
    assert (settings.refresh_schedule, settings.sweep_schedule) == ("0 0 2 1 * *", "0 */5 * * * *")
    assert settings.arm_endpoint == "https://management.azure.com"
    assert (settings.client_id, settings.galleries, settings.disk_groups) == ("", (), ())


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("REFRESH_SUBSCRIPTIONS", f" {_SUBSCRIPTION.upper()} , {_SUBSCRIPTION},", "subscriptions", (_SUBSCRIPTION,)),
        ("REFRESH_GALLERIES", f"{_GALLERY}/, {_GALLERY}2", "galleries", (_GALLERY, _GALLERY + "2")),
        ("REFRESH_SCHEDULE", " 0  30 1 1,15 * MON-FRI ", "refresh_schedule", "0 30 1 1,15 * MON-FRI"),
        ("SWEEP_SCHEDULE", "*/30 0-59/2 * * * *", "sweep_schedule", "*/30 0-59/2 * * * *"),
        ("PURGE_SCHEDULE", "0 0 0 31 12 6", "purge_schedule", "0 0 0 31 12 6"),
        ("REFRESH_ROLLOUT", "AUTO", "rollout", "auto"),
        ("REFRESH_MAX_SWAPS", "40", "max_swaps", 40),
        ("REFRESH_MAX_SWAPS", "1", "max_swaps", 1),
        ("REFRESH_HEALTH_TIMEOUT_S", "3600", "health_timeout_s", 3600),
        ("REFRESH_STOP_MODE", "", "stop_mode", "deallocate"),
        ("REFRESH_STOP_MODE", " Auto ", "stop_mode", "auto"),
        ("REFRESH_DISK_GROUPS", f"/subscriptions/{_SUBSCRIPTION}/resourceGroups/Disks/", "disk_groups", None),
        ("REFRESH_HISTORY_DAYS", "365", "history_days", 365),
        ("REFRESH_OUTCOME_TOPIC", _TOPIC + "/", "outcome_topic", _TOPIC),
        ("REFRESH_NOTICE_S", "0", "notice_s", 0),
        ("REFRESH_ARM_ENDPOINT", "https://management.azure.com/", "arm_endpoint", "https://management.azure.com"),
        ("REFRESH_ARM_ENDPOINT", "http://127.0.0.1:18080", "arm_endpoint", "http://127.0.0.1:18080"),
        ("REFRESH_ARM_ENDPOINT", "https://localhost:18443/", "arm_endpoint", "https://localhost:18443"),
        ("REFRESH_ARM_ENDPOINT", "http://[::1]:1", "arm_endpoint", "http://[::1]:1"),
        ("AZURE_CLIENT_ID", _SUBSCRIPTION.upper(), "client_id", _SUBSCRIPTION),
    ],
)
def test_a_good_value_is_read(name: str, text: str, field: str, value: object) -> None:
    """Spaces, case, duplicates and trailing slashes make no difference."""
    settings = Settings.from_env({**_SCOPE, name: text})
    expected = (f"/subscriptions/{_SUBSCRIPTION}/resourcegroups/disks",) if value is None else value
    assert getattr(settings, field) == expected


@pytest.mark.parametrize(
    ("name", "text", "cure"),
    [
        ("REFRESH_SUBSCRIPTIONS", "my-subscription", "GUID"),
        ("REFRESH_SUBSCRIPTIONS", f"{_SUBSCRIPTION};{_SUBSCRIPTION}", "GUID"),
        ("REFRESH_MANAGEMENT_GROUP", "/providers/Microsoft.Management/managementGroups/x", "name"),
        ("REFRESH_GALLERIES", "golden", "full ids of galleries"),
        ("REFRESH_GALLERIES", f"{_GALLERY}/images/linux", "full ids of galleries"),
        ("REFRESH_SCHEDULE", "0 2 1 * *", "six fields"),
        ("REFRESH_SCHEDULE", "0 0 25 1 * *", "hours"),
        ("PURGE_SCHEDULE", "0 0 0 31 12 7", "Sunday is 0"),
        ("SWEEP_SCHEDULE", "0 */0 * * * *", "minutes"),
        ("SWEEP_SCHEDULE", "0 30-10 * * * *", "minutes"),
        ("SWEEP_SCHEDULE", "MON 0 * * * *", "seconds"),
        ("PURGE_SCHEDULE", "0 0 0 0 * *", "days"),
        ("REFRESH_ROLLOUT", "yes", "manual or auto"),
        ("REFRESH_MAX_SWAPS", "41", "from 1 to 40"),
        ("REFRESH_MAX_SWAPS", "0", "from 1 to 40"),
        ("REFRESH_MAX_SWAPS", "2.5", "whole number"),
        ("REFRESH_MAX_SWAPS", "٤", "whole number"),
        ("REFRESH_HEALTH_TIMEOUT_S", "29", "from 30 to 3600"),
        ("REFRESH_STOP_MODE", "halt", "power-off"),
        ("REFRESH_STOP_MODE", "unplug", "deallocate"),
        ("REFRESH_DISK_TRUST", "everyone", "group or gallery"),
        ("REFRESH_DISK_GROUPS", "disks", "resource groups"),
        ("REFRESH_HISTORY_DAYS", "366", "from 1 to 365"),
        ("REFRESH_OUTCOME_TOPIC", "https://t.westeurope-1.eventgrid.azure.net", "/api/events"),
        ("REFRESH_OUTCOME_TOPIC", "http://t.westeurope-1.eventgrid.azure.net/api/events", "https://"),
        ("REFRESH_OUTCOME_TOPIC", "https://eventgrid.azure.net.evil.example/api/events", "eventgrid.azure.net"),
        ("REFRESH_OUTCOME_TOPIC", _TOPIC + "?key=secret", "topic's endpoint"),
        ("REFRESH_NOTICE_S", "7201", "from 0 to 7200"),
        ("REFRESH_NOTICE_S", "60", "notice is given by an event"),
        ("REFRESH_OUTCOME_TOPIC", "http://127.0.0.1:1/api/events", "real token"),
        ("REFRESH_ARM_ENDPOINT", "http://management.azure.com", "https://"),
        ("REFRESH_ARM_ENDPOINT", "https://management.azure.com.evil.example", "https://"),
        ("REFRESH_ARM_ENDPOINT", "https://management.azure.com@evil.example", "https://"),
        ("REFRESH_ARM_ENDPOINT", "https://127.0.0.1.evil.example", "https://"),
        ("REFRESH_ARM_ENDPOINT", "https://management.azure.com/path", "https://"),
        ("REFRESH_ARM_ENDPOINT", "https://management.azure.com:8443", "https://"),
        ("REFRESH_ARM_ENDPOINT", "http://10.0.0.4", "https://"),
        ("REFRESH_ARM_ENDPOINT", "ftp://127.0.0.1", "https://"),
        ("REFRESH_ARM_ENDPOINT", "http://127.0.0.1:notaport", "https://"),
        ("REFRESH_ARM_ENDPOINT", "management.azure.com", "https://"),
        ("AZURE_CLIENT_ID", "my-identity", "GUID"),
    ],
)
def test_a_bad_value_is_named_with_its_cure(name: str, text: str, cure: str) -> None:
    """One wrong value is one fault, which begins with the setting's name and has what it must be."""
    scope = {} if name == "REFRESH_MANAGEMENT_GROUP" else _SCOPE
    with pytest.raises(SettingsError) as raised:
        Settings.from_env({**scope, name: text})
    (fault,) = raised.value.faults
    assert fault.startswith(name)
    assert cure in fault


def test_all_faults_are_reported_at_once() -> None:
    """One error has every wrong setting, so that one deployment corrects all."""
    env = {setting.name: "?" for setting in SETTINGS}
    with pytest.raises(SettingsError) as raised:
        Settings.from_env(env)
    assert [fault.split("=", 1)[0] for fault in raised.value.faults] == [setting.name for setting in SETTINGS]
    assert all(setting.name in str(raised.value) for setting in SETTINGS)


@pytest.mark.parametrize(
    "env", [{}, {**_SCOPE, "REFRESH_MANAGEMENT_GROUP": "landing"}, {"REFRESH_SUBSCRIPTIONS": " , "}]
)
def test_the_scope_is_set_exactly_once(env: dict[str, str]) -> None:
    """Subscriptions or a management group: neither and both are faults that name both."""
    with pytest.raises(SettingsError) as raised:
        Settings.from_env(env)
    (fault,) = raised.value.faults
    assert "REFRESH_SUBSCRIPTIONS" in fault
    assert "REFRESH_MANAGEMENT_GROUP" in fault


def test_trusting_galleries_only_needs_a_gallery() -> None:
    """Gallery trust without a gallery would refuse every swap, so it is a fault."""
    with pytest.raises(SettingsError, match="REFRESH_GALLERIES"):
        Settings.from_env({**_SCOPE, "REFRESH_DISK_TRUST": "gallery"})
    assert Settings.from_env({**_SCOPE, "REFRESH_DISK_TRUST": "gallery", "REFRESH_GALLERIES": _GALLERY}).galleries


@pytest.mark.parametrize(
    ("endpoint", "scope"),
    [
        ("https://management.azure.com", "https://management.azure.com/.default"),
        ("https://management.usgovcloudapi.net", "https://management.core.usgovcloudapi.net/.default"),
        ("https://management.chinacloudapi.cn", "https://management.chinacloudapi.cn/.default"),
        ("http://127.0.0.1:1", "https://management.azure.com/.default"),
    ],
)
def test_a_token_is_for_the_cloud_in_use(endpoint: str, scope: str) -> None:
    """Each cloud has its own scope; a simulator takes the public cloud's."""
    assert Settings.from_env({**_SCOPE, "REFRESH_ARM_ENDPOINT": endpoint}).token_scope == scope


def test_the_defaults_are_good_settings() -> None:
    """The defaults that the table gives a host for its timer bindings are valid settings."""
    assert Settings.from_env({**_SCOPE, **defaults()}) == Settings.from_env(_SCOPE)


def test_a_local_run_publishes_to_this_machine_only() -> None:
    """A topic in Azure is refused while ARM is a simulator: a local run sends nothing to other machines."""
    env = {"REFRESH_SUBSCRIPTIONS": _SUBSCRIPTION, "REFRESH_ARM_ENDPOINT": "http://127.0.0.1:1"}
    with pytest.raises(SettingsError, match="REFRESH_OUTCOME_TOPIC: must be this machine"):
        Settings.from_env({**env, "REFRESH_OUTCOME_TOPIC": _TOPIC})
    Settings.from_env({**env, "REFRESH_OUTCOME_TOPIC": "http://127.0.0.1:1/api/events"})
