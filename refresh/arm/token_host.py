"""Where a token may be sent: to one host, over one scheme and port.

Decides from the text of a request's URL, before the token is added. The URL may come from an answer (`nextLink`,
`Location`, `Azure-AsyncOperation`) or from a stored operation. Does not know what a request is about.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from azure.core.pipeline import PipelineRequest, policies
from azure.core.rest import AsyncHttpResponse, HttpRequest

from refresh.gateways.errors import Unavailable

OTHER_HOST = "OtherHost"
_DEFAULT_PORTS = {"https": 443, "http": 80}
_SHOWN = 100


class OneHost(policies.SansIOHTTPPolicy[HttpRequest, AsyncHttpResponse]):
    """Refuses a request to any other scheme, host or port than those of an endpoint; first in a list of policies."""

    def __init__(self, endpoint: str) -> None:
        """Allow `endpoint` (`https://host[:port]`, a path is ignored), also with its scheme's own port spelled out."""
        super().__init__()
        url = urlsplit(endpoint)
        origin = f"{url.scheme}://{url.netloc}".lower()
        default = _DEFAULT_PORTS[url.scheme]
        # Azure spells the port in some links: https://management.azure.com:443/subscriptions/…
        bare = origin.removesuffix(f":{default}")
        same = (bare, f"{bare}:{default}") if url.port in (None, default) else (origin,)
        self._starts = tuple(f"{each}/" for each in same)

    def allows(self, url: str) -> bool:
        """Whether `url` begins with the endpoint and a slash.

        The text itself is compared: user names, tabs and backslashes, which parsers read differently, cannot match.
        """
        return any(url[: len(start)].isascii() and url[: len(start)].lower() == start for start in self._starts)

    def on_request(self, request: PipelineRequest[HttpRequest]) -> None:
        """Unavailable, with nothing sent, for another host."""
        if not self.allows(request.http_request.url):
            shown = _host_of(request.http_request.url)
            raise Unavailable(OTHER_HOST, f"Azure's answer leads to {shown}, which does not get the app's token")


def _host_of(url: str) -> str:
    try:
        host = urlsplit(url).hostname
    except ValueError:
        host = None
    return f"the host {host[:_SHOWN]!r}" if host else "another host"
