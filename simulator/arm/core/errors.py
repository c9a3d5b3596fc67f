"""Every refusal of the simulated ARM, each with Azure's own status, code and message.

Decides the texts. Leaves when to raise them to the providers. Where Azure's message is not recorded or reported, the
docstring states that; the code and status are then those of the nearest known error.
"""

from __future__ import annotations

import json
from typing import Any

_NOT_FOUND_HELP = "For more details please go to https://aka.ms/ARMResourceNotFoundFix"


class ArmError(Exception):
    """A refusal: HTTP `status`, fields of ARM's error object. `by_provider`: it uses the provider's rate limits."""

    def __init__(self, status: int, code: str, message: str, target: str | None = None) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message, self.target = status, code, message, target
        self.by_provider = False
        self.headers: dict[str, str] = {}
        self.details: list[dict[str, Any]] = []
        self.inner: dict[str, Any] = {}

    def body(self) -> dict[str, Any]:
        """The JSON answer."""
        details = {"details": self.details} if self.details else {}
        inner = {"innererror": self.inner} if self.inner else {}
        return {"error": {**details, **inner, **error_object(self.code, self.message, self.target)}}


def error_object(code: str, message: str, target: str | None = None) -> dict[str, Any]:
    """ARM's error object."""
    return {"code": code, "message": message, **({"target": target} if target else {})}


def provider_error(status: int, code: str, message: str, target: str | None = None) -> ArmError:
    """A refusal by the resource provider, not by ARM's front end: its answer carries the provider's counters."""
    error = ArmError(status, code, message, target)
    error.by_provider = True
    return error


def missing_api_version() -> ArmError:
    """No api-version in the query."""
    text = "The api-version query parameter (?api-version=) is required for all requests."
    return ArmError(400, "MissingApiVersionParameter", text)


def unauthenticated(detail: str = "The access token is missing or invalid.") -> ArmError:
    """No usable bearer token."""
    return ArmError(401, "InvalidAuthenticationToken", detail)


def authorization_failed(caller: str, action: str, scope: str) -> ArmError:
    """The caller has no role that grants the action (recorded; the message names one id as client and object id)."""
    text = (
        f"The client '{caller}' with object id '{caller}' does not have authorization to perform action '{action}' "
        f"over scope '{scope}' or the scope is invalid. "
        "If access was recently granted, please refresh your credentials."
    )
    return ArmError(403, "AuthorizationFailed", text)


def linked_authorization_failed(caller: str, action: str, scope: str, missing: list[tuple[str, str]]) -> ArmError:
    """The caller may write but lacks rights on resources that the body names: `missing` are actions and ids (reported,
    https://github.com/kubernetes-sigs/azuredisk-csi-driver/pull/2610)."""
    actions, scopes = (",".join(each) for each in zip(*missing, strict=True))
    text = (
        f"The client '{caller}' with object id '{caller}' has permission to perform action '{action}' on scope "
        f"'{scope}'; however, it does not have permission to perform action(s) '{actions}' on the linked scope(s) "
        f"'{scopes}' (respectively) or the linked scope(s) are invalid."
    )
    return ArmError(403, "LinkedAuthorizationFailed", text)


def caller_throttled(subscription: str, caller: str, kind: str, retry_after_s: int) -> ArmError:
    """ARM's front end received too many requests (code recorded, message reported for the token buckets of 2024).

    https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
    """
    text = (
        f"Number of '{kind}' requests for subscription '{subscription}' actor '{caller}' exceeded. Please try again "
        f"after '{retry_after_s}' seconds after additional tokens are available. "
        "Refer to https://aka.ms/arm-throttling for additional information."
    )
    error = ArmError(429, "SubscriptionRequestsThrottled", text)
    error.headers["Retry-After"] = str(retry_after_s)
    return error


def provider_throttled(bucket: str, measured: dict[str, Any], retry_after_s: int) -> ArmError:
    """The compute provider received too many requests (reported, https://github.com/Azure/aks-engine/issues/2295)."""
    text = "The server rejected the request because too many requests have been received for this subscription."
    error = ArmError(429, "OperationNotAllowed", text)
    error.details = [{"code": "TooManyRequests", "target": bucket, "message": json.dumps(measured)}]
    error.inner = {"internalErrorCode": "TooManyRequestsReceived"}
    error.headers["Retry-After"] = str(retry_after_s)
    return error


def scope_locked(scope: str, operation: str, locked: list[str]) -> ArmError:
    """A lock at, above or below the scope blocks a write or a delete (reported, https://github.com/Azure/apiops/issues/606)."""
    text = (
        f"The scope '{scope}' cannot perform {operation} operation because following scope(s) are locked: "
        f"'{','.join(locked)}'. Please remove the lock and try again."
    )
    return ArmError(409, "ScopeLocked", text)


def invalid_content(detail: str) -> ArmError:
    """The body is not the JSON object that the operation expects."""
    text = f"The request content was invalid and could not be deserialized: '{detail}'."
    return ArmError(400, "InvalidRequestContent", text)


