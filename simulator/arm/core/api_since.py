"""Properties that an older api-version does not show yet.

Decides that from recorded answers. Rejects no api-version.
"""

from __future__ import annotations

from typing import Any

from simulator.arm.core.store import Json, Record

# lower-case type -> property -> the oldest recorded api-version that shows it.
_SINCE: dict[str, dict[str, str]] = {
    "microsoft.compute/disks": {"networkAccessPolicy": "2020-09-30", "publicNetworkAccess": "2021-04-01"},
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

# Path below a VM's `properties` -> the oldest api-version that shows it: recorded by the tests of the .NET and Java
# libraries (2017-21), except three. `timeCreated` has a documented minimum api-version:
# https://learn.microsoft.com/dotnet/api/azure.resourcemanager.compute.models.virtualmachinepatch.timecreated
# `deleteOption` and `assessmentMode` are in the specification of 2021-03-01, and not in that of 2020-12-01
# (https://github.com/Azure/azure-rest-api-specs); the changes of azure-mgmt-compute 21.0.0 list both as new.
_VM_SINCE: dict[tuple[str, ...], str] = {
    ("timeCreated",): "2021-11-01",
    ("osProfile", "allowExtensionOperations"): "2018-06-01",
    ("osProfile", "requireGuestProvisionSignal"): "2019-03-01",
    ("osProfile", "linuxConfiguration", "provisionVMAgent"): "2018-06-01",
    ("osProfile", "linuxConfiguration", "patchSettings"): "2020-12-01",
    ("osProfile", "linuxConfiguration", "patchSettings", "assessmentMode"): "2021-03-01",
    ("osProfile", "windowsConfiguration", "patchSettings"): "2020-12-01",
    ("osProfile", "windowsConfiguration", "patchSettings", "assessmentMode"): "2021-03-01",
    ("storageProfile", "imageReference", "exactVersion"): "2020-12-01",
    ("storageProfile", "osDisk", "deleteOption"): "2021-03-01",
    ("storageProfile", "dataDisks", "deleteOption"): "2021-03-01",
    ("storageProfile", "dataDisks", "toBeDetached"): "2020-06-01",
}

_VIEW_SINCE = {
    "computerName": "2017-12-01",
    "osName": "2017-12-01",
    "osVersion": "2017-12-01",
    "hyperVGeneration": "2019-03-01",
}


def shows_etag(api_version: str) -> bool:
    """Whether answers of `api_version` have a VM's etag, in the body and as a header."""
    return api_version >= _ETAG_SINCE


def vm_shown_in(properties: Json, api_version: str) -> Json:
    """A VM's `properties` as `api_version` shows them."""
    for path, since in _VM_SINCE.items():
        if api_version < since:
            properties = _dropped(properties, path)
    return properties


def _dropped(value: Any, path: tuple[str, ...]) -> Any:
    """`value` without what is at `path`, in every element of a list on the way."""
    if isinstance(value, list):
        return [_dropped(each, path) for each in value]
    if not isinstance(value, dict) or path[0] not in value:
        return value
    if len(path) == 1:
        return {key: child for key, child in value.items() if key != path[0]}
    return {**value, path[0]: _dropped(value[path[0]], path[1:])}


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
