"""The app's requests to a gallery have the shape of recorded requests that Azure accepted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from refresh.domain.images.publishing import Demand, Publishing, version_body
from refresh.domain.images.sources import Source, read_source
from tests.support.recordings.recordings import ABSENT, FOLDER, load
from tests.support.worlds.builders import make_definition

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=ABSENT)

RECORDINGS = (
    "gallery_image_version_sources",
    "gallery_image_version_vhd",
    "gallery_image_version_replication_status_net",
    "disk_create_from_gallery_version",
)
# What the app sends in addition, by the paths of the REST reference of gallery image versions.
OURS = {
    "$.tags.RefreshPeriod",
    "$.tags.RefreshChecks",
    "$.properties.publishingProfile.excludeFromLatest",
    "$.properties.publishingProfile.targetRegions[].regionalReplicaCount",
}
# The account of a blob has another name since the recordings: today's client and CLI send `storageAccountId`.
RENAMED = {"$.properties.storageProfile.dataDiskImages[].source.storageAccountId": "source.id"}


def paths(value: Any, at: str = "$") -> Iterator[tuple[str, str]]:
    """The path and type of every leaf of a body; all entries of a list have the same path."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths(inner, f"{at}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from paths(inner, f"{at}[]")
    else:
        yield at, type(value).__name__


def recorded_versions() -> list[Any]:
    return [
        pytest.param(one.request_body, id=f"{name}-{one.index}")
        for name in RECORDINGS
        for one in load(name)
        if one.method == "PUT" and "/versions/" in one.path and one.status == 201
    ]


def as_tags(storage: dict[str, Any]) -> dict[str, str]:
    """The tags of a definition that name the recorded source."""
    source = storage.get("source", {})
    if source:
        return {"RefreshSource": source.get("virtualMachineId") or source["id"]}
    tags = {"RefreshSource": storage["osDiskImage"]["source"]["id"]}
    for image in storage.get("dataDiskImages", []):
        blob = image["source"].get("uri")
        tags[f"RefreshSourceLun{image['lun']}"] = blob or image["source"]["id"]
        if blob:
            tags["RefreshSourceStorage"] = image["source"]["id"]
    return tags


@pytest.mark.parametrize("recorded", recorded_versions() if FOLDER.is_dir() else [])
def test_the_request_for_a_version_has_the_recorded_shape(recorded: dict[str, Any]) -> None:
    """For each recorded source the request has the recorded paths and types, plus only the listed ones."""
    definition = make_definition(as_tags(recorded["properties"]["storageProfile"]), location=recorded["location"])
    source = read_source(definition)
    assert isinstance(source, Source)
    regions = tuple(one["name"] for one in recorded["properties"]["publishingProfile"]["targetRegions"])
    sent = version_body(definition, source, Publishing(), Demand(regions, "202611", "2026-11-01T00:00:00Z"))
    wanted = {(path, kind) for path, kind in paths(recorded)}
    ours = {(path, kind) for path, kind in paths(sent) if path not in OURS and path not in RENAMED}
    assert ours == wanted - {("$.properties.publishingProfile.targetRegions[].regionalReplicaCount", "int")}
    if any("uri" in path for path, _ in wanted):
        assert {path for path, _ in paths(sent)} & RENAMED.keys()