def missing_registration(namespace: str) -> ArmError:
    """The subscription is not registered for a resource provider (reported for many providers; for Resource Health in
    https://github.com/Azure/azure-functions-ux/pull/1473)."""
    text = (
        f"The subscription is not registered to use namespace '{namespace}'. "
        "See https://aka.ms/rps-not-found for how to register subscriptions."
    )
    error = ArmError(409, "MissingSubscriptionRegistration", text)
    error.details = [error_object("MissingSubscriptionRegistration", text, namespace)]
    return error


def group_being_deleted(group: str) -> ArmError:
    """The resource group is being deleted (reported in public logs)."""
    text = f"The resource group '{group}' is in deprovisioning state and cannot perform this operation."
    return ArmError(409, "ResourceGroupBeingDeleted", text)


def subscription_not_found(subscription: str) -> ArmError:
    """The subscription is not in this tenant."""
    return ArmError(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")


def group_not_found(group: str) -> ArmError:
    """The resource group does not exist."""
    return ArmError(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")


def resource_not_found(path_name: str, group: str | None) -> ArmError:
    """The resource does not exist: the answer of ARM's front end (recorded)."""
    where = f" under resource group '{group}'" if group else ""
    text = f"The Resource '{path_name}'{where} was not found. {_NOT_FOUND_HELP}"
    return ArmError(404, "ResourceNotFound", text)


def entity_not_found() -> ArmError:
    """The front end still routes to the resource, but the provider has deleted it (recorded)."""
    return provider_error(404, "NotFound", "The entity was not found in this Azure location.")


def parent_not_found(path_name: str) -> ArmError:
    """The parent of a nested resource does not exist."""
    text = f"Can not perform requested operation on nested resource. Parent resource '{path_name}' not found."
    return ArmError(404, "ParentResourceNotFound", text)


def nested_resources_left(path_name: str) -> ArmError:
    """A resource with nested resources cannot be deleted."""
    text = (
        f"Cannot delete resource while nested resources exist. Some existing nested resource IDs include: "
        f"'{path_name}'. Please delete all nested resources before deleting this resource."
    )
    return ArmError(409, "CannotDeleteResource", text)


def location_required() -> ArmError:
    """The body of a tracked resource has no location."""
    return ArmError(400, "LocationRequired", "The location property is required for this definition.")


def location_invalid(path_name: str, existing: str, requested: str) -> ArmError:
    """The location of a resource cannot change."""
    text = (
        f"The resource '{path_name}' already exists in location '{existing}'. A resource with the same name cannot be "
        f"created in location '{requested}'. Please select a new resource name."
    )
    return ArmError(409, "InvalidResourceLocation", text)


def method_not_allowed(method: str, path: str) -> ArmError:
    """The path exists but does not support the method."""
    return ArmError(405, "MethodNotAllowed", f"The request method '{method}' is not allowed on '{path}'.")


def precondition_failed() -> ArmError:
    """If-Match names another etag than the resource has (message not recorded)."""
    text = "The condition specified using HTTP conditional header(s) is not met."
    return provider_error(412, "ConditionNotMet", text)


def feature_not_registered(subscription: str, feature: str) -> ArmError:
    """The subscription has no access to a preview (reported: a test of https://github.com/Azure/oav has the answer)."""
    text = (
        f"Subscription '{subscription}' is not registered with the feature {feature}. Please register the subscription "
        "before retrying the call."
    )
    return provider_error(400, "BadRequest", text)


def source_not_found(kind: str, text: str) -> ArmError:
    """The source of a copy does not exist (reported for an attached disk; the message for a snapshot is by analogy)."""
    return provider_error(404, "NotFound", f"{kind} {text} is not found.")


def conflict() -> ArmError:
    """Another operation on the same resource is in progress (recorded for a scale set, reported for VMs)."""
    text = (
        "The request failed due to conflict with a concurrent request. To resolve it, please refer to "
        "https://aka.ms/activitylog to get more details on the conflicting requests."
    )
    return provider_error(409, "Conflict", text)


def preempted() -> dict[str, Any]:
    """The error of an operation that a newer operation on the same VM has ended (reported with code and message for
    updates, https://github.com/kubernetes-sigs/cloud-provider-azure/pull/1356, creations,
    https://github.com/osbuild/osbuild-composer/issues/1447, and extensions,
    https://github.com/hashicorp/terraform-provider-azurerm/issues/19558)."""
    return error_object("OperationPreempted", "Operation execution has been preempted by a more recent operation.")


def vm_not_running() -> ArmError:
    """Extensions of a VM that does not run cannot be changed (reported,
    https://github.com/hashicorp/terraform-provider-azurerm/issues/477)."""
    return not_allowed("Cannot modify extensions in the VM when the VM is not running.")


def invalid_parameter(message: str, target: str | None = None) -> ArmError:
    """A value that the provider does not accept."""
    return provider_error(400, "InvalidParameter", message, target)


def change_not_allowed(name: str) -> ArmError:
    """A property that cannot change once the VM exists (recorded for `priority`, reported for the OS disk)."""
    return provider_error(409, "PropertyChangeNotAllowed", f"Changing property '{name}' is not allowed.", name)


def not_allowed(message: str, target: str | None = None) -> ArmError:
    """The resource's state forbids the operation."""
    return provider_error(409, "OperationNotAllowed", message, target)
