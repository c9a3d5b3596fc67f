"""ARM calls that no client library in use covers, such as tags, permissions, locks and resource groups.

Decides how such a call is made and which resource paths are allowed. `clients.py` authorises and sends the requests.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any
from urllib.parse import quote

from azure.core.rest import AsyncHttpResponse, HttpRequest

from refresh.arm.clients import RestClient
from refresh.arm.errors import azure_errors, from_answer, unreadable
from refresh.arm.pages import PagesSeen
from refresh.gateways.errors import Refused


async def get(
    client: RestClient, path: str, api_version: str, query: Mapping[str, str] | None = None
) -> AsyncHttpResponse:
    """Read `path` and return the answer, a 200; `query` goes beside the version.

    `path` starts with `/subscriptions/`. NotFound, Refused, Unavailable for any other answer.
    """
    params = {"api-version": api_version, **(query or {})}
    return await _send(client, HttpRequest("GET", client.format_url(quoted(path)), params=params), (200,))


async def call(
    client: RestClient,
    method: str,
    path: str,
    api_version: str,
    body: Mapping[str, Any] | None = None,
    accepts: Collection[int] = (200,),
) -> AsyncHttpResponse:
    """Send a request that changes something, with `body` as JSON, and return an answer whose status is in `accepts`.

    `path` starts with `/subscriptions/`. NotFound, Refused, Unavailable for any other answer.
    """
    params = {"api-version": api_version}
    return await _send(client, HttpRequest(method, client.format_url(quoted(path)), params=params, json=body), accepts)


async def _send(client: RestClient, request: HttpRequest, accepts: Collection[int]) -> AsyncHttpResponse:
    with azure_errors():
        answer = await client.send_request(request)
        if answer.status_code not in accepts:
            raise from_answer(answer.status_code, answer.headers, answer.text())
        return answer


def json_of(answer: AsyncHttpResponse) -> Any:
    """The body of an answer. Unavailable when it is not JSON."""
    try:
        return answer.json()
    except (ValueError, RecursionError):
        raise unreadable("its body") from None


async def every(client: RestClient, path: str, api_version: str, **query: str) -> AsyncIterator[Mapping[str, Any]]:
    """The bodies of all pages of a list. The errors of `get`, and Unavailable for a page or a row that is none.

    A next page on another host is Unavailable without a request (`token_host.py`).
    """
    async for row in _rows(client, path, api_version, query):
        if not isinstance(row, dict):
            raise unreadable("a row that is no object")
        yield row


async def every_resource(client: RestClient, path: str, api_version: str) -> AsyncIterator[Mapping[str, Any]]:
    """The same for resources that are judged one by one: a row that is no object has no id and hides no other."""
    async for row in _rows(client, path, api_version, {}):
        yield row if isinstance(row, dict) else {}


async def _rows(client: RestClient, path: str, api_version: str, query: Mapping[str, str]) -> AsyncIterator[Any]:
    page, seen = _page(json_of(await get(client, path, api_version, query))), PagesSeen()
    while True:
        for row in page["value"]:
            yield row
        following = page.get("nextLink")
        if not following:
            return
        if not isinstance(following, str):
            raise unreadable("a next page without an address")
        seen.add(following)
        page = _page(json_of(await _send(client, HttpRequest("GET", following), (200,))))


def _page(body: object) -> Mapping[str, Any]:
    if not isinstance(body, Mapping) or not isinstance(body.get("value"), list):
        raise unreadable("a page that is no list")
    return body


def quoted(path: str) -> str:
    """`path`, escaped so that it cannot name another path. Refused for one with `..` or not below a subscription."""
    segments = path.split("/")
    if not path.lower().startswith("/subscriptions/") or any(segment in ("", ".", "..") for segment in segments[1:]):
        raise Refused("InvalidResourceId", f"{path[:200]!r} is not a path below a subscription")
    return quote(path, safe="/()")
