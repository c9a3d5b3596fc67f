"""The check of a subscription's registrations for resource providers."""

from __future__ import annotations

from refresh.domain.health.ladder import RungName
from refresh.domain.selfcheck.registration import judge_registrations, needed_providers

HEALTH, EVENTS, COMPUTE = "Microsoft.ResourceHealth", "Microsoft.EventGrid", "Microsoft.Compute"
ALL = needed_providers((RungName.AGENT, RungName.RESOURCE_HEALTH), has_vms=True)


def test_only_needed_providers_are_checked() -> None:
    """Resource Health is checked where its rung counts, Compute only where VMs could not be listed."""
    assert [need.namespace for need in ALL] == [HEALTH, EVENTS]
    assert [need.namespace for need in needed_providers((RungName.AGENT,), has_vms=True)] == [EVENTS]
    assert [need.namespace for need in needed_providers((RungName.AGENT,), has_vms=False)] == [COMPUTE, EVENTS]


def test_a_missing_provider_that_swaps_need_fails_with_its_cure() -> None:
    """The message names the loss and the cure is the command; `Registering` counts as missing."""
    for state in ("NotRegistered", "Unregistered", "Registering"):
        found = judge_registrations("sub", ALL, {HEALTH: state, EVENTS: "Registered"}, {})
        assert not found.ok
        assert found.message == f"{HEALTH} is {state}: the health rung resource-health shows nothing"
        assert found.cure == f"az provider register --subscription sub --namespace {HEALTH} --wait"


def test_missing_events_are_reported_and_stop_no_swap() -> None:
    """The sweep finds every edit, so swaps do not wait for the registration."""
    found = judge_registrations("sub", ALL, {HEALTH: "registered", EVENTS: "NotRegistered"}, {})
    assert found.ok
    assert "only the sweep finds edits" in found.message
    assert EVENTS in str(found.cure)


def test_an_unread_registration_is_reported_and_stops_no_swap() -> None:
    """An unknown state is no failure; the message has the reason and the page to read."""
    found = judge_registrations("sub", ALL, {EVENTS: "Registered"}, {HEALTH: "AuthorizationFailed: no"})
    assert found.ok
    assert found.message == f"whether {HEALTH} is registered could not be read: AuthorizationFailed: no"
    assert "docs/permissions.md" in str(found.cure)


def test_all_there_has_no_cure() -> None:
    """The row of a subscription without missing registrations names the checked providers."""
    found = judge_registrations("sub", ALL, {HEALTH: "Registered", EVENTS: "Registered"}, {})
    assert (found.ok, found.message, found.cure) == (True, f"registered for {HEALTH}, {EVENTS}", None)
