"""infra/ deploys no keys, no public access, no unknown roles and no event subscription without a destination."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest

from refresh.domain.vm import hints
from simulator.eventgrid.filters import DEFAULT
from simulator.functions.indexing import index_app
from tests.support.infra.bicep import FILES, OWN, ROOT, Resource, Snapshot, all_resources, built, deployment, example

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
BUILT_IN_ROLES = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
    "0ad04412-c4d5-4796-b79c-f76d14c8d402": "Durable Task Data Contributor",
    "d5a91429-5739-47e2-a06b-3470a27159e7": "EventGrid Data Sender",
}
EMPTY_GUID = "00000000-0000-0000-0000-000000000000"
CLOSED: dict[str, dict[str, Any]] = {
    "Microsoft.Storage/storageAccounts": {
        "properties.allowSharedKeyAccess": False,
        "properties.allowBlobPublicAccess": False,
        "properties.defaultToOAuthAuthentication": True,
        "properties.supportsHttpsTrafficOnly": True,
        "properties.minimumTlsVersion": "TLS1_2",
    },
    "Microsoft.Web/sites": {
        "properties.httpsOnly": True,
        "properties.siteConfig.minTlsVersion": "1.2",
        "properties.siteConfig.ftpsState": "Disabled",
        "properties.siteConfig.remoteDebuggingEnabled": False,
        "identity.type": "UserAssigned",
        "properties.functionAppConfig.runtime.version": "3.13",
        "properties.functionAppConfig.deployment.storage.authentication.type": "UserAssignedIdentity",
    },
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": {"properties.allow": False},
    "Microsoft.OperationalInsights/workspaces": {"properties.features.disableLocalAuth": True},
    "Microsoft.Insights/components": {"properties.DisableLocalAuth": True},
    "Microsoft.EventGrid/topics": {
        "properties.disableLocalAuth": True,
        "properties.inputSchema": "CloudEventSchemaV1_0",
    },
    "Microsoft.EventGrid/systemTopics": {
        "identity.type": "SystemAssigned",
        "properties.topicType": "Microsoft.Resources.Subscriptions",
    },
}


@cache
def deployments() -> tuple[Snapshot, ...]:
    """Deployments with every part of infra/: optional parts, scheduler, events, roles of a management group."""
    return (example("fleet"), deployment(durableBackend="scheduler"), example("events"), example("management-group"))


def of_type(kind: str) -> list[Resource]:
    """The resources of one type in all deployments."""
    return [resource for each in deployments() for resource in each.of_type(kind)]


def test_every_module_is_in_one_of_the_deployments() -> None:
    """The deployments that this file tests have every resource type of infra/."""
    in_files = {
        each["type"].lower()
        for path in FILES
        for each in _resources(built(path).made)
        if not each.get("existing") and each["type"] != "Microsoft.Resources/deployments"
    }
    assert in_files == {resource.type.lower() for resource in all_resources(deployments())}


@pytest.mark.parametrize("kind", CLOSED)
def test_keys_and_public_access_are_off(kind: str) -> None:
    """Every resource of the type has the properties that switch off keys, public access and plain text."""
    found = of_type(kind)
    assert found
    for resource in found:
        assert {path: resource.at(path) for path in CLOSED[kind]} == CLOSED[kind], resource.id


def test_only_known_roles_are_assigned() -> None:
    """An assigned role is a known built-in role or one that the same deployment defines."""
    given = set()
    for made in deployments():
        own = {role.id.lower() for role in made.of_type("Microsoft.Authorization/roleDefinitions")}
        roles = {
            str(each.at("properties.roleDefinitionId"))
            for each in made.of_type("Microsoft.Authorization/roleAssignments")
        }
        given |= {role.rpartition("/")[2] for role in roles if role.lower() not in own}
    assert given == set(BUILT_IN_ROLES)


def test_the_files_contain_no_other_id() -> None:
    """Each GUID in a template is a built-in role or the empty GUID."""
    found = {match[0].lower() for path in FILES for match in GUID.finditer(path.read_text())}
    assert found - {EMPTY_GUID} == set(BUILT_IN_ROLES)


def test_role_assignments_have_a_principal_type() -> None:
    """Without a principal type an assignment fails while Azure still replicates a new identity."""
    given = of_type("Microsoft.Authorization/roleAssignments")
    assert len(given) > 20
    assert {each.at("properties.principalType") for each in given} == {"ServicePrincipal"}


def test_what_takes_tags_is_tagged() -> None:
    """Every resource with a location, and so with costs, has the tags, including those of the operator."""
    billed = [resource for resource in all_resources(deployments()) if "location" in resource.body]
    assert len({resource.type for resource in billed}) > 12
    assert [resource.id for resource in billed if not resource.at("tags.azd-env-name")] == []
    assert all(each.at("tags.team") == "platform" for each in example("fleet").resources if "location" in each.body)


def test_only_the_outbound_address_is_public() -> None:
    """The only public address is that of the NAT gateway for build VMs; no inbound traffic reaches a subnet."""
    (address,) = of_type("Microsoft.Network/publicIPAddresses")
    (gateway,) = of_type("Microsoft.Network/natGateways")
    assert gateway.at("properties.publicIpAddresses") == [{"id": address.id}]
    (wall,) = of_type("Microsoft.Network/networkSecurityGroups")
    (rule,) = wall.at("properties.securityRules")
    assert {rule["properties"][key] for key in ("access", "direction")} == {"Deny", "Inbound"}
    assert {
        rule["properties"][f"{end}{what}"]
        for end in ("source", "destination")
        for what in ("AddressPrefix", "PortRange")
    } == {"*"}
    (network,) = of_type("Microsoft.Network/virtualNetworks")
    subnets = {each["name"]: each["properties"] for each in network.at("properties.subnets")}
    assert set(subnets) == {"app", "builds"}
    assert all(each["networkSecurityGroup"] == {"id": wall.id} for each in subnets.values())
    assert subnets["builds"]["natGateway"] == {"id": gateway.id}


def test_the_event_filter_is_what_the_app_and_the_simulator_expect() -> None:
    """Bicep filters by the event types, operations and subjects that the app reads and the simulator delivers."""
    (events,) = of_type("Microsoft.EventGrid/systemTopics/eventSubscriptions")
    types = events.at("properties.filter.includedEventTypes")
    filters = {each["key"]: each for each in events.at("properties.filter.advancedFilters")}
    operations, subjects = filters["data.operationName"], filters["subject"]
    assert set(filters) == {"data.operationName", "subject"}
    assert (operations["operatorType"], subjects["operatorType"]) == ("StringIn", "StringContains")
    assert tuple(types) == DEFAULT.event_types
    assert tuple(operations["values"]) == DEFAULT.operation_names
    assert tuple(subjects["values"]) == DEFAULT.subject_contains
    assert {name.lower() for name in operations["values"]} == set(hints._OPERATIONS)
    assert [name.lower() for name in types] == [hints._EVENT_TYPE]
    assert events.at("properties.eventDeliverySchema") == "EventGridSchema"


def test_events_go_to_the_function_that_takes_them() -> None:
    """The destination is the app's only Event Grid function, and the container for dead letters exists."""
    (function,) = [each.name for each in index_app(ROOT) if each.trigger["type"] == "eventGridTrigger"]
    (events,) = of_type("Microsoft.EventGrid/systemTopics/eventSubscriptions")
    assert events.at("properties.destination.properties.resourceId").endswith(f"/functions/{function}")
    containers = of_type("Microsoft.Storage/storageAccounts/blobServices/containers")
    assert {each.id.rpartition("/")[2] for each in containers} == {"app-package", "dead-letters"}
    letters = events.at("properties.deadLetterWithResourceIdentity.deadLetterDestination.properties")
    assert letters["blobContainerName"] == "dead-letters"


def test_an_existing_topic_is_reused() -> None:
    """With an existing topic only the event subscription is made; dead letters need the topic's identity."""
    names = {"environmentName": "example", "location": "westeurope", "functionAppId": "/sites/f"}
    names["storageAccountId"] = f"/subscriptions/{OWN}/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/st"
    topic = {"existingTopicName": "theirs", "existingTopicGroup": "rg-theirs"}
    bare = deployment("events.bicep", **names, **topic)
    (events,) = bare.resources
    assert (
        "/resourceGroups/rg-theirs/providers/Microsoft.EventGrid/systemTopics/theirs/eventSubscriptions/" in events.id
    )
    assert events.at("properties.deadLetterWithResourceIdentity") is None
    with_identity = deployment("events.bicep", **names, **topic, existingTopicHasIdentity=True)
    assert {each.type for each in with_identity.resources} == {events.type, "Microsoft.Authorization/roleAssignments"}


def _resources(template: dict[str, Any]) -> list[dict[str, Any]]:
    """The resources of a compiled template, without those of its modules."""
    found = template["resources"]
    return list(found.values() if isinstance(found, dict) else found)
