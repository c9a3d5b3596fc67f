"""The app's HTTP API over the standard library, so that a pipeline has nothing to install.

Decides how a request is authenticated (not at all, by a function key, by an Entra token) and which errors are worth a
second request. Every request gets a new token, because a month takes longer than a token is valid. A redirect is an
error: urllib would send the token or the key to the new address.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from tools.shared.azure_cli import az

TIMEOUT_S = 240
"""Longer than the 230 s after which Azure ends a request: https://learn.microsoft.com/azure/azure-functions/functions-scale"""

LOGIN = "https://login.microsoftonline.com"
Headers = Callable[[], Mapping[str, str]]


class ApiError(Exception):
    """A request failed; the text has the problem and every fault, `status` the HTTP status of an answer."""

    def __init__(self, text: str, status: int | None = None, retry_after_s: float | None = None) -> None:
        """`retry_after_s` is the answer's Retry-After."""
        super().__init__(text)
        self.status = status
        self.retry_after_s = retry_after_s

    @property
    def may_pass(self) -> bool:
        """Whether a second request may succeed."""
        return self.status is None or self.status in (429, 502, 503, 504)


def headers_of(env: Mapping[str, str], audience: str, login: str = LOGIN) -> Headers:
    """The headers that authenticate a request: a token for `audience` (`api://…`), else the key in FUNCTIONS_KEY.

    Without either there are no headers. In a GitHub workflow with `id-token: write` the token comes from the workflow's
    identity (AZURE_TENANT_ID, AZURE_CLIENT_ID), elsewhere from the Azure CLI.
    """
    if audience and env.get("ACTIONS_ID_TOKEN_REQUEST_URL"):
        return lambda: {"Authorization": f"Bearer {_exchanged(env, audience, login)}"}
    if audience:
        return lambda: {"Authorization": f"Bearer {_from_cli(audience)}"}
    key = env.get("FUNCTIONS_KEY", "")
    return lambda: {"x-functions-key": key} if key else {}


def _is_safe(address: str) -> bool:
    """Whether `address` may get a token or a key: https, or this machine."""
    url = urlsplit(address)
    return url.scheme == "https" or (url.scheme == "http" and url.hostname in ("127.0.0.1", "localhost", "::1"))


class Api:
    """The API at `base` (https, or this machine); `headers` authenticate each request."""

    def __init__(self, base: str, headers: Headers) -> None:
        """ApiError for an address to which no token may be sent."""
        if not _is_safe(base):
            raise ApiError(f"{base}: must begin with https://, or with http:// on this machine (127.0.0.1, localhost)")
        self._base, self.headers = base.rstrip("/"), headers

    async def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """One request; the JSON of the answer. ApiError when it fails."""
        return await asyncio.to_thread(self._call, method, path, body)

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        headers = {"Accept": "application/json", **self.headers()}
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            headers["Content-Type"] = "application/json"
        return _send(Request(f"{self._base}{path}", data=data, headers=headers, method=method))  # noqa: S310 # checked in _send


def _make_opener(scheme: str) -> OpenerDirector:
    """An opener for http and https only, without urllib's handler of redirects, and for http without a proxy."""
    opener = OpenerDirector()
    proxy = ProxyHandler({} if scheme == "http" else None)
    for handler in (proxy, HTTPHandler(), HTTPSHandler(), HTTPDefaultErrorHandler(), HTTPErrorProcessor()):
        opener.add_handler(handler)
    return opener


def _send(request: Request) -> dict[str, Any]:
    if not _is_safe(request.full_url):
        raise ApiError(f"{urlsplit(request.full_url).netloc}: tokens and keys are sent over https, or to this machine")
    try:
        with _make_opener(request.type).open(request, timeout=TIMEOUT_S) as answer:
            found = json.load(answer)
    except HTTPError as refused:
        raise _problem_of(refused) from None
    except (URLError, TimeoutError, ConnectionError) as lost:
        why = lost.reason if isinstance(lost, URLError) else lost
        raise ApiError(f"{urlsplit(request.full_url).netloc} does not answer: {why}") from None
    except ValueError as garbled:
        raise ApiError(f"{urlsplit(request.full_url).netloc} sent an answer that is not JSON: {garbled}") from None
    return dict(found)


def _problem_of(refused: HTTPError) -> ApiError:
    text = refused.read(100_000).decode(errors="replace")
    try:
        problem = dict(json.loads(text))
    except (ValueError, TypeError):
        problem = {}
    detail = problem.get("detail") or problem.get("error_description") or text[:300] or refused.reason
    faults = [
        f"  {each.get('pointer', '')} {each.get('detail', '')}".rstrip()
        for each in problem.get("errors", ())
        if str(each.get("detail", "")) not in str(detail)
    ]
    wait = refused.headers.get("Retry-After", "")
    text = "\n".join((f"{refused.code} {problem.get('title') or refused.reason}: {detail}", *faults))
    return ApiError(text, refused.code, float(wait) if wait.isdigit() else None)


def _from_cli(audience: str) -> str:
    return str(az("account", "get-access-token", "--scope", f"{audience}/.default")["accessToken"])


def _exchanged(env: Mapping[str, str], audience: str, login: str) -> str:
    """An Entra token in exchange for the workflow's identity token, so that no secret is stored.

    https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow#third-case-access-token-request-with-a-federated-credential
    """
    lacking = [name for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID") if not env.get(name)]
    if lacking:
        raise ApiError(f"{' and '.join(lacking)}: needed to sign in as the workflow's identity")
    ask = f"{env['ACTIONS_ID_TOKEN_REQUEST_URL']}&audience={quote('api://AzureADTokenExchange', safe='')}"
    bearer = {"Authorization": f"Bearer {env['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"}
    assertion = _send(Request(ask, headers=bearer))["value"]  # noqa: S310 # checked in _send
    form = {
        "grant_type": "client_credentials",
        "client_id": env["AZURE_CLIENT_ID"],
        "scope": f"{audience}/.default",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion,
    }
    address = f"{login}/{quote(env['AZURE_TENANT_ID'], safe='')}/oauth2/v2.0/token"
    return str(_send(Request(address, data=urlencode(form).encode()))["access_token"])  # noqa: S310 # checked in _send


def environment() -> Mapping[str, str]:
    """The environment of this process."""
    return os.environ
