"""The connections to Azure of one event loop: one credential, one connection pool, one client for each subscription.

Decides how every request is sent: with a token of the managed identity, to the configured ARM host only, once (no
retry, no redirect, no automatic registration of providers), with bounded waits, and over plain http to this machine
only. Does not know what a request is about. Nothing here logs a URL: the URLs of operations are signed.
"""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from azure.core import AsyncPipelineClient
from azure.core.async_paging import AsyncItemPaged
from azure.core.pipeline import PipelineRequest, PipelineResponse, policies
from azure.core.pipeline.transport import AioHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest
from azure.identity.aio import ManagedIdentityCredential
from azure.mgmt.compute.aio import ComputeManagementClient
from azure.mgmt.core.policies import AsyncARMChallengeAuthenticationPolicy
from azure.mgmt.resourcegraph.aio import ResourceGraphClient

from refresh.arm.bodies import http_date, text_at
from refresh.arm.errors import UNREADABLE, azure_errors, unreadable
from refresh.arm.pages import PagesSeen
from refresh.arm.token_host import OneHost
from refresh.domain.terms import resource_id
from refresh.domain.terms.resource_id import ResourceId
from refresh.gateways.errors import Refused, Unavailable, Unnamed
from refresh.settings.settings import Settings, SettingsError
from refresh.settings.values import is_loopback

_log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 10
READ_TIMEOUT_S = 30
"""No ARM call of the app takes longer: long work is only accepted, never waited for. With the SDK's 300 s, one lost
answer would use up a whole downtime window."""

# azure-identity uses the first before all others, the second instead of the address of the metadata service, and those
# of a real identity before the second.
_IDENTITY_OF_A_SIMULATOR = ("IDENTITY_ENDPOINT", "AZURE_POD_IDENTITY_AUTHORITY_HOST")
_REAL_IDENTITIES = ("MSI_ENDPOINT", "AZURE_FEDERATED_TOKEN_FILE")

_PLAIN = ("id", "name", "location", "zones", "tags", "managedBy")
"""Fields of a listed resource that the SDK gives as they are in JSON."""

type RestClient = AsyncPipelineClient[HttpRequest, AsyncHttpResponse]


class AllowHttp(policies.SansIOHTTPPolicy[HttpRequest, AsyncHttpResponse]):
    """Allows the token over plain http; only for an endpoint on this machine."""

    def on_request(self, request: PipelineRequest[HttpRequest]) -> None:
        request.context.options["enforce_https"] = False


class LastDate(policies.SansIOHTTPPolicy[HttpRequest, AsyncHttpResponse]):
    """Keeps the time (ISO) of the last answer, refusals included: every answer has ARM's time in its Date header.

    Only of an answer with ARM's request id: a proxy in between can answer with a clock of its own.
    """

    def __init__(self) -> None:
        """Begin without an answer."""
        self.answers = 0
        self.at = ""

    def on_response(
        self, request: PipelineRequest[HttpRequest], response: PipelineResponse[HttpRequest, AsyncHttpResponse]
    ) -> None:
        headers = response.http_response.headers
        if headers.get("x-ms-request-id"):
            with suppress(Unavailable):
                self.at = http_date(headers)
                self.answers += 1


class Clients:
    """The clients of one event loop. Making one has no effect; connections open at the first request.

    `transport` and `credential` are shared with the clients of other Azure services.
    """

    def __init__(self, settings: Settings) -> None:
        """Prepare requests to `settings.arm_endpoint` as `settings.client_id`. SettingsError when that is not safe."""
        url = urlsplit(settings.arm_endpoint)
        self._local = is_loopback(url.hostname)
        if url.scheme != "https" and not self._local:
            raise SettingsError(["REFRESH_ARM_ENDPOINT: plain http is for this machine only"])
        if self._local and not _is_simulated(os.environ):
            raise SettingsError(
                [
                    f"{_IDENTITY_OF_A_SIMULATOR[0]}: must be the simulator's identity endpoint while "
                    "REFRESH_ARM_ENDPOINT is this machine; without it the token would be that of a real identity"
                ]
            )
        self._plain = url.scheme != "https"
        self._endpoint = settings.arm_endpoint
        self._scope = settings.token_scope
        timeouts = {"connection_timeout": CONNECT_TIMEOUT_S, "read_timeout": READ_TIMEOUT_S}
        self.transport = AioHttpTransport(use_env_settings=not self._local, **timeouts)
        # The identity endpoint is on the app's machine: a token request must never go through a proxy.
        self._identity_transport = AioHttpTransport(use_env_settings=False, **timeouts)
        self.credential = ManagedIdentityCredential(
            client_id=settings.client_id or None, transport=self._identity_transport
        )
        self.last_date = LastDate()
        self._compute: dict[str, ComputeManagementClient] = {}
        self.graph = ResourceGraphClient(self.credential, base_url=self._endpoint, **self._options())
        self.rest: RestClient = AsyncPipelineClient(self._endpoint, **self._options())

    @property
    def local(self) -> bool:
        """Whether Azure is a simulator on this machine."""
        return self._local

    @property
    def simulator(self) -> str | None:
        """The endpoint of the simulator when Azure is one on this machine."""
        return self._endpoint if self._local else None

    def compute(self, subscription: str) -> ComputeManagementClient:
        """The Compute client of a subscription."""
        key = subscription.lower()
        if key not in self._compute:
            self._compute[key] = ComputeManagementClient(
                self.credential, subscription, base_url=self._endpoint, **self._options()
            )
        return self._compute[key]

    async def close(self) -> None:
        """Close every connection; no request can be sent afterwards."""
        await self.transport.close()
        await self.credential.close()
        await self._identity_transport.close()

    def _options(self) -> dict[str, Any]:
        # One list for each client: a policy holds its successor. The SDK's default list would retry, follow redirects
        # and register resource providers, which are requests beyond the app's budgets. aiohttp itself still sends a GET
        # or PUT once more when the kept-alive connection turns out to be dead, a POST or PATCH never.
        return {
            "credential_scopes": [self._scope],
            "transport": self.transport,
            "policies": [
                OneHost(self._endpoint),
                policies.RequestIdPolicy(),
                policies.HeadersPolicy(),
                policies.UserAgentPolicy(sdk_moniker="azure-vm-refresh"),
                policies.ContentDecodePolicy(),
                self.last_date,
                *([AllowHttp()] if self._plain else []),
                policies.AsyncRetryPolicy(retry_total=0),
                AsyncARMChallengeAuthenticationPolicy(self.credential, self._scope),
                policies.CustomHookPolicy(),
            ],
        }


