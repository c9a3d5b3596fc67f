"""Settings and gateways are made once for each process and event loop, at their first use."""

from __future__ import annotations

import asyncio
import dataclasses
import subprocess
import sys
from collections.abc import Iterator

import pytest

from refresh import wiring
from refresh.gateways.gateways import Gateways
from refresh.settings.settings import SettingsError
from simulator.clock import Clock, run

_SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("REFRESH_SUBSCRIPTIONS", _SUBSCRIPTION)
    yield
    asyncio.run(wiring.close())


async def _wired() -> Gateways:
    return wiring.gateways()


def test_one_event_loop_has_one_set_of_gateways() -> None:
    """All callers on a loop share its connections; another loop has its own."""

    async def twice(_: Clock) -> tuple[Gateways, Gateways]:
        found = wiring.gateways(), wiring.gateways()
        await wiring.close()
        return found

    first, again = run(twice, Clock("virtual"))
    other, _ = run(twice, Clock("virtual"))
    assert first is again
    assert other is not first


def test_gateways_of_ended_loops_are_dropped() -> None:
    """The gateways of a loop that ended without closing are dropped."""

    async def main(_: Clock) -> int:
        wiring.gateways()
        return len(wiring._wired.gateways)

    assert [run(main, Clock("virtual")) for _ in range(3)] == [1, 1, 1]


def test_a_fault_in_the_settings_is_raised_at_every_use_until_it_is_cured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each use raises the fault until the environment is right."""
    monkeypatch.setenv("REFRESH_MAX_SWAPS", "1000")
    for _ in range(2):
        with pytest.raises(SettingsError, match="REFRESH_MAX_SWAPS"):
            wiring.settings()
    with pytest.raises(SettingsError):
        asyncio.run(_wired())
    monkeypatch.setenv("REFRESH_MAX_SWAPS", "7")
    assert wiring.settings().max_swaps == 7


def test_plain_http_is_refused_for_other_hosts() -> None:
    """A token is never sent over plain http, even with settings made without their parsers."""
    elsewhere = dataclasses.replace(wiring.settings(), arm_endpoint="http://management.azure.com")
    with pytest.raises(SettingsError, match="plain http"):
        wiring.connect(elsewhere)


def test_plain_http_is_refused_for_the_topic_of_another_host() -> None:
    """Events and their token go over plain http to this machine only; without a setting there is no topic."""
    elsewhere = dataclasses.replace(wiring.settings(), outcome_topic="http://t.eventgrid.azure.net/api/events")
    with pytest.raises(SettingsError, match="REFRESH_OUTCOME_TOPIC"):
        wiring.connect(elsewhere)
    assert wiring.connect(wiring.settings()).topic is None


def test_a_simulator_without_an_identity_endpoint_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A real identity's token is neither requested nor sent when ARM is a process on this machine."""
    for name in ("IDENTITY_ENDPOINT", "AZURE_POD_IDENTITY_AUTHORITY_HOST"):
        monkeypatch.delenv(name, raising=False)
    local = dataclasses.replace(wiring.settings(), arm_endpoint="http://127.0.0.1:1")
    with pytest.raises(SettingsError, match="IDENTITY_ENDPOINT"):
        wiring.connect(local)


@pytest.mark.parametrize(
    "env",
    [
        {"IDENTITY_ENDPOINT": "http://169.254.255.2:8081/msi/token"},
        {"IDENTITY_ENDPOINT": "https://127.0.0.1@identity.example/token"},
        {"IDENTITY_ENDPOINT": "https://identity.example", "AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:1"},
        {"AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://169.254.169.254"},
        {"AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:1", "MSI_ENDPOINT": "http://127.0.0.1:50342"},
        {"AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:1", "AZURE_FEDERATED_TOKEN_FILE": "/token"},
    ],
)
def test_a_simulator_with_a_real_identity_is_refused(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The identity endpoint that azure-identity would choose must be on this machine, and a simulator's."""
    for name in ("IDENTITY_ENDPOINT", "AZURE_POD_IDENTITY_AUTHORITY_HOST", "MSI_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    local = dataclasses.replace(wiring.settings(), arm_endpoint="http://127.0.0.1:1")
    with pytest.raises(SettingsError, match="IDENTITY_ENDPOINT"):
        wiring.connect(local)


def test_settings_are_read_once_until_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A change of the environment counts from the next start."""
    first = wiring.settings()
    monkeypatch.setenv("REFRESH_MAX_SWAPS", "7")
    assert wiring.settings() is first
    asyncio.run(wiring.close())
    assert wiring.settings().max_swaps == 7


def test_importing_the_wiring_needs_no_environment_and_opens_nothing() -> None:
    """Importing the app reads no setting, makes no client and causes no warning."""
    code = "import refresh.wiring as w; assert w._wired.settings is None and not w._wired.gateways"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], env={}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
