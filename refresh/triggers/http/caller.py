"""Who sent a request, as far as the platform shows it. For people: no right depends on it."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

import azure.functions as func

UNKNOWN = "unknown"
_MAX = 120
# The claim of the Functions host about the function key of a request (`SecurityConstants`):
# https://github.com/Azure/azure-functions-host
_KEY_NAME = "http://schemas.microsoft.com/2017/07/functions/claims/keyid"


def caller_of(req: func.HttpRequest) -> str:
    """The caller's name, else the name of the function key, else `unknown`.

    App Service authentication sets both headers:
    https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities
    """
    name = _clean(req.headers.get("X-MS-CLIENT-PRINCIPAL-NAME"))
    if name:
        return name
    key = _clean(_key_name(req.headers.get("X-MS-CLIENT-PRINCIPAL")))
    return f"key {key}" if key else UNKNOWN


def _clean(text: object) -> str:
    return "".join(one for one in text if one.isprintable()).strip()[:_MAX] if isinstance(text, str) else ""


def _key_name(principal: str | None) -> str | None:
    """The name of the key among the claims of a principal (JSON in base64)."""
    try:
        found: Any = json.loads(base64.b64decode(principal or "", validate=True))
        claims = found["claims"]
        return next((str(one["val"]) for one in claims if one["typ"] == _KEY_NAME), None)
    except (binascii.Error, ValueError, KeyError, TypeError):
        return None
