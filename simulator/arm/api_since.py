"""Which properties an older api-version does not show yet.

This room decides that from recorded answers. It refuses to reject an api-version: any is taken.
"""

from __future__ import annotations

from simulator.arm.store import Json, Record

# lower-case type -> property -> the oldest api-version seen to show it.
_SINCE = {
    "microsoft.compute/galleries/images": {"architecture": "2021-07-01"},
    "microsoft.compute/galleries/images/versions": {"safetyProfile": "2022-03-03"},
}


def shown_in(record: Record, api_version: str) -> Json:
    """The record's body as `api_version` shows it."""
    hidden = {name for name, since in _SINCE.get(record.id.type.lower(), {}).items() if api_version < since}
    if not hidden & record.properties.keys():
        return record.body
    properties = {key: value for key, value in record.properties.items() if key not in hidden}
    return {**record.body, "properties": properties}
