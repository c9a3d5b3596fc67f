"""Properties that an older api-version does not show yet.

Decides that from recorded answers. Rejects no api-version.
"""

from __future__ import annotations

from simulator.arm.core.store import Json, Record

# lower-case type -> property -> the oldest recorded api-version that shows it.
_SINCE = {
    "microsoft.compute/snapshots": {
        **dict.fromkeys(("diskSizeBytes", "uniqueId"), "2018-09-30"),
        **dict.fromkeys(("encryption", "incremental"), "2019-07-01"),
        **dict.fromkeys(("networkAccessPolicy", "publicNetworkAccess"), "2021-04-01"),
    },
    "microsoft.compute/images": {"hyperVGeneration": "2019-03-01"},
    "microsoft.compute/galleries/images": {"architecture": "2021-07-01"},
    "microsoft.compute/galleries/images/versions": {"safetyProfile": "2022-03-03"},
}

# https://learn.microsoft.com/azure/templates/microsoft.compute/change-log/virtualmachines
_ETAG_SINCE = "2023-09-01"

_VIEW_SINCE = {
    "computerName": "2017-12-01",
    "osName": "2017-12-01",
    "osVersion": "2017-12-01",
    "hyperVGeneration": "2019-03-01",
}


def shows_etag(api_version: str) -> bool:
    """Whether answers of `api_version` have a VM's etag, in the body and as a header."""
    return api_version >= _ETAG_SINCE


def view_shown_in(view: Json, api_version: str) -> Json:
    """A VM's instance view as `api_version` shows it."""
    return {name: value for name, value in view.items() if api_version >= _VIEW_SINCE.get(name, "")}


def shown_in(record: Record, api_version: str) -> Json:
    """The record's body as `api_version` shows it."""
    hidden = {name for name, since in _SINCE.get(record.id.type.lower(), {}).items() if api_version < since}
    if not hidden & record.properties.keys():
        return record.body
    properties = {key: value for key, value in record.properties.items() if key not in hidden}
    return {**record.body, "properties": properties}