def _is_simulated(env: Mapping[str, str]) -> bool:
    """Whether tokens come from this machine: the identity endpoint that azure-identity chooses is on loopback."""
    endpoint, metadata = (env.get(name, "") for name in _IDENTITY_OF_A_SIMULATOR)
    chosen = endpoint or ("" if any(env.get(name) for name in _REAL_IDENTITIES) else metadata)
    return is_loopback(urlsplit(chosen).hostname)


def split(resource: str, resource_type: str) -> ResourceId:
    """The parts of `resource`, which must be of `resource_type`. Refused, without a request, when it is not."""
    found = resource_id.parse(resource)
    if found is None or found.type != resource_type or any(part in (".", "..") for part in found.text.split("/")):
        raise Refused("InvalidResourceId", f"{resource[:200]!r} is not the id of a {resource_type}")
    return found


def split_group(group_id: str) -> tuple[str, str]:
    """Subscription and name of a resource group. Refused, without a request, when `group_id` is not a group's id."""
    parts = group_id.strip("/").split("/")
    if [part.lower() for part in parts[::2]] != ["subscriptions", "resourcegroups"] or len(parts) != 4:
        raise Refused("InvalidResourceId", f"{group_id[:200]!r} is not the id of a resource group")
    if any(part in ("", ".", "..") for part in parts):
        raise Refused("InvalidResourceId", f"{group_id[:200]!r} is not the id of a resource group")
    return parts[1], parts[3]


async def every(paged: AsyncItemPaged[Any]) -> AsyncIterator[Mapping[str, Any]]:
    """The raw bodies of all pages of an SDK list call. Unavailable when the pages do not end."""
    pages, seen = paged.by_page(), PagesSeen()
    while True:
        with azure_errors():
            try:
                page = await anext(pages, None)
                seen.add(getattr(pages, "continuation_token", None))
                bodies = None if page is None else [_body_of(item) async for item in page]
            except (AttributeError, TypeError):
                # The SDK assumes that a page is an object with a list of objects.
                raise unreadable("a page that is no list") from None
        if bodies is None:
            return
        for body in bodies:
            yield body


async def each_named[T](
    bodies: AsyncIterator[Mapping[str, Any]], parse: Callable[[Mapping[str, Any]], T]
) -> AsyncIterator[T]:
    """Every body that has an id, parsed. Unnamed, after the last one, when others have none."""
    unnamed = 0
    async for body in bodies:
        if text_at(body, "id") is None:
            unnamed += 1
        else:
            yield parse(body)
    if unnamed:
        raise Unnamed(UNREADABLE, f"{unnamed} of the rows in Azure's list have no id")


def _body_of(item: Any) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = item.as_dict()
    except Exception as fault:
        # One resource of a shape that the SDK does not expect must not hide the others: what is left of it can still be
        # named and counts as unknown.
        found = {name: item[name] for name in _PLAIN if name in item} if isinstance(item, Mapping) else {}
        _log.error("a listed resource cannot be read (%s): %a", type(fault).__name__, found.get("id"))
    return found


def raw(response: PipelineResponse[HttpRequest, AsyncHttpResponse], _model: object, _headers: object) -> Any:
    """For the SDK's `cls` argument: the HTTP response itself instead of a model."""
    return response.http_response
