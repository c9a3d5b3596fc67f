"""The function app that infra/ deploys: its settings, the authentication of its API, its scaling."""

from __future__ import annotations

import json
import re
from typing import Any

from refresh.settings.table import SETTINGS
from simulator.functions.indexing import index_app
from tests.support.infra.bicep import INFRA, ROOT, Snapshot, built, declared, deployment

# https://github.com/Azure/azure-functions-host/blob/dev/src/WebJobs.Script/Extensions/FunctionMetadataExtensions.cs
GROUPS = {
    "http": {"httpTrigger", "eventGridTrigger"},
    "durable": {"orchestrationTrigger", "activityTrigger", "entityTrigger"},
}
# 2 GB for 730 hours at 0.000004 USD per GB and second: https://azure.microsoft.com/pricing/details/functions/
INSTANCE_USD = 2 * 730 * 3600 * 0.000004
EMPTY_GUID = "00000000-0000-0000-0000-000000000000"
# App settings of the platform and the Durable library, beside the settings of the app.
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


def config(made: Snapshot, name: str) -> Any:
    """The properties of one configuration of the app."""
    (found,) = [each for each in made.of_type("Microsoft.Web/sites/config") if each.id.endswith(f"/{name}")]
    return found.at("properties")


def test_the_app_gets_exactly_its_settings() -> None:
    """Bicep sets the app's settings with their defaults and the settings of the platform, and no other."""
    table = {setting.name: setting.default for setting in SETTINGS}
    assert json.loads((INFRA / "settings.json").read_text()) == table
    plain, scheduler = (config(deployment(durableBackend=each), "appsettings") for each in ("storage", "scheduler"))
    assert set(plain) == set(table) | PLATFORM_SETTINGS
    assert set(scheduler) == set(table) | PLATFORM_SETTINGS | SCHEDULER_SETTINGS
    typed = set(declared(INFRA / "types.bicep", "definitions")["settings"]["properties"])
    computed = set(table) - typed
    assert typed < set(table)
    assert {name for name in typed if plain[name] != table[name]} == {"REFRESH_SELFCHECK"}
    assert computed == {
        "AZURE_CLIENT_ID",
        "REFRESH_API_AUTH",
        "REFRESH_BUILD_SUBNETS",
        "REFRESH_GALLERIES",
        "REFRESH_MANAGEMENT_GROUP",
        "REFRESH_OUTCOME_TOPIC",
        "REFRESH_SUBSCRIPTIONS",
    }


def test_an_operator_may_set_every_typed_setting() -> None:
    """A value in `settings` replaces the default."""
    typed = dict.fromkeys(declared(INFRA / "types.bicep", "definitions")["settings"]["properties"], "ours")
    given = config(deployment(settings=typed), "appsettings")
    assert {name: given[name] for name in typed} == typed


def test_a_deployment_requires_a_self_check_unless_it_is_set_to_off() -> None:
    """Bicep requires the self-check, which is off by default, and `settings` can set it to `off`."""
    assert config(deployment(), "appsettings")["REFRESH_SELFCHECK"] == "required"
    assert config(deployment(settings={"REFRESH_SELFCHECK": "off"}), "appsettings")["REFRESH_SELFCHECK"] == "off"


def test_host_json_gets_the_values_it_refers_to() -> None:
    """Each `%NAME%` in host.json is an app setting in Bicep."""
    named = set(re.findall(r"%([A-Za-z_]+)%", (ROOT / "host.json").read_text()))
    assert named <= PLATFORM_SETTINGS


def test_the_api_is_closed_before_its_routes_open() -> None:
    """With Entra every path but the one of Event Grid needs a token of an allowed principal, set before the routes."""
    gate = config(deployment(), "authsettingsV2")
    assert gate["platform"]["enabled"] is True
    validation = gate["globalValidation"]
    assert (validation["requireAuthentication"], validation["unauthenticatedClientAction"]) == (True, "Return401")
    assert {path.lower() for path in validation["excludedPaths"]} == {"/runtime/webhooks/eventgrid"}
    entra = gate["identityProviders"]["azureActiveDirectory"]
    assert entra["validation"]["allowedAudiences"] == ["api://client", "client"]
    assert entra["validation"]["defaultAuthorizationPolicy"]["allowedPrincipals"]["identities"] == [EMPTY_GUID]
    assert set(entra["registration"]) == {"openIdIssuer", "clientId"}
    assert (
        "site::authentication"
        in built(INFRA / "modules" / "app.bicep").made["resources"]["site::settings"]["dependsOn"]
    )


def test_with_function_keys_app_service_requires_no_token() -> None:
    """With apiAuth=key the routes require a key, and App Service requires nothing."""
    keys = deployment(apiAuth="key", apiClientId="")
    assert config(keys, "authsettingsV2")["globalValidation"]["unauthenticatedClientAction"] == "AllowAnonymous"
    assert config(keys, "appsettings")["REFRESH_API_AUTH"] == "key"


def test_functions_of_a_tag_edit_are_always_ready() -> None:
    """alwaysReady has the host's group of each function that handles a tag edit."""
    group_of = {trigger: group for group, triggers in GROUPS.items() for trigger in triggers}
    used = {group_of[each.trigger["type"]] for each in index_app(ROOT) if each.trigger["type"] != "timerTrigger"}
    site = "Microsoft.Web/sites"
    path = "properties.functionAppConfig.scaleAndConcurrency.alwaysReady"
    (awake,), (asleep,) = (deployment(alwaysReady=each).of_type(site) for each in (2, 0))
    assert {each["name"]: each["instanceCount"] for each in awake.at(path)} == dict.fromkeys(used, 2)
    assert asleep.at(path) == []


def test_an_instance_takes_many_requests_at_once() -> None:
    """The default for Python is one request per instance; the app's handlers are async, so an instance takes many."""
    (site,) = deployment().of_type("Microsoft.Web/sites")
    triggers = site.at("properties.functionAppConfig.scaleAndConcurrency.triggers")
    assert triggers == {"http": {"perInstanceConcurrency": 100}}


def test_the_prices_of_ready_instances_count_every_group() -> None:
    """docs/deploy.md prices one instance of each group for alwaysReady, and two of each group and timer for zones."""
    page = (ROOT / "docs" / "deploy.md").read_text()
    priced = {
        name: int(price)
        for name, price in re.findall(r"^\| `(alwaysReady|zoneRedundant).*\| (\d+) \|$", page, re.MULTILINE)
    }
    timers = sum(each.trigger["type"] == "timerTrigger" for each in index_app(ROOT))
    assert priced == {
        "alwaysReady": round(len(GROUPS) * INSTANCE_USD),
        "zoneRedundant": round(2 * (len(GROUPS) + timers) * INSTANCE_USD, -1),
    }
