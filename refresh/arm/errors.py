"""Turns errors of the SDK and answers of Azure into the errors of `gateways/errors.py`.

Decides which answer is NotFound, Refused or Unavailable, which part of it may be shown, and how long to wait. Does not
know the request. Messages are Azure's own without the query of any URL in them (operation URLs are signed), and contain
nothing of the request, the token or a claims challenge.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import cast

import aiohttp
from azure.core.exceptions import AzureError, ClientAuthenticationError, DecodeError, HttpResponseError
from azure.core.rest import HttpResponse

from refresh.domain.azure.refusals import policy_text
from refresh.domain.terms.encodable import encodable
from refresh.gateways.errors import GatewayError, NotFound, Refused, Unavailable

UNREADABLE = "UnreadableAnswer"
UNREACHABLE = "Unreachable"
NO_TOKEN = "NoManagedIdentityToken"  # noqa: S105 - an error's name

_MAX_MESSAGE_LENGTH = 1000
_MAX_DETAILS = 3
_URL_QUERY = re.compile(r"(https?://[^\s?'\"<>]+)\?[^\s'\"<>]*")


@contextmanager
def azure_errors() -> Iterator[None]:
    """Raise what the Azure SDK raises inside as a GatewayError, without a chain that could contain secrets."""
    try:
        yield
    except ClientAuthenticationError as fault:
        raise _from_authentication(fault) from None
    except DecodeError as fault:
        raise unreadable("its body", _status(fault)) from None
    except HttpResponseError as fault:
        raise _from_http_error(fault) from None
    except (AzureError, aiohttp.ClientError, TimeoutError, OSError) as fault:
        # The type is enough ("ServiceRequestError"); the text may contain addresses.
        raise Unavailable(UNREACHABLE, f"no answer from Azure ({type(fault).__name__})") from None
    except GatewayError:
        raise
    except Exception as fault:
        # For bodies and headers that it cannot read the SDK raises whatever its parsers raise: ValueError, zlib.error,
        # LookupError for an unknown charset, AttributeError for another shape, RecursionError for deep nesting.
        raise unreadable(f"something in it ({type(fault).__name__})") from None


def from_answer(status: int, headers: Mapping[str, str], body: str) -> GatewayError:
    """The error of an HTTP answer with this `status`, these `headers` (any case) and this text as `body`.

    404 is NotFound when it has an error code of Azure; 404 without one, 408, 429 and 5xx are Unavailable; any other
    status from 400 on is Refused. A status below 400 that the caller did not expect is an answer that cannot be read
    (Unavailable). Azure's error body, which every error of a resource provider has:
    https://learn.microsoft.com/rest/api/azure/#rest-api-error-response-format
    https://github.com/Azure/azure-resource-manager-rpc/blob/master/v1.0/common-api-details.md#error-response-content
    """
    if status < 400:
        return unreadable(f"status {status}", status)
    known, message = _code_and_message(body)
    code, message = known or f"Http{status}", _clean(message) or f"Azure answered {status} and gave no reason"
    wait_s = retry_after_s(headers)
    if status == 404 and known:
        return NotFound(code, message, status=status, retry_after_s=wait_s)
    if status in (404, 408, 429) or status >= 500:
        return Unavailable(code, message, status=status, retry_after_s=wait_s)
    return Refused(code, message, status=status, retry_after_s=wait_s)


def from_operation(body: str) -> tuple[str | None, str | None]:
    """Code and message of a failed operation's status body, fit to be shown; None where Azure gave none."""
    code, message = _code_and_message(body)
    return code, _clean(message)


