"""Hostile answers of ARM: other statuses, headers and bodies, fields of any type, lists that are none or never end.

Decides how one answer is changed. Does not know which answers: `disturbances.py` chooses those.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from simulator.arm.core.messages import Answer
from tests.support.worlds.builders import GROUP, VM_ID

HALF = "\ud800"
REMOVED = "<removed>"
HANGS_S = 100_000.0
_DEEP = "[" * 100_000
TEXTS = ("", " ", "x", HALF, f"a{HALF}b", "\0", "\n", "%2e%2e", "..", "/", "x" * 9000, "null", "é\u202e")
IDS = (
    GROUP,
    f"{GROUP}/../x",
    VM_ID.replace("rg-app", HALF),
    VM_ID.replace("web01", ".."),
    "/subscriptions",
    VM_ID * 50,
)
TIMES = ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999-14:00", "2026-02-30T00:00:00Z", "yesterday")
OTHERS: tuple[Any, ...] = (
    None, True, 0, 7, -1, 1.5, 10**30, float("nan"), float("inf"), [], {}, [None], [[]], [7], {"x": 1}, {HALF: HALF},
    [HALF], [{}], {"code": 7}, REMOVED, REMOVED, REMOVED,
)  # fmt: skip
_PROPERTIES = (
    "hardwareProfile", "hardwareProfile.vmSize", "storageProfile", "storageProfile.osDisk",
    "storageProfile.osDisk.name", "storageProfile.osDisk.osType", "storageProfile.osDisk.managedDisk",
    "storageProfile.osDisk.managedDisk.id", "storageProfile.osDisk.diffDiskSettings",
    "storageProfile.osDisk.encryptionSettings", "storageProfile.osDisk.deleteOption", "storageProfile.imageReference",
    "storageProfile.dataDisks", "storageProfile.diskControllerType", "vmId", "timeCreated", "osProfile",
    "osProfile.linuxConfiguration", "networkProfile", "networkProfile.networkInterfaces", "provisioningState",
    "availabilitySet", "availabilitySet.id", "virtualMachineScaleSet.id", "securityProfile",
    "securityProfile.securityType", "priority", "instanceView", "instanceView.statuses", "instanceView.vmAgent",
    "instanceView.vmAgent.statuses", "instanceView.disks", "instanceView.hyperVGeneration", "diskSizeGB",
    "hyperVGeneration", "creationData", "creationData.galleryImageReference", "creationData.galleryImageReference.id",
    "creationData.imageReference.id", "diskState", "uniqueId", "tier", "encryption", "encryption.diskEncryptionSetId",
    "supportedCapabilities", "supportedCapabilities.architecture", "encryptionSettingsCollection",
    "LastOwnershipUpdateTime",
)  # fmt: skip
_TAGS = (
    "AutoRefresh", "OsDiskName", "OsDiskPrevious", "OsDiskRejected", "RefreshState", "RefreshImage", "RefreshStopMode",
    "RefreshProbe", "RefreshRing", "RefreshWindow", "autorefresh", "owner", "", " ", HALF, "x" * 600, "\0",
)  # fmt: skip
FIELDS: tuple[tuple[str, ...], ...] = (
    *((name,) for name in ("id", "name", "location", "zones", "tags", "properties", "managedBy", "managedByExtended")),
    *((name,) for name in ("type", "sku", "resources", "plan", "identity", "etag", "extendedLocation")),
    *(("properties", *path.split(".")) for path in _PROPERTIES),
    *(("tags", name) for name in _TAGS),
)


@dataclass(frozen=True)
class Whole:
    """Another answer instead of ARM's; `headers` beside ARM's own."""

    status: int
    body: str | bytes | None
    headers: tuple[tuple[str, str], ...] = ()

    def change(self, answer: Answer, row: str, url: str) -> None:
        """Change `answer`, which was to be sent for `url`."""
        answer.status, answer.body = self.status, self.body
        answer.headers.update(self.headers)


@dataclass(frozen=True)
class Hangs:
    """No answer for longer than any client waits."""

    def change(self, answer: Answer, row: str, url: str) -> None:
        """Delay `answer`."""
        answer.delay_s = HANGS_S


@dataclass(frozen=True)
class Edited:
    """ARM's answer with other values in some fields of the resource with id `row`, alone or as a row of a list."""

    edits: tuple[tuple[tuple[str, ...], Any], ...]

    def change(self, answer: Answer, row: str, url: str) -> None:
        """Change the fields."""
        answer.body = copy.deepcopy(answer.body)
        for body in _resources(answer.body, row):
            for field, value in self.edits:
                edit(body, field, value)


@dataclass(frozen=True)
class Listed:
    """A list with more rows, or with a next page that is another than ARM's."""

    rows: tuple[Any, ...] = ()
    next_page: str | None = None

    def change(self, answer: Answer, row: str, url: str) -> None:
        """Change the list. `next_page` may have `{url}`, that of the list."""
        body = answer.body = copy.deepcopy(answer.body)
        if not isinstance(body, dict):
            return
        for name in ("value", "data"):
            if isinstance(body.get(name), list):
                body[name] = [*self.rows, *body[name], *self.rows]
        if self.next_page is not None:
            answer.delay_s += 0.5  # or pages without an end would take no time at all
            body["nextLink"] = self.next_page.replace("{url}", url)


