"""What is missing where a subscription is not registered for a resource provider."""

from __future__ import annotations

from refresh.domain.health.ladder import RungName
from refresh.domain.selfcheck.registration import judge_registrations, needed_providers

HEALTH, EVENTS, COMPUTE = "Microsoft.ResourceHealth", "Microsoft.EventGrid", "Microsoft.Compute"
ALL = needed_providers((RungName.AGENT, RungName.RESOURCE_HEALTH), has_vms=True)


def test_only_what_can_be_missed_is_asked_about() -> None:
    """Resource Health where its rung counts; Compute only where VMs could not be listed."""
    assert [need.namespace for need in ALL] == [HEALTH, EVENTS]
    assert [need.namespace for need in needed_providers((RungName.AGENT,), has_vms=True)] == [EVENTS]
    assert [need.namespace for need in needed_providers((RungName.AGENT,), has_vms=False)] == [COMPUTE, EVENTS]


def test_a_missing_provider_that_swaps_rest_on_fails_with_its_cure() -> None:
    """The sentence says what is lost, the cure is the command; `Registering` is not there yet."""
    for state in ("NotRegistered", "Unregistered", "Registering"):
        found = judge_registrations("sub", ALL, {HEALTH: state, EVENTS: "Registered"}, {})
        assert not found.ok
        assert found.message == f"{HEALTH} is {state}: the health rung resource-health shows nothing"
        assert found.cure == f"az provider register --subscription sub --namespace {HEALTH} --wait"


def test_missing_events_are_told_and_stop_nothing() -> None:
    """The sweep finds every edit: swaps need not wait for a registration."""
    found = judge_registrations("sub", ALL, {HEALTH: "registered", EVENTS: "NotRegistered"}, {})
    assert found.ok
    assert "only the sweep finds edits" in found.message
    assert EVENTS in str(found.cure)


def test_what_could_not_be_read_is_told_and_stops_nothing() -> None:
    """Unknown is not missing; the reason and where to read on are there."""
    found = judge_registrations("sub", ALL, {EVENTS: "Registered"}, {HEALTH: "AuthorizationFailed: no"})
    assert found.ok
    assert found.message == f"whether {HEALTH} is registered could not be read: AuthorizationFailed: no"
    assert "docs/permissions.md" in str(found.cure)


def test_all_there_has_no_cure() -> None:
    """The row of a subscription where nothing is missing names what was asked about."""
    found = judge_registrations("sub", ALL, {HEALTH: "Registered", EVENTS: "Registered"}, {})
    assert (found.ok, found.message, found.cure) == (True, f"registered for {HEALTH}, {EVENTS}", None)
