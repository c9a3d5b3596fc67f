"""Finds the VMs that are in scope with Azure Resource Graph.

Decides the query and its scope, and accepts only a complete answer. The index lags behind ARM, so every VM is read
before anything is done to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import batched
from typing import Any, cast

from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions

from refresh.arm.bodies import list_at, tags_of, text_at
from refresh.arm.clients import Clients, raw
from refresh.arm.errors import azure_errors, quota_resets_after_s, unreadable
from refresh.arm.pages import PagesSeen
from refresh.domain.terms import tags
from refresh.domain.terms.vm_tags import parse_vm_tags
from refresh.gateways.errors import GatewayError
from refresh.settings.settings import Settings

PAGE_SIZE = 1000
"""Rows per page: https://learn.microsoft.com/azure/governance/resource-graph/concepts/work-with-data#paging-results"""

SUBSCRIPTIONS_PER_QUERY = 1000
"""https://learn.microsoft.com/azure/governance/resource-graph/troubleshoot/general#toomanysubscription"""

# `contains` compares without case and may match too much; `in_scope` filters the rows. The value is not compared in the
# query: Azure keeps blanks around it, which count nowhere else. Without the order by id, and the id among the columns,
# Azure may return a truncated answer without a token for the next page.
_IN_SCOPE = (
    "resources | where type =~ 'microsoft.compute/virtualmachines'"
    f" | where tostring(tags) contains '\"{tags.AUTO_REFRESH}\":'"
    " | where tostring(tags) contains 'true' or tostring(tags) contains 'hold'"
    " | project id, tags | order by id asc"
)
_SUBSCRIPTIONS = (
    "resourcecontainers | where type =~ 'microsoft.resources/subscriptions'"
    " | project id, subscriptionId | order by id asc"
)


class ArmGraph:
    """`gateways.Graph` on azure-mgmt-resourcegraph."""

    def __init__(self, clients: Clients, settings: Settings) -> None:
        """Query, through `clients`, the subscriptions or the management group in `settings`."""
        self._clients = clients
        self._settings = settings

    async def list_scope(self) -> Sequence[str]:
        """Ids of every VM whose tags put it in scope, all pages. GatewayError when the answer is incomplete."""
        found: dict[str, str] = {}
        for scope in self._scopes():
            async for row in self._rows(_IN_SCOPE, scope):
                vm_id = text_at(row, "id")
                if vm_id is None:
                    raise unreadable("a row without an id")
                # Rows move between pages while resources come and go: one VM may be listed twice.
                if parse_vm_tags(tags_of(row)).in_scope:
                    found.setdefault(vm_id.lower(), vm_id)
        return list(found.values())

    async def list_subscriptions(self) -> Sequence[str]:
        """The configured subscriptions; those of the management group when one is configured.

        https://learn.microsoft.com/azure/governance/resource-graph/reference/supported-tables-resources#resourcecontainers
        """
        if self._settings.subscriptions:
            return self._settings.subscriptions
        (scope,) = self._scopes()
        found = [text_at(row, "subscriptionId") async for row in self._rows(_SUBSCRIPTIONS, scope)]
        return list(dict.fromkeys(subscription.lower() for subscription in found if subscription))

    def _scopes(self) -> list[dict[str, list[str]]]:
        if self._settings.management_group:
            return [{"management_groups": [self._settings.management_group]}]
        return [
            {"subscriptions": list(batch)}
            for batch in batched(self._settings.subscriptions, SUBSCRIPTIONS_PER_QUERY, strict=False)
        ]

    async def _rows(self, query: str, scope: Mapping[str, Any]) -> AsyncIterator[Any]:
        """All rows of all pages: https://learn.microsoft.com/rest/api/azureresourcegraph/resourcegraph/resources/resources."""
        token: str | None = None
        seen = PagesSeen()
        while True:
            options = QueryRequestOptions(top=PAGE_SIZE, skip_token=token, result_format="objectArray")
            with azure_errors():
                # `cls` makes the operation return what `raw` returns, which its annotation does not show.
                answer = cast(
                    "Any",
                    await self._clients.graph.resources(QueryRequest(query=query, options=options, **scope), cls=raw),
                )
                body = answer.json()
            for row in list_at(body, "data"):
                yield row
            token = text_at(body, "$skipToken")
            seen.add(token)
            _refuse_truncated(body, answer.headers, token)
            if token is None:
                return
            await _wait_for_quota(answer.headers)


def _refuse_truncated(body: object, headers: Mapping[str, str], token: str | None) -> None:
    if not isinstance(body, Mapping) or not isinstance(body.get("data"), list):
        raise unreadable("a query's answer without rows")
    if token is None and str(body.get("resultTruncated", "false")).lower() == "true":
        raise GatewayError(
            "ResultTruncated",
            "Resource Graph left out rows and gave no token for the next page: nothing is done on an incomplete answer",
        )
    if str(headers.get("x-ms-tenant-subscription-limit-hit", "")).lower() == "true":
        raise GatewayError(
            "SubscriptionLimitHit",
            "Resource Graph left out subscriptions beyond 10,000: name the ones in scope in REFRESH_SUBSCRIPTIONS",
        )


async def _wait_for_quota(headers: Mapping[str, str]) -> None:
    """Wait for a used-up quota to reset before the next page: a 429 would lose every page read so far.

    https://learn.microsoft.com/azure/governance/resource-graph/concepts/guidance-for-throttled-requests
    """
    if headers.get("x-ms-user-quota-remaining") == "0":
        await asyncio.sleep(quota_resets_after_s(headers) or 0)
