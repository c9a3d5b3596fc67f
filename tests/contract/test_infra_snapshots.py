"""The resources of a deployment, as the compiler evaluates it: they match the snapshots, and none is made twice."""

from __future__ import annotations

import difflib
from collections import Counter
from typing import Any

import pytest

from tests.commands.snapshots import NAMES, kept
from tests.support.infra.bicep import INFRA, OTHER, OWN, CompilerError, Resource, Snapshot, deployment, example

SUBNETS = (
    f"/subscriptions/{OWN}/resourceGroups/{{group}}/providers/Microsoft.Network/virtualNetworks/vnet/subnets/{{name}}"
)
VHDS = f"/subscriptions/{OWN}/resourceGroups/rg-vhds/providers/Microsoft.Storage/storageAccounts/vhds"
OWN_GROUP = "rg-vm-refresh-example"
DEPLOYMENTS: dict[str, dict[str, Any]] = {
    "nothing but the defaults": {},
    "the own subscription alone": {"fleetSubscriptions": OWN},
    "another subscription alone": {"fleetSubscriptions": OTHER},
    "one subscription named twice": {"fleetSubscriptions": f"{OWN.upper()}, {OTHER}, {OWN}, {OTHER.upper()}"},
    "a management group": {"managementGroup": "fleet", "recipeBuilds": True},
    "recipes beside the fleet": {"fleetSubscriptions": OWN, "recipeBuilds": True, "retentionDeletes": True},
    "a group named twice": {
        "swapGroups": [{"subscriptionId": OWN, "name": "rg-web"}, {"subscriptionId": OWN.upper(), "name": "RG-Web"}]
    },
    "subnets of one group, and of the own one": {
        "recipeBuilds": True,
        "otherBuildSubnets": ",".join(
            SUBNETS.format(group=group, name=name)
            for group, name in (("rg-north", "a"), ("RG-North", "b"), (OWN_GROUP, "c"))
        ),
    },
    "an account named twice": {
        "vhdStorageAccounts": f"{VHDS},{VHDS.upper().replace('/SUBSCRIPTIONS', '/subscriptions')}"
    },
    "the scheduler": {"durableBackend": "scheduler"},
    "function keys": {"apiAuth": "key", "apiClientId": ""},
}


def twice(made: Snapshot) -> list[str]:
    """The ids of more than one resource; Azure ignores case in ids."""
    return [each for each, times in Counter(resource.id.lower() for resource in made.resources).items() if times > 1]


def subscription_of(resource: Resource) -> str:
    return resource.id.split("/")[2]


@pytest.mark.parametrize("name", NAMES)
def test_an_example_matches_its_snapshot(name: str) -> None:
    """A change of infra/ appears as a change of a snapshot; `make snapshots` writes it."""
    before, now = kept(name).read_text().splitlines(), example(name).text.splitlines()
    change = list(difflib.unified_diff(before, now, "kept", "now", lineterm="", n=2))
    assert change[:60] == [], "make snapshots, and read the difference"


@pytest.mark.parametrize("name", NAMES)
def test_no_example_makes_a_resource_twice(name: str) -> None:
    """Two deployments fail when they write the same resource at the same time."""
    assert twice(example(name)) == []


@pytest.mark.parametrize("parameters", DEPLOYMENTS.values(), ids=DEPLOYMENTS)
def test_no_deployment_makes_a_resource_twice(parameters: dict[str, Any]) -> None:
    """A resource that is named twice, in upper and lower case, is made once."""
    made = deployment(**parameters)
    assert twice(made) == []
    assert len(made.resources) > 30


def test_custom_roles_are_defined_once_in_each_subscription() -> None:
    """The app's own subscription and each subscription of the fleet have each role once."""
    files = len(list((INFRA / "roles").glob("*.json")))
    for fleet, subscriptions in ((f"{OWN},{OTHER}", {OWN, OTHER}), (OTHER, {OWN, OTHER}), (OWN, {OWN}), ("", {OWN})):
        defined = deployment(fleetSubscriptions=fleet).of_type("Microsoft.Authorization/roleDefinitions")
        assert Counter(map(subscription_of, defined)) == dict.fromkeys(subscriptions, files), fleet


def test_every_subscription_of_the_fleet_is_an_output() -> None:
    """The output for the steps after the deployment has each subscription of the fleet once."""
    assert example("fleet").outputs["FLEET_SUBSCRIPTIONS"] == f"{OWN},{OTHER}"
    assert deployment().outputs["FLEET_SUBSCRIPTIONS"] == OWN
    assert deployment(managementGroup="fleet").outputs["FLEET_SUBSCRIPTIONS"] == ""


def test_more_callers_than_app_service_allows_are_refused() -> None:
    """Thirteen object ids are 500 characters, App Service's limit; one more is refused before the deployment."""
    callers = [f"{number:08}-0000-4000-8000-000000000000" for number in range(14)]
    most = deployment(apiAllowedPrincipals=",".join([*callers[:13], callers[0]]))
    (gate,) = [each for each in most.of_type("Microsoft.Web/sites/config") if each.id.endswith("/authsettingsV2")]
    policy = gate.at("properties.identityProviders.azureActiveDirectory.validation.defaultAuthorizationPolicy")
    assert policy["allowedPrincipals"]["identities"] == callers[:13]
    with pytest.raises(CompilerError, match="apiAllowedPrincipals has 14 object ids, and App Service takes 13"):
        deployment(apiAllowedPrincipals=", ".join(callers))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"apiClientId": ""}, "apiClientId is needed with apiAuth=entra"),
        ({"otherBuildSubnets": SUBNETS.format(group="rg", name="a")}, "otherBuildSubnets needs recipeBuilds"),
        ({"settings": {"REFRESH_RETENTION": "delete"}}, "REFRESH_RETENTION=delete needs retentionDeletes"),
    ],
)
def test_parameters_that_contradict_each_other_are_refused(parameters: dict[str, Any], message: str) -> None:
    """The error names the missing parameter."""
    with pytest.raises(CompilerError, match=message):
        deployment(**parameters)
