"""Turns every failure of a request into problem details (RFC 9457).

Decides status, title and detail. Never shows an exception's text, a stack trace, a key or a query: callers put function
keys into URLs. https://www.rfc-editor.org/rfc/rfc9457
"""

from __future__ import annotations

import functools
import json
import logging
import math
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

import azure.functions as func
import grpc
from azure.durable_functions import DurableFunctionsClient

from refresh.gateways.errors import GatewayError, Unavailable
from refresh.settings.settings import SettingsError

_log = logging.getLogger(__name__)
_TYPE = "urn:azure-vm-refresh:problem:"
MEDIA_TYPE = "application/problem+json"

type Handler = Callable[[func.HttpRequest, DurableFunctionsClient], Awaitable[func.HttpResponse]]


class ProblemKind(Enum):
    """Every kind of problem: its name in `type`, its status and its title."""

    BAD_REQUEST = ("bad-request", 400, "The request has a mistake")
    AMBIGUOUS_VM = ("ambiguous-vm", 400, "A name stands for more than one VM")
    OUTSIDE_SCOPE = ("outside-scope", 400, "A VM is outside the configured subscriptions")
    UNKNOWN_VM = ("unknown-vm", 404, "There is no such VM")
    UNKNOWN_RUN = ("unknown-run", 404, "There is no such run")
    RUN_EXISTS = ("run-exists", 409, "Such a run is under way")
    RUN_UNDER_WAY = ("run-under-way", 409, "The run has not ended")
    RUN_ENDED = ("run-ended", 409, "The run has ended")
    TOO_LARGE = ("too-large", 413, "The request is too large")
    NOT_SIGNED_IN = ("not-signed-in", 401, "The caller is not signed in")
    BROKEN = ("broken", 500, "The app failed")
    AZURE_SAID_NO = ("azure-said-no", 502, "Azure refused a request of the app")
    AZURE_UNAVAILABLE = ("azure-unavailable", 503, "Azure did not answer")
    DURABLE_UNAVAILABLE = ("durable-unavailable", 503, "The app's own storage did not answer")
    WRONG_SETTINGS = ("wrong-settings", 503, "The app's settings must be corrected")


class Problem(Exception):
    """A request that is not carried out: the reason, and each fault as `{"detail", "pointer"?}`."""

    def __init__(
        self,
        kind: ProblemKind,
        detail: str,
        errors: Sequence[dict[str, str]] = (),
        *,
        retry_after_s: float | None = None,
    ) -> None:
        """`detail` is what the caller can do; `retry_after_s` is Azure's Retry-After."""
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.errors = tuple(errors)
        self.retry_after_s = retry_after_s

    def response(self, path: str) -> func.HttpResponse:
        """The answer to a request for `path`."""
        name, status, title = self.kind.value
        body: dict[str, Any] = {"type": _TYPE + name, "title": title, "status": status}
        body |= {"detail": self.detail, "instance": path}
        if self.errors:
            body["errors"] = list(self.errors)
        headers = {} if self.retry_after_s is None else {"Retry-After": str(max(1, math.ceil(self.retry_after_s)))}
        return func.HttpResponse(json.dumps(body), status_code=status, mimetype=MEDIA_TYPE, headers=headers)


def answering(handler: Handler) -> Handler:
    """`handler` with every failure turned into a problem."""

    @functools.wraps(handler)
    async def answer(req: func.HttpRequest, client: DurableFunctionsClient) -> func.HttpResponse:
        try:
            refuse_stranger(req)
            return await handler(req, client)
        except Exception as error:  # whatever happens, the caller gets an answer that can be read
            return problem_of(error, handler.__name__).response(path_of(req))

    return answer


def refuse_stranger(req: func.HttpRequest) -> None:
    """Problem unless the caller is authenticated: by the host, with a key, or by App Service authentication.

    With `entra` the routes require no key, so a request that did not pass App Service authentication is refused here as
    well. App Service removes and sets these headers itself:
    https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities
    """
    if not signs_in(os.environ):
        return
    if not is_authentication_on(os.environ) or not req.headers.get("X-MS-CLIENT-PRINCIPAL-ID"):
        raise Problem(
            ProblemKind.NOT_SIGNED_IN,
            "REFRESH_API_AUTH=entra: send a token that App Service authentication accepts; it must be enabled for this "
            "app, and App Service then sets WEBSITE_AUTH_ENABLED=True",
        )


def is_authentication_on(env: Mapping[str, str]) -> bool:
    """Whether App Service authentication is enabled: without it a caller could set the headers.

    App Service sets `True` or `False`, read in any case:
    https://github.com/Azure/azure-functions-host/blob/dev/src/WebJobs.Script/Environment/EnvironmentExtensions.cs
    """
    return env.get("WEBSITE_AUTH_ENABLED", "").strip().lower() == "true"


def signs_in(env: Mapping[str, str]) -> bool:
    """Whether callers sign in with Entra and routes require no key."""
    return env.get("REFRESH_API_AUTH", "").strip().lower() == "entra"


def problem_of(error: Exception, what: str) -> Problem:
    """The problem for `error`, which ended the function `what`."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, Unavailable):
        detail = f"Azure is throttling or not available ({error.code}); try again later"
        return Problem(ProblemKind.AZURE_UNAVAILABLE, detail, retry_after_s=error.retry_after_s)
    if isinstance(error, GatewayError):
        return Problem(ProblemKind.AZURE_SAID_NO, f"{error.code}: {error.message}"[:500])
    if isinstance(error, SettingsError):
        faults = [{"detail": one} for one in error.faults]
        return Problem(ProblemKind.WRONG_SETTINGS, f"correct these settings: {'; '.join(error.faults)}", faults)
    if isinstance(error, grpc.RpcError):
        code = _status_of(error)
        _log.error("%s: durable storage answered %s", what, code)
        if code is grpc.StatusCode.ALREADY_EXISTS:
            return Problem(ProblemKind.RUN_EXISTS, "a run with this id is under way; try again for a new id")
        return Problem(
            ProblemKind.DURABLE_UNAVAILABLE, "it is not known whether a run began; read /api/runs before trying again"
        )
    _log.error("%s failed", what, exc_info=error)
    return Problem(ProblemKind.BROKEN, "this is a fault of the app; its log has the cause")


def _status_of(error: grpc.RpcError) -> Any:
    code = getattr(error, "code", None)  # typed for calls only, and asynchronous errors are not calls
    return code() if callable(code) else None


def path_of(req: func.HttpRequest) -> str:
    """The request's path without its query, which may have a function key."""
    try:
        return urlsplit(str(req.url)).path
    except ValueError:  # the host name, which a caller can choose, is none
        return "/"


def ok(body: dict[str, Any]) -> func.HttpResponse:
    """A JSON answer."""
    return func.HttpResponse(json.dumps(body), status_code=200, mimetype="application/json")
