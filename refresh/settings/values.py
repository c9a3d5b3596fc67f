"""Parsers of settings, one for each kind of value.

Decides bounds and spelling: each parser returns the value of a text, or raises ValueError with what it must be, as a
sentence that continues the setting's name. Does not know which setting it parses and what its default is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from refresh.domain.terms import resource_id
from refresh.domain.terms.stop_mode import StopWish

CLOUDS: Mapping[str, str] = {
    "management.azure.com": "https://management.azure.com/.default",
    "management.usgovcloudapi.net": "https://management.core.usgovcloudapi.net/.default",
    "management.chinacloudapi.cn": "https://management.chinacloudapi.cn/.default",
}
"""ARM's host in each cloud and the scope of its tokens. The app sends its token to no other host but loopback.

https://learn.microsoft.com/azure/azure-government/compare-azure-government-global-azure#guidance-for-developers
"""

TOPIC_HOSTS = (".eventgrid.azure.net", ".eventgrid.azure.us", ".eventgrid.azure.cn")
TOPIC_PATH = "/api/events"

_NOT_IN_PATHS = frozenset('\0?*<>|"')
_GUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE)
_GROUP_ID = re.compile(r"^/subscriptions/[0-9a-f-]{36}/resourcegroups/[^/?#%\\]{1,90}\Z", re.IGNORECASE)
# https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftmanagement
_MANAGEMENT_GROUP = re.compile(r"^[A-Za-z0-9_().-]{1,90}\Z")


def is_loopback(host: str | None) -> bool:
    """Whether `host` (a name or an address without port) is this machine itself."""
    if host is None or host.lower() == "localhost":
        return host is not None
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def listed(parse_one: Callable[[str], str]) -> Callable[[str], tuple[str, ...]]:
    """A parser of comma-separated values, each read by `parse_one`; duplicates are dropped."""

    def parse(text: str) -> tuple[str, ...]:
        parts = (part.strip() for part in text.split(","))
        return tuple(dict.fromkeys(parse_one(part) for part in parts if part))

    return parse


def guid(text: str) -> str:
    """A GUID, lower-case, or nothing."""
    if text and not _GUID.match(text):
        raise ValueError("must be a GUID like 00000000-0000-0000-0000-000000000000")
    return text.lower()


def gallery(text: str) -> str:
    """The full id of a Compute Gallery."""
    found = resource_id.parse(text)
    if found is None or found.type != resource_id.GALLERY_TYPE:
        raise ValueError(
            "must be full ids of galleries: "
            "/subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.Compute/galleries/<name>"
        )
    return found.text


def group(text: str) -> str:
    """The full id of a resource group, lower-case as ids are compared."""
    if not _GROUP_ID.match(text.rstrip("/")):
        raise ValueError("must be full ids of resource groups: /subscriptions/<id>/resourceGroups/<name>")
    return text.rstrip("/").lower()


def subnet(text: str) -> str:
    """The full id of a virtual network's subnet."""
    found = resource_id.parse(text)
    if found is None or found.type != "microsoft.network/virtualnetworks/subnets":
        raise ValueError(
            "must be full ids of subnets: "
            "/subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.Network/virtualNetworks/<name>/subnets/<name>"
        )
    return found.text


def folder(text: str) -> str:
    """A folder or file, relative to the app's own folder or absolute."""
    if not text or not _NOT_IN_PATHS.isdisjoint(text):
        raise ValueError("must be a path, without wildcards")
    return text


def management_group(text: str) -> str:
    """A management group's name, or nothing."""
    if text and not _MANAGEMENT_GROUP.match(text):
        raise ValueError("must be the management group's name (the last part of its id), not its id or display name")
    return text


def one_of(*values: str) -> Callable[[str], str]:
    """One of `values`, in any case."""

    def parse(text: str) -> str:
        if text.lower() not in values:
            raise ValueError(f"must be {' or '.join(values)}")
        return text.lower()

    return parse


def stop_mode(text: str) -> str:
    """How a VM is stopped."""
    return one_of(*StopWish)(text)


def between(low: int, high: int) -> Callable[[str], int]:
    """A whole number from `low` to `high`."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(text)

    return parse


def percent(text: str) -> float:
    """A share as a whole percentage, `10%`; the value is a fraction."""
    if not re.fullmatch(r"\d{1,3}%", text, re.ASCII) or int(text[:-1]) > 100:
        raise ValueError("must be a percentage from 0% to 100%")
    return int(text[:-1]) / 100


def endpoint(text: str) -> str:
    """ARM's base URL without a slash at its end: a known cloud over https, or this machine."""
    cure = f"must be https:// and one of {', '.join(CLOUDS)}, or http(s):// and this machine (127.0.0.1:<port>)"
    url, port = _split_url(text, cure)
    if url.path.strip("/"):
        raise ValueError(cure)
    if is_loopback(url.hostname) and url.scheme in ("http", "https"):
        return f"{url.scheme}://{url.netloc}"
    if url.scheme != "https" or url.hostname not in CLOUDS or port not in (None, 443):
        raise ValueError(cure)
    return f"https://{url.hostname}"


def topic(text: str) -> str:
    """The endpoint of a custom Event Grid topic, as the portal shows it, or nothing.

    https://learn.microsoft.com/azure/event-grid/post-to-custom-topic#endpoint
    """
    if not text:
        return text
    cure = (
        f"must be a topic's endpoint like https://<topic>.<region>-1{TOPIC_HOSTS[0]}{TOPIC_PATH}, "
        f"or http(s):// and this machine (127.0.0.1:<port>{TOPIC_PATH})"
    )
    url, port = _split_url(text, cure)
    if url.path.rstrip("/") != TOPIC_PATH:
        raise ValueError(cure)
    if is_loopback(url.hostname) and url.scheme in ("http", "https"):
        return f"{url.scheme}://{url.netloc}{TOPIC_PATH}"
    if url.scheme != "https" or not (url.hostname or "").endswith(TOPIC_HOSTS) or port not in (None, 443):
        raise ValueError(cure)
    return f"https://{url.hostname}{TOPIC_PATH}"


def _split_url(text: str, cure: str) -> tuple[SplitResult, int | None]:
    """The parts of a URL that names a host and holds no secret; ValueError with `cure` for any other."""
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError as fault:
        raise ValueError(cure) from fault
    if url.username or url.password or url.query or url.fragment or not url.hostname:
        raise ValueError(cure)
    return url, port