type Hostile = Whole | Hangs | Edited | Listed


def edit(body: dict[str, Any], field: tuple[str, ...], value: Any) -> None:
    """Give a field another value, or remove it; what stands in the way is replaced."""
    *above, last = field
    place: dict[str, Any] = body
    for name in above:
        if not isinstance(place.get(name), dict):
            place[name] = {}
        place = place[name]
    if value == REMOVED:
        place.pop(last, None)
    else:
        place[last] = value


def _resources(body: Any, row: str) -> Iterator[dict[str, Any]]:
    if not isinstance(body, dict):
        return
    rows = body.get("value", body.get("data"))
    for one in rows if isinstance(rows, list) else [body]:
        if isinstance(one, dict) and str(one.get("id", "")).lower() == row.lower():
            yield one


def values() -> st.SearchStrategy[Any]:
    """A hostile value of any field."""
    return st.sampled_from((*TEXTS, *IDS, *TIMES, *OTHERS))


def edited() -> st.SearchStrategy[Hostile]:
    """One to four fields of a resource with hostile values."""
    one = st.tuples(st.sampled_from(FIELDS), values())
    return st.lists(one, min_size=1, max_size=4).map(lambda edits: Edited(tuple(edits)))


_BODIES: tuple[str | bytes | None, ...] = (
    None, "", "null", "7", '"x"', "[]", "{}", "[null]", "<html>busy</html>", '{"value":', '{"id": "x"', "NaN", _DEEP,
    b"\xff\xfe\x00", b"\xef\xbb\xbf{}", json.dumps({"value": None}), json.dumps({"value": {}}),
    json.dumps({"error": 7}), json.dumps({"error": {"code": 7, "message": [HALF]}}),
    json.dumps({"error": {"code": HALF, "message": HALF * 5000}}),
    json.dumps({"error": {"code": "AuthorizationFailed", "message": "no", "details": 5, "additionalInfo": [7]}}),
    json.dumps({"error": {"code": "ResourceNotFound", "details": [None, {"message": {}}]}}), "x" * 300_000,
    json.dumps({"error": {"code": "x" * 9000, "message": "\0\n"}}),
)  # fmt: skip
_HEADERS: tuple[tuple[tuple[str, str], ...], ...] = (
    (), (), (),
    *((("Retry-After", text),) for text in ("0", "1", "86400", "999999999", "-5", "1e99", "soon", "٣", "nan",
                                           "Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 GMT")),
    (("Content-Type", "text/html"),), (("Content-Type", "application/json; charset=klingon"),),
    (("Content-Type", ""),), (("Content-Encoding", "gzip"),), (("Content-Encoding", "br"),),
    (("Date", "yesterday"),), (("Date", ""),), (("Date", "Fri, 31 Dec 9999 23:59:59 GMT"),),
    (("x-ms-ratelimit-remaining-resource", "Microsoft.Compute/GetVM;x"),),
    (("x-ms-ratelimit-remaining-resource", ";;,"),),
)  # fmt: skip
_STATUSES = (200, 200, 202, 204, 301, 302, 304, 307, 308, 400, 401, 403, 403, 404, 404, 408, 409, 410, 412, 418, 429,
             429, 500, 500, 502, 503, 503, 504, 599)  # fmt: skip
_LOCATIONS = ("http://169.254.169.254/", "/", "https://example.com/x", "x:\\y", "")


def _whole(status: int, body: str | bytes | None, headers: tuple[tuple[str, str], ...], location: str) -> Hostile:
    leads = ((("Location", location),) if 300 <= status < 400 else ()) if status != 304 else ()
    return Whole(status, None if status in (204, 304) else body, (*headers, *leads))


def wholes() -> st.SearchStrategy[Hostile]:
    """Another answer: any status, body and headers."""
    parts = (_STATUSES, _BODIES, _HEADERS, _LOCATIONS)
    return st.builds(_whole, *(st.sampled_from(part) for part in parts))


_ROWS: tuple[Any, ...] = (
    None, 7, "x", [], {}, {"id": None}, {"id": 7}, {"id": ""}, {"id": "odd"}, {"id": HALF}, {"id": GROUP, "tags": HALF},
    {"id": f"{VM_ID}x", "tags": {"AutoRefresh": "true", "OsDiskName": HALF}, "properties": 7},
    {"id": f"{VM_ID}y", "name": [], "tags": [], "properties": {"storageProfile": {"osDisk": 7}}},
    {"tags": {"AutoRefresh": "true", "OsDiskName": "no-such-disk"}},
)  # fmt: skip
_NEXT_PAGES = ("{url}", "{url}", "http://169.254.169.254/x", "x", "http://[", "/subscriptions?x=" + HALF)


def rows() -> st.SearchStrategy[Hostile]:
    """A list with hostile rows beside Azure's own."""
    return st.lists(st.sampled_from(_ROWS), min_size=1, max_size=3).map(lambda drawn: Listed(tuple(drawn)))


def endless() -> st.SearchStrategy[Hostile]:
    """A list whose pages lead nowhere, or never end."""
    return st.sampled_from(_NEXT_PAGES).map(lambda page: Listed(next_page=page))