def unreadable(what: str, status: int | None = None) -> Unavailable:
    """The error of an answer that cannot be read; whether the request was carried out is not known."""
    return Unavailable(UNREADABLE, f"cannot read Azure's answer: {what}", status=status)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """The seconds to wait by the server's headers; None when it gives none.

    `retry-after-ms` and `x-ms-retry-after-ms`, Retry-After as seconds or as a date (counted from the answer's Date),
    or Resource Graph's `x-ms-user-quota-resets-after` when its quota is used up.
    https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling#error-code
    https://learn.microsoft.com/azure/governance/resource-graph/concepts/guidance-for-throttled-requests
    """
    low = {name.lower(): value for name, value in headers.items()}
    for name in ("retry-after-ms", "x-ms-retry-after-ms"):
        if (milliseconds := _number(low.get(name))) is not None:
            return milliseconds / 1000
    if "retry-after" in low:
        seconds = _number(low["retry-after"])
        return seconds if seconds is not None else _seconds_between(low.get("date"), low["retry-after"])
    if low.get("x-ms-user-quota-remaining") == "0":
        return quota_resets_after_s(low)
    return None


def quota_resets_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds until Resource Graph's quota is full again (`hh:mm:ss` in the answer); None when it is not given."""
    low = {name.lower(): value for name, value in headers.items()}
    found = re.fullmatch(r"(\d+):(\d\d):(\d\d)(?:\.\d+)?", low.get("x-ms-user-quota-resets-after", ""))
    return None if found is None else int(found[1]) * 3600.0 + int(found[2]) * 60 + int(found[3])


def _from_authentication(fault: ClientAuthenticationError) -> GatewayError:
    status = _status(fault)
    if status == 401:
        return _from_http_error(fault)
    # The identity endpoint's text may repeat the request and the answer: only its status is shown.
    message = f"the managed identity gave no token ({f'status {status}' if status else type(fault).__name__})"
    return Unavailable(NO_TOKEN, message, status=status)


def _from_http_error(fault: HttpResponseError) -> GatewayError:
    response, status = cast("HttpResponse | None", fault.response), _status(fault)
    if response is None or status is None:
        return unreadable(type(fault).__name__)
    try:
        body = response.text()
    except (AzureError, ValueError, LookupError):
        body = ""
    return from_answer(status, response.headers, body)


def _status(fault: HttpResponseError) -> int | None:
    return fault.status_code if isinstance(fault.status_code, int) else None


def _code_and_message(body: str) -> tuple[str | None, str | None]:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return None, None
    if isinstance(data, dict) and isinstance(data.get("error"), dict):
        data = data["error"]
    if not isinstance(data, dict):
        return None, None
    details = data.get("details")
    errors = [data, *(details[:_MAX_DETAILS] if isinstance(details, list) else [])]
    messages = [part["message"] for part in errors if isinstance(part, dict) and isinstance(part.get("message"), str)]
    messages += [policy for part in errors if isinstance(part, dict) for policy in _policies(part)]
    code = data.get("code")
    return (encodable(code) if isinstance(code, str) and code else None), " ".join(dict.fromkeys(messages)) or None


def _policies(error: Mapping[str, object]) -> Iterator[str]:
    """The policy assignments in an error's details, to which its message only refers.

    https://github.com/Azure/azure-resource-manager-rpc/blob/master/v1.0/common-api-details.md#error-response-content
    """
    additional = error.get("additionalInfo")
    for each in additional[:_MAX_DETAILS] if isinstance(additional, list) else []:
        info = each.get("info") if isinstance(each, dict) and each.get("type") == "PolicyViolation" else None
        if isinstance(info, dict) and isinstance(info.get("policyAssignmentId"), str):
            name = info.get("policyAssignmentDisplayName") or info.get("policyAssignmentName")
            yield policy_text(str(name or info["policyAssignmentId"].rpartition("/")[2]), info["policyAssignmentId"])


def _clean(message: str | None) -> str | None:
    if message is None:
        return None
    return " ".join(_URL_QUERY.sub(r"\1", encodable(message)).split())[:_MAX_MESSAGE_LENGTH]


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and re.fullmatch(r"\d{1,9}(\.\d+)?", text.strip(), re.ASCII) else None


def _seconds_between(start: str | None, end: str) -> float | None:
    try:
        return max(0.0, (parsedate_to_datetime(end) - parsedate_to_datetime(start or "")).total_seconds())
    except (ValueError, TypeError):
        return None
