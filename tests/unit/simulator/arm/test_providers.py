"""Resource providers: what a subscription is registered for, and Azure's words where it is not."""

from __future__ import annotations

import asyncio

import pytest

from tests.unit.simulator.arm.azure import COMPUTE, SUB, VM1, Azure, linux_vm, told

SUBSCRIPTION = f"/subscriptions/{SUB}"
HEALTH = f"{SUBSCRIPTION}/providers/Microsoft.ResourceHealth"
STATUS = f"{VM1}/providers/Microsoft.ResourceHealth/availabilityStatuses/current"
WITHOUT = {"id": SUBSCRIPTION, "_notRegistered": ["Microsoft.ResourceHealth"]}


async def state(azure: Azure, provider: str = HEALTH) -> str:
    return str((await azure.arm("GET", provider)).body["registrationState"])


def test_a_provider_that_is_not_registered_answers_nothing() -> None:
    """409 in Azure's words with the namespace in its details, and no other provider is concerned."""

    async def story(azure: Azure) -> None:
        assert await state(azure) == "NotRegistered"
        assert await state(azure, f"{SUBSCRIPTION}/providers/microsoft.compute") == "Registered"
        refused = await azure.arm("GET", STATUS)
        assert (refused.status, refused.code) == (409, "MissingSubscriptionRegistration")
        assert "not registered to use namespace 'Microsoft.ResourceHealth'" in refused.message
        assert refused.body["error"]["details"][0]["target"] == "Microsoft.ResourceHealth"
        assert (await azure.arm("GET", VM1)).status == 200
        assert "_notRegistered" not in (await azure.arm("GET", SUBSCRIPTION)).body

    told(story, [linux_vm(), WITHOUT])


def test_registering_takes_a_while() -> None:
    """It is `Registering` first, can be asked for twice, and then the provider answers; unregistering takes it away."""

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

    told(story, [linux_vm(), WITHOUT])


def test_the_list_of_providers_has_their_states() -> None:
    """What `az provider list` reads; each namespace stands there once."""

    async def story(azure: Azure) -> None:
        listed = (await azure.arm("GET", f"{SUBSCRIPTION}/providers")).body["value"]
        states = {each["namespace"]: each["registrationState"] for each in listed}
        assert len(states) == len(listed)
        assert states["Microsoft.ResourceHealth"] == "NotRegistered"
        assert {states[name] for name in ("Microsoft.App", "Microsoft.Compute", "Microsoft.EventGrid")} == {
            "Registered"
        }

    told(story, [linux_vm(), WITHOUT])


def test_a_subscription_without_the_compute_provider_has_no_list_of_vms() -> None:
    """Lists are refused as single reads are, in this subscription alone."""
    other = "/subscriptions/00000000-0000-4000-8000-0000000000aa"

    async def story(azure: Azure) -> None:
        refused = await azure.arm("GET", f"{other}/providers/Microsoft.Compute/virtualMachines")
        assert (refused.status, refused.code) == (409, "MissingSubscriptionRegistration")
        assert (await azure.arm("GET", f"{COMPUTE}/virtualMachines")).status == 200

    told(story, [linux_vm(), {"id": other, "_notRegistered": ["Microsoft.Compute"]}])


@pytest.mark.parametrize("said", ["Microsoft.Compute", [7], ["Microsoft.Authorization"], None])
def test_a_scenario_can_only_name_providers_that_may_be_missing(said: object) -> None:
    """Anything else is refused by name, and a reset registers everything again."""

    async def story(azure: Azure) -> None:
        reply = await azure.sim("PUT", "resources", [{"id": SUBSCRIPTION, "_notRegistered": said}])
        assert (reply.status, "_notRegistered" in reply.message) == (400, True)
        await azure.sim("POST", "reset", {"scenario": "empty"})
        await azure.sim("PUT", "resources", [linux_vm()])
        assert await state(azure) == "Registered"

    told(story, [linux_vm(), WITHOUT])
