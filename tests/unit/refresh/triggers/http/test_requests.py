"""Bodies and queries of requests: one answer names every fault with its position and cure."""

from __future__ import annotations

import json
from typing import Any

import azure.functions as func
import pytest

from refresh.triggers.http.problem import Problem, ProblemKind
from refresh.triggers.http.requests import MAX_BODY_BYTES, MAX_VMS, read_body, read_query
from tests.support.worlds.builders import VM_ID, disk_id

ALL = ("vms", "all", "period", "disk", "force", "rollout", "rebuild", "why", "dryRun")


def post(body: Any, path: str = "/api/swap") -> func.HttpRequest:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return func.HttpRequest("POST", f"http://app{path}?code=system-key", body=raw)


def get(**query: str) -> func.HttpRequest:
    return func.HttpRequest("GET", "http://app/api/vms", params=query, body=b"")


BAD_BODIES: list[tuple[Any, str, str]] = [
    (b"{", "", "not JSON"),
    (b"\xff\xfe", "", "not JSON"),
    (b"[" * 100_000, "", "not JSON"),
    (["web01"], "", "JSON object"),
    (b'{"force": true, "force": false}', "", "'force' twice"),
    ({"vmz": ["web01"]}, "#/vmz", "is not accepted"),
    ({"vms": "web01"}, "#/vms", "must be a list"),
    ({"vms": []}, "#/vms", "at least one"),
    ({"vms": ["web01", 7]}, "#/vms/1", "must be a VM's name"),
    ({"vms": ["web 01"]}, "#/vms/0", "must be a VM's name"),
    ({"vms": ["web01\n"]}, "#/vms/0", "must be a VM's name"),
    ({"vms": [disk_id("web01")]}, "#/vms/0", "must be a VM's name"),
    ({"vms": [f"{VM_ID}/../../x"]}, "#/vms/0", "must be a VM's name"),
    ({"vms": ["web01"] * (MAX_VMS + 1)}, "#/vms", f"at most {MAX_VMS}"),
    ({"vms": ["web01"], "all": True}, "#/all", "cannot be combined"),
    ({"all": "true"}, "#/all", "true or false"),
    ({"all": True, "period": 202611}, "#/period", '"202611"'),
    ({"all": True, "period": "202613"}, "#/period", '"202611"'),
    ({"all": True, "period": "202611\n"}, "#/period", '"202611"'),
    ({"all": True, "disk": ""}, "#/disk", "must be a disk's name"),
    ({"all": True, "disk": "a/b"}, "#/disk", "must be a disk's name"),
    ({"all": True, "disk": VM_ID}, "#/disk", "must be a disk's name"),
    ({"all": True, "disk": "x" * 300}, "#/disk", "at most 256"),
    ({"all": True, "disk": {"name": "x"}}, "#/disk", "must be a disk's name"),
    ({"all": True, "force": 1}, "#/force", "true or false"),
    ({"all": True, "rollout": "yes"}, "#/rollout", '"auto" or "manual"'),
    ({"all": True, "why": "x" * 201}, "#/why", "at most 200"),
    ({"all": True, "dryRun": None}, "#/dryRun", "true or false"),
    ({"dryRun": True}, "#", '"all": true'),
    ({"all": False}, "#", '"all": true'),
]


@pytest.mark.parametrize(("body", "pointer", "detail"), BAD_BODIES, ids=[str(row[0])[:40] for row in BAD_BODIES])
def test_a_bad_body_is_answered_with_its_fault_and_cure(body: Any, pointer: str, detail: str) -> None:
    """Each malformed body is a 400 that names the fault and its position."""
    with pytest.raises(Problem) as caught:
        read_body(post(body), ALL, must_name_vms=True)
    problem = caught.value
    assert problem.kind is ProblemKind.BAD_REQUEST
    assert detail in problem.detail
    if pointer:
        assert pointer in [error["pointer"] for error in problem.errors]


def test_one_answer_names_all_faults_of_a_body() -> None:
    """A body with four faults is answered with four errors."""
    with pytest.raises(Problem) as caught:
        read_body(post({"vms": [1], "period": "x", "force": "y", "nonsense": 0}), ALL)
    assert [error["pointer"] for error in caught.value.errors] == ["#/nonsense", "#/vms/0", "#/period", "#/force"]


def test_a_key_of_another_route_is_refused_with_those_that_are_taken() -> None:
    """A rollback with a disk is refused with the key's name and the keys that it takes."""
    with pytest.raises(Problem, match="disk is not accepted; /api/rollback accepts vms, all"):
        read_body(post({"all": True, "disk": "x"}, "/api/rollback"), ("vms", "all"))


def test_a_good_body_is_read_as_written() -> None:
    """Every key is read, names and ids unchanged."""
    body = read_body(
        post({"vms": ["web01", VM_ID], "disk": "@Previous", "period": "202611", "force": True, "dryRun": True}), ALL
    )
    assert body.vms == ("web01", VM_ID)
    assert (body.disk, body.period, body.force, body.dry_run, body.all) == ("@Previous", "202611", True, True, False)


def test_an_empty_body_takes_the_defaults() -> None:
    """Where no key is required, no body is the same as an empty one."""
    assert read_body(post(b""), ALL) == read_body(post({}), ALL)


def test_a_body_too_large_is_not_read() -> None:
    """A body over the limit is refused without being parsed."""
    with pytest.raises(Problem) as caught:
        read_body(post(b" " * (MAX_BODY_BYTES + 1)), ALL)
    assert caught.value.kind is ProblemKind.TOO_LARGE


def test_a_query_takes_known_keys_only() -> None:
    """Unknown and empty query keys are named; the host's own keys pass and are never repeated."""
    assert read_query(get(vm="web01", code="system-key", clientId="x"), ("vm",)) == {"vm": "web01"}
    with pytest.raises(Problem) as caught:
        read_query(get(wm="web01", vm="", code="system-key"), ("vm",))
    assert len(caught.value.errors) == 2
    assert "system-key" not in json.dumps(caught.value.errors)
