"""Resource providers: registrations of a subscription, and Azure's refusal without one."""

from __future__ import annotations

import asyncio

import pytest

from tests.unit.simulator.arm.azure import COMPUTE, SUB, VM1, Azure, linux_vm, run_story

SUBSCRIPTION = f"/subscriptions/{SUB}"
HEALTH = f"{SUBSCRIPTION}/providers/Microsoft.ResourceHealth"
STATUS = f"{VM1}/providers/Microsoft.ResourceHealth/availabilityStatuses/current"
WITHOUT = {"id": SUBSCRIPTION, "_notRegistered": ["Microsoft.ResourceHealth"]}


async def state(azure: Azure, provider: str = HEALTH) -> str:
    return str((await azure.arm("GET", provider)).body["registrationState"])


def test_requests_to_an_unregistered_provider_are_refused() -> None:
    """The refusal is Azure's 409 with the namespace in its details; other providers answer."""

    async def story(azure: Azure) -> None:
        assert await state(azure) == "NotRegistered"
        assert await state(azure, f"{SUBSCRIPTION}/providers/microsoft.compute") == "Registered"
        refused = await azure.arm("GET", STATUS)
        assert (refused.status, refused.code) == (409, "MissingSubscriptionRegistration")
        assert "not registered to use namespace 'Microsoft.ResourceHealth'" in refused.message
        assert refused.body["error"]["details"][0]["target"] == "Microsoft.ResourceHealth"
        assert (await azure.arm("GET", VM1)).status == 200
        assert "_notRegistered" not in (await azure.arm("GET", SUBSCRIPTION)).body

    run_story(story, [linux_vm(), WITHOUT])


def test_registering_takes_a_while() -> None:
    """A provider is `Registering` for a minute, also after a second request, then answers until it is unregistered."""

    async def story(azure: Azure) -> None:
        assert (await azure.arm("POST", f"{HEALTH}/register")).body["registrationState"] == "Registering"
        assert (await azure.arm("GET", STATUS)).status == 409
        await asyncio.sleep(50)
        assert (await azure.arm("POST", f"{HEALTH}/register")).body["registrationState"] == "Registering"
        await asyncio.sleep(11)
        assert await state(azure) == "Registered"
        assert (await azure.arm("GET", STATUS)).status == 200
        assert (await azure.arm("POST", f"{HEALTH}/unregister")).body["registrationState"] == "Unregistered"
        assert (await azure.arm("GET", STATUS)).status == 409

    run_story(story, [linux_vm(), WITHOUT])


def test_the_list_of_providers_has_their_states() -> None:
    """The list that `az provider list` reads has each namespace once."""

    async def story(azure: Azure) -> None:
        listed = (await azure.arm("GET", f"{SUBSCRIPTION}/providers")).body["value"]
        states = {each["namespace"]: each["registrationState"] for each in listed}
        assert len(states) == len(listed)
        assert states["Microsoft.ResourceHealth"] == "NotRegistered"
        assert {states[name] for name in ("Microsoft.App", "Microsoft.Compute", "Microsoft.EventGrid")} == {
            "Registered"
        }

    run_story(story, [linux_vm(), WITHOUT])


def test_a_subscription_without_the_compute_provider_has_no_list_of_vms() -> None:
    """Lists are refused like single reads, only in this subscription."""
    other = "/subscriptions/00000000-0000-4000-8000-0000000000aa"

    async def story(azure: Azure) -> None:
        refused = await azure.arm("GET", f"{other}/providers/Microsoft.Compute/virtualMachines")
        assert (refused.status, refused.code) == (409, "MissingSubscriptionRegistration")
        assert (await azure.arm("GET", f"{COMPUTE}/virtualMachines")).status == 200

    run_story(story, [linux_vm(), {"id": other, "_notRegistered": ["Microsoft.Compute"]}])


@pytest.mark.parametrize("names", ["Microsoft.Compute", [7], ["Microsoft.Authorization"], None])
def test_a_scenario_can_only_name_providers_that_may_be_missing(names: object) -> None:
    """Other values are refused, and a reset registers every provider again."""

    async def story(azure: Azure) -> None:
        reply = await azure.sim("PUT", "resources", [{"id": SUBSCRIPTION, "_notRegistered": names}])
        assert (reply.status, "_notRegistered" in reply.message) == (400, True)
        await azure.sim("POST", "reset", {"scenario": "empty"})
        await azure.sim("PUT", "resources", [linux_vm()])
        assert await state(azure) == "Registered"

    run_story(story, [linux_vm(), WITHOUT])
