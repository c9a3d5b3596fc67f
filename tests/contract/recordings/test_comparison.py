"""The comparison with recorded traffic reports every difference and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.recordings.initial_resources import created_later, initial_resources
from tests.support.recordings.recordings import Interaction, differences
from tests.support.recordings.replay import ReplayResult
from tests.support.recordings.retry_after import retry_after_of
from tests.support.recordings.scoreboard import Known, unexplained

ID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/disks/d"


def recorded(**changes: Any) -> Interaction:
    raw = {
        "method": "GET",
        "url": f"https://management.azure.com{ID}?api-version=2023-04-02",
        "status": 200,
        "responseHeaders": {"Content-Type": "application/json", "date": "Mon, 26 Aug 2024 09:20:54 GMT", "etag": "1"},
        "responseBody": {"id": ID, "zones": ["1"], "properties": {"size": 1.5, "on": True}},
    }
    return Interaction(0, raw | changes)


HEADERS = {"Content-Type": "x", "ETag": "2", "x-ms-request-id": "noise"}


@pytest.mark.parametrize(
    ("status", "headers", "body", "expected"),
    [
        (200, {}, {}, []),
        (202, {}, {}, ["status 202, recorded 200"]),
        (200, {"Location": "l"}, {}, ["header location not recorded"]),
        (200, {"ETag": None}, {}, ["header etag missing"]),
        (200, {}, {"zones": ["1", "2"]}, []),
        (200, {}, {"zones": [1]}, ["body $.zones[] is number, recorded string"]),
        (200, {}, {"zones": []}, ["body $.zones[] missing"]),
        (200, {}, {"tags": {}}, ["body $.tags not recorded"]),
        (200, {}, {"properties": {"size": 2, "on": 1}}, ["body $.properties.on is number, recorded boolean"]),
    ],
)
def test_the_comparison_reports_each_difference(
    status: int, headers: dict[str, str | None], body: dict[str, Any], expected: list[str]
) -> None:
    """Status, header names, JSON paths and types are compared; values and unstable headers are not."""
    interaction = recorded()
    sent = {name: value for name, value in (HEADERS | headers).items() if value is not None}
    assert list(differences(interaction, status, sent, interaction.body | body)) == expected


def test_the_comparison_includes_error_codes() -> None:
    """Two errors of the same shape with different codes differ."""
    interaction = recorded(status=409, responseBody={"error": {"code": "Conflict", "message": "m"}})
    body = {"error": {"code": "OperationNotAllowed", "message": "other"}}
    assert list(differences(interaction, 409, HEADERS, body)) == ["error code OperationNotAllowed, recorded Conflict"]


@pytest.mark.parametrize(
    ("method", "path", "status", "first", "poll"),
    [
        ("POST", "virtualMachines/v/deallocate", 202, "10", "30"),
        ("POST", "virtualMachines/v/powerOff", 202, None, None),
        ("DELETE", "virtualMachines/v", 202, "10", "30"),
        ("PUT", "virtualMachines/v", 201, "10", "60"),
        ("PUT", "virtualMachines/v", 200, None, None),
        ("PATCH", "disks/d", 202, "2", "10"),
        ("DELETE", "disks/d", 202, None, None),
        ("PUT", "galleries/g/images/i", 201, None, None),
        ("PUT", "galleries/g/images/i/versions/1.0.0", 201, "60", "60"),
        ("DELETE", "galleries/g/images/i/versions/1.0.0", 202, "60", "60"),
    ],
)
def test_retry_after_is_compared_with_its_table(
    method: str, path: str, status: int, first: str | None, poll: str | None
) -> None:
    """Each operation has its own Retry-After on the first response and on polls; the last poll has none."""
    url = f"https://management.azure.com/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/{path}?a=1"
    row = retry_after_of(recorded(method=method, url=url, status=status))

    def headers(value: str | None) -> dict[str, str]:
        return {} if value is None else {"Retry-After": value}

    assert list(row.of_first(headers(first))) == list(row.of_poll(headers(poll), in_progress=True)) == []
    assert list(row.of_first(headers("77")))
    assert list(row.of_poll(headers("10"), in_progress=False))


def test_a_known_difference_that_does_not_occur_is_reported() -> None:
    """A known difference covers only what it names, and one that no longer occurs is reported."""
    result = ReplayResult("r", 3, "GET x", ["body $.a missing", "status 1, recorded 2"])
    known = (Known("r", 3, "body $.a*", "why"), Known("r", None, "header b missing", "why"), Known("q", 1, "c", "why"))
    lines = unexplained([result], known)
    assert len(lines) == 2
    assert "status 1, recorded 2" in lines[0]
    assert "header b missing" in lines[1]


def test_what_the_recording_does_not_create_is_seeded_when_it_existed() -> None:
    """A VM with a disk that the recording creates is seeded where it is first shown; a preview from the start."""
    group = "/subscriptions/s/resourceGroups/g"
    vm = f"{group}/providers/Microsoft.Compute/virtualMachines/v"
    gallery = f"{group}/providers/Microsoft.Compute/galleries/x"
    shared = {"properties": {"sharingProfile": {"permissions": "Groups"}}}
    model = {"id": vm, "properties": {"storageProfile": {"osDisk": {"managedDisk": {"id": ID}}}}}
    bodies = [
        ("PUT", ID, 202, {"location": "westus"}, {"id": ID}),
        ("GET", vm, 200, None, model),
        ("PUT", gallery, 201, {**shared, "location": "westus"}, {"id": gallery}),
    ]
    interactions = [
        Interaction(index, {"method": method, "url": f"https://a{path}?a=1", "status": status, "responseHeaders": {},
                            "requestBody": sent, "responseBody": answer})
        for index, (method, path, status, sent, answer) in enumerate(bodies)
    ]  # fmt: skip
    assert created_later(interactions) == {1: [model]}
    seeds = {body["id"].lower(): body for body in initial_resources(interactions)}
    assert seeds.keys() == {"/subscriptions/s", group.lower()}
    assert seeds["/subscriptions/s"]["_features"] == ["Microsoft.Compute/SIGSharing"]
