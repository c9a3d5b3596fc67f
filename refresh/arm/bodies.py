"""Reads fields of ARM's JSON bodies, which are untrusted input.

Decides how a field is read: a missing one, or one of another type, is None, never an exception and never a guess, and
a text can be encoded. Does not know what a body is about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

from refresh.arm.errors import unreadable
from refresh.domain.azure.plans import Plan
from refresh.domain.terms import times
from refresh.domain.terms.encodable import encodable


def at(body: object, *path: str) -> Any:
    """The value at `path` in `body`; None when any part of the path is missing."""
    for name in path:
        # What is read from JSON is a dict, and this runs dozens of times for each VM of a list.
        if type(body) is not dict and not isinstance(body, Mapping):
            return None
        body = body.get(name)
    return body


def text_at(body: object, *path: str) -> str | None:
    """The text at `path`; an empty text counts as absent."""
    found = at(body, *path)
    return encodable(found) if isinstance(found, str) and found else None


def int_at(body: object, *path: str) -> int | None:
    """The whole number at `path`."""
    found = at(body, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def bool_at(body: object, *path: str) -> bool | None:
    """The boolean at `path`."""
    found = at(body, *path)
    return found if isinstance(found, bool) else None


def dict_at(body: object, *path: str) -> Mapping[str, Any] | None:
    """The object at `path`; an empty object counts as absent."""
    found = at(body, *path)
    return found if isinstance(found, Mapping) and found else None


def list_at(body: object, *path: str) -> Sequence[Any]:
    """The list at `path`, empty when there is none."""
    found = at(body, *path)
    return found if isinstance(found, list) else []


def tags_of(body: object) -> dict[str, str]:
    """The resource's tags."""
    return {
        encodable(name): encodable(value)
        for name, value in (dict_at(body, "tags") or {}).items()
        if isinstance(value, str)
    }


def zones_of(body: object) -> tuple[str, ...]:
    """The availability zones."""
    return tuple(encodable(str(zone)) for zone in list_at(body, "zones"))


def region(name: str | None) -> str:
    """A region as resources name it: ARM writes `West US 2` in image versions and `westus2` elsewhere."""
    return (name or "").replace(" ", "").lower()


def plan_at(body: object, name: str) -> Plan | None:
    """The marketplace plan at `name`; an incomplete one counts as absent.

    Some clients send an empty plan: https://github.com/Azure/bicep-registry-modules/issues/4976
    """
    parts = [text_at(body, name, key) for key in ("publisher", "product", "name")]
    return Plan(*(part or "" for part in parts)) if all(parts) else None


def edge_zone_of(body: object) -> str | None:
    """The edge zone of a resource, None for one in its region itself.

    https://learn.microsoft.com/rest/api/compute/disks/get#extendedlocation
    """
    return text_at(body, "extendedLocation", "name")


def identity_of(body: object) -> tuple[str, str, str]:
    """Id, name and location of a resource. Unavailable when the body has no id."""
    resource = text_at(body, "id")
    if resource is None:
        raise unreadable("a resource without an id")
    return resource, text_at(body, "name") or resource.rsplit("/", 1)[-1], region(text_at(body, "location"))


def http_date(headers: Mapping[str, str]) -> str:
    """ARM's time of an answer: its Date header as ISO 8601, UTC. Unavailable when it has none that can be."""
    try:
        found = parsedate_to_datetime(headers.get("Date") or "").astimezone(UTC).isoformat()
    except (ValueError, TypeError, OverflowError):
        found = None
    if times.parse_plausible(found) is None or found is None:
        raise unreadable("it has no date")
    return found
