"""Makes events in the Event Grid schema.

Decides the content of the event that a subscription's system topic has for a write. Does not deliver it. An event
contains no tag or other part of the resource: real events do not.
https://learn.microsoft.com/azure/event-grid/event-schema-subscriptions
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from simulator.arm.core.write_events import WriteEvent

VALIDATION_EVENT = "Microsoft.EventGrid.SubscriptionValidationEvent"

# Real events name the caller in their claims, which must not be logged: personal values here make a leak visible.
_SAMPLE_CLAIMS = {
    "aud": "https://management.core.windows.net/",
    "iss": "https://sts.windows.net/sample/",
    "appid": "c44b4083-3bb0-49c1-b47d-974e53cbdf3c",
    "ipaddr": "203.0.113.7",
    "name": "Pat Sample",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name": "pat.sample@example.com",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname": "Sample",
    "http://schemas.microsoft.com/identity/claims/scope": "user_impersonation",
}
_NOUNS = {"write": "Write", "delete": "Delete", "action": "Action"}


def event_of(write: WriteEvent, tenant_id: str) -> dict[str, Any]:
    """The event of one write. Subject and resourceUri are the resource; authorization has the tags scope if any."""
    subscription = _subscription(write.resource_id)
    outcome = "Success" if write.status == "Succeeded" else "Failure"
    return {
        "id": str(uuid.uuid4()),
        "topic": f"/subscriptions/{subscription}",
        "subject": write.resource_id,
        "eventType": f"Microsoft.Resources.Resource{_NOUNS[write.kind]}{outcome}",
        "eventTime": _stamp(write.at),
        "dataVersion": "2",
        "metadataVersion": "1",
        "data": {
            "authorization": {
                "scope": write.scope,
                "action": write.operation_name,
                "evidence": {"role": "Subscription Admin"},
            },
            "claims": dict(_SAMPLE_CLAIMS),
            "correlationId": write.correlation_id,
            **_http_request(write),
            "resourceProvider": write.operation_name.split("/")[0],
            "resourceUri": write.resource_id,
            "operationName": write.operation_name,
            "status": write.status,
            "subscriptionId": subscription,
            "tenantId": tenant_id,
        },
    }


def validation_event(code: str, at: datetime) -> dict[str, Any]:
    """The event of the validation handshake."""
    return {
        "id": str(uuid.uuid4()),
        "topic": "/subscriptions/00000000-0000-0000-0000-000000000000",
        "subject": "",
        "eventType": VALIDATION_EVENT,
        "eventTime": _stamp(at),
        "dataVersion": "2",
        "metadataVersion": "1",
        "data": {"validationCode": code},
    }


def _http_request(write: WriteEvent) -> dict[str, Any]:
    # Documented for updates and deletes only. A PUT may be a creation, so httpRequest is left out for it.
    if write.method == "PUT":
        return {}
    request = {
        "clientRequestId": write.client_request_id or "",
        "clientIpAddress": "203.0.113.7",
        "method": write.method,
        "url": write.url,
    }
    return {"httpRequest": request}


def _subscription(resource_id: str) -> str:
    parts = resource_id.split("/")
    return parts[2] if len(parts) > 2 and parts[1].lower() == "subscriptions" else ""


def _stamp(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
