"""What infra/ must never deploy: keys, open doors, invented roles, settings nobody knows."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from refresh.domain import hints
from refresh.setting_table import SETTINGS
from simulator.eventgrid.filters import DEFAULT
from simulator.functions.indexing import index_app
from tests.support.bicep import FILES, INFRA, ROOT, Resource, declared, literals, of_type, plain, resources

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
NOBODY = "00000000-0000-0000-0000-000000000000"
# What the platform and the Durable library are told beside the settings of the app.
PLATFORM_SETTINGS = {
    "TASK_HUB_NAME",
    "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__clientId",
    "AzureWebJobsStorage__blobServiceUri",
    "AzureWebJobsStorage__queueServiceUri",
    "AzureWebJobsStorage__tableServiceUri",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "AzureWebJobs.BuiltIn__HttpActivity.Disabled",
    "AzureWebJobs.BuiltIn__HttpPollOrchestrator.Disabled",
}
SCHEDULER_SETTINGS = {
    "DURABLE_TASK_SCHEDULER_CONNECTION_STRING",
    "AzureFunctionsJobHost__extensions__durableTask__storageProvider__type",
    "AzureFunctionsJobHost__extensions__durableTask__storageProvider__connectionStringName",
}
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


@pytest.mark.parametrize("kind", CLOSED)
def test_keys_are_off_and_doors_are_closed(kind: str) -> None:
    """Every resource of the kind has the settings that keep it without keys and without plain text."""
    found = of_type(kind)
    assert found
    for resource in found:
        assert {path: resource.at(path) for path in CLOSED[kind]} == CLOSED[kind], resource.file


def test_only_known_built_in_roles_are_given() -> None:
    """A GUID in the files is a built-in role that exists, or nobody at all."""
    found = {match[0].lower() for path in FILES for text in literals(path) for match in GUID.finditer(text)}
    assert found - {NOBODY} == set(BUILT_IN_ROLES)


def test_roles_are_given_to_principals_of_a_stated_type() -> None:
    """Without its type an assignment fails while a new identity is still spreading."""
    for resource in of_type("Microsoft.Authorization/roleAssignments"):
        assert resource.at("properties.principalType") == "ServicePrincipal", resource.file


def test_what_takes_tags_is_tagged() -> None:
    """Everything with a location, and so with a bill, carries the tags."""
    billed = [resource for resource in resources() if "location" in resource.body and not resource.existing]
    assert len(billed) > 12
    assert [resource.name for resource in billed if "tags" not in resource.body] == []


def test_nothing_is_public_but_the_way_out() -> None:
    """The one public address belongs to the NAT gateway, which build VMs go out by; nobody comes into a subnet."""
    network = (INFRA / "modules" / "network.bicep").read_text()
    assert len(of_type("Microsoft.Network/publicIPAddresses")) == 1
    (wall,) = of_type("Microsoft.Network/networkSecurityGroups")
    (rule,) = wall.at("properties.securityRules")
    assert {rule["properties"][key] for key in ("access", "direction")} == {"Deny", "Inbound"}
    assert network.count("networkSecurityGroup: { id: nobodyIn.id }") == network.count("addressPrefix: cidrSubnet")


def _config(name: str) -> Resource:
    (found,) = [each for each in of_type("Microsoft.Web/sites/config") if each.body["name"] == name]
    return found


def test_the_app_is_given_exactly_its_settings() -> None:
    """Settings in Bicep are the table of the app with its defaults, and what the platform needs; nothing else."""
    table = {setting.name: setting.default for setting in SETTINGS}
    assert json.loads((INFRA / "settings.json").read_text()) == table
    told = set(re.findall(r"^ {8,12}'?([A-Za-z_.]+)'?: ", _settings_block(), re.MULTILINE))
    computed = set(re.findall(r"^ {8}(REFRESH_[A-Z_]+):", (INFRA / "main.bicep").read_text(), re.MULTILINE))
    assert computed <= set(table)
    assert told - set(table) == PLATFORM_SETTINGS | SCHEDULER_SETTINGS
    typed = set(re.findall(r"^  ([A-Z_]+): string\?$", (INFRA / "types.bicep").read_text(), re.MULTILINE))
    assert typed == set(table) - computed - {"AZURE_CLIENT_ID", "REFRESH_API_AUTH"}


def test_a_deployment_asks_for_a_self_check_unless_told_otherwise() -> None:
    """Bicep asks for what is off on a machine of one's own, and `settings` may still say `off`."""
    text = re.sub(r"\s+", " ", (INFRA / "main.bicep").read_text())
    assert re.search(
        r"loadJsonContent\('settings.json'\), .{0,120}\{ REFRESH_SELFCHECK: 'required' \}, checkedSettings,", text
    )


def _settings_block() -> str:
    text = (INFRA / "modules" / "app.bicep").read_text()
    return text[text.index("resource settings 'config'") : text.index("output name")]


def test_host_json_gets_the_values_it_asks_for() -> None:
    """A `%NAME%` in host.json is an app setting in Bicep."""
    asked = set(re.findall(r"%([A-Za-z_]+)%", (ROOT / "host.json").read_text()))
    assert asked <= PLATFORM_SETTINGS


def test_the_api_is_closed_before_its_routes_open() -> None:
    """Under Entra every path but Event Grid's own asks for a token of somebody named, and the gate comes first."""
    gate = _config("authsettingsV2")
    excluded = gate.at("properties.globalValidation.excludedPaths")
    assert {path.lower() for path in excluded} == {"/runtime/webhooks/eventgrid"}
    text = (INFRA / "modules" / "app.bicep").read_text()
    assert "requireAuthentication: usesEntra" in text
    assert "empty(allowedPrincipals) ? nobody : allowedPrincipals" in text
    assert "dependsOn: [authentication]" in _settings_block()
    assert "clientSecret" not in text


def test_the_event_filter_is_what_the_app_and_the_simulator_expect() -> None:
    """Event types, operations and subject in Bicep are those the app reads and the simulator delivers by default."""
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
    """The destination in events.bicep is the app's one Event Grid function, and dead letters have their container."""
    (function,) = [each.name for each in index_app(ROOT) if each.trigger["type"] == "eventGridTrigger"]
    params = plain(declared(INFRA / "events.bicep", "module")["events"].body)["params"]
    assert params["functionId"].endswith(f"/functions/{function}")
    containers = {each.body["name"] for each in of_type("Microsoft.Storage/storageAccounts/blobServices/containers")}
    assert containers == {"app-package", "dead-letters"}
    assert "blobContainerName: 'dead-letters'" in (INFRA / "modules" / "event-subscription.bicep").read_text()
