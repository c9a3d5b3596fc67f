"""Resource providers are registered before a deployment, against a scripted `az`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.infra.scripted_cli import Cli
from tools import providers
from tools.providers import FLEET, OWN, plan_registrations, register
from tools.shared.azure_cli import CliError

ENV = {"AZURE_SUBSCRIPTION_ID": "app-sub", "REFRESH_SUBSCRIPTIONS": "one, two"}


def states(*missing: str, state: str = "NotRegistered") -> list[dict[str, Any]]:
    """The answer of `az provider list` when only these are missing."""
    every = sorted({*OWN, *FLEET})
    return [{"namespace": one, "state": state if one in missing else "Registered"} for one in every]


def begun(cli: Cli) -> list[tuple[str, str]]:
    """Subscription and namespace of every requested registration."""
    return [(call[3], call[5]) for call in cli.calls("provider register")]


def played(cli: Cli, answers: Mapping[str, Any], env: Mapping[str, str] = ENV, tries: int = 2) -> list[tuple[str, str]]:
    cli.answers(answers)
    return asyncio.run(register(env, wait_s=0.02 * tries, poll_s=0.02))


def test_only_what_is_missing_is_registered_where_it_is_needed(cli: Cli) -> None:
    """Networks of Flex Consumption in the app's subscription, Resource Health in the fleet's; nothing twice."""
    listed = {"provider list --subscription one": states(), "provider list --subscription two": states()}
    listed["provider list --subscription app-sub"] = states("Microsoft.ResourceHealth")
    assert played(cli, listed) == []
    assert begun(cli) == []
    with pytest.raises(CliError, match=r"Microsoft\.ResourceHealth in two, Microsoft\.App in app-sub"):
        played(
            cli,
            {
                "provider list --subscription one": states("Microsoft.App"),
                "provider list --subscription two": states("Microsoft.ResourceHealth"),
                "provider list --subscription app-sub": states("Microsoft.App", state="Registering"),
            },
        )
    assert sorted(begun(cli)) == [("app-sub", "Microsoft.App"), ("two", "Microsoft.ResourceHealth")]


def test_the_step_waits_until_azure_has_registered(cli: Cli) -> None:
    """Registering takes minutes: the step ends when Azure lists it as registered, not after the request."""
    cli.answers({"provider list": states("Microsoft.App"), "account show": {"id": "app-sub"}})

    async def main() -> list[tuple[str, str]]:
        waiting = asyncio.create_task(register({}, wait_s=60, poll_s=0.02))
        while len(cli.calls("provider list")) < 4:
            assert not waiting.done()
            await asyncio.sleep(0.02)
        cli.answers({"provider list": states()})
        return await waiting

    assert asyncio.run(main()) == [("app-sub", "Microsoft.App")]


def test_a_refused_registration_ends_the_step_with_azures_words(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error has Azure's message and the command; when nothing is missing there is no request to refuse."""
    for name, value in ENV.items():
        monkeypatch.setenv(name, value)
    cli.answers({"provider list": states("Microsoft.App"), "provider register": "refused"})
    assert providers.main() == 1
    printed = capsys.readouterr().err
    assert "AuthorizationFailed" in printed
    assert "provider register --subscription app-sub --namespace Microsoft.App" in printed
    cli.answers({"provider list": states(), "provider register": "refused"})
    assert providers.main() == 0


def test_a_management_group_s_subscriptions_are_registered_like_named_ones(cli: Cli) -> None:
    """The fleet is that of the deployment: named, below a management group, or the app's own subscription."""
    row = {"id": "/subscriptions/three", "type": "Microsoft.Management/managementGroups/subscriptions", "name": "three"}
    below = {"managementGroups/fleet/descendants": {"value": [row]}}
    listed = {"provider list --subscription three": states("Microsoft.ResourceHealth"), "provider list": states()}
    cli.answers(below)
    env = {"AZURE_SUBSCRIPTION_ID": "app-sub", "REFRESH_MANAGEMENT_GROUP": "fleet"}
    assert providers.subscriptions_of(env) == ("app-sub", ["three"])
    with pytest.raises(CliError, match="unusually long"):
        played(cli, {**below, **listed}, env)
    assert begun(cli) == [("three", "Microsoft.ResourceHealth")]
    assert providers.subscriptions_of({"AZURE_SUBSCRIPTION_ID": "app-sub"}) == ("app-sub", ["app-sub"])


def test_the_app_s_subscription_in_the_fleet_needs_both() -> None:
    """Its id may be written in another case: it is one subscription."""
    plan = plan_registrations("App-Sub", ["app-sub", "one"])
    assert plan == {"app-sub": tuple(sorted({*OWN, *FLEET})), "one": FLEET}
