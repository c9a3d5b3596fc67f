"""Publishes outcomes to a custom Event Grid topic.

Decides how an event is sent: once, with a token of the managed identity, never redirected, and to the configured
endpoint only. Does not know the content of an event.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from azure.eventgrid.aio import EventGridPublisherClient

from refresh.arm.clients import AllowHttp, Clients
from refresh.arm.errors import azure_errors
from refresh.arm.token_host import OneHost
from refresh.settings.settings import SettingsError
from refresh.settings.values import is_loopback

# The SDK's client logs every request with all its headers, line by line.
_quiet = logging.getLogger(f"{__name__}.http")
_quiet.setLevel(logging.WARNING)


class OutcomeTopic:
    """`gateways.Topic` on azure-eventgrid: https://learn.microsoft.com/azure/event-grid/post-to-custom-topic."""

    def __init__(self, clients: Clients, endpoint: str) -> None:
        """Publish to `endpoint` through the connections of `clients`. SettingsError for plain http to elsewhere."""
        url = urlsplit(endpoint)
        plain = url.scheme != "https"
        if plain and not is_loopback(url.hostname):
            raise SettingsError(["REFRESH_OUTCOME_TOPIC: plain http is for this machine only"])
        self._client = EventGridPublisherClient(
            endpoint,
            clients.credential,
            transport=clients.transport,
            per_call_policies=[OneHost(endpoint), *([AllowHttp()] if plain else [])],
            retry_total=0,
            permit_redirects=False,
            logger=_quiet,
        )

    async def publish(self, cloud_event: Mapping[str, Any]) -> None:
        """Send one CloudEvent. Refused, Unavailable."""
        with azure_errors():
            await self._client.send(dict(cloud_event))
