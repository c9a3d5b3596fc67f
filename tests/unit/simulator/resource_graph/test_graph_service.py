"""The query service: scopes, pages, formats, quota and errors as in Azure."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.clock import Clock
from simulator.resource_graph import ResourceGraph, Tenant

SELECTION = (
    "resources | where type =~ 'microsoft.compute/virtualmachines' "
    '| where tostring(tags) contains \'"AutoRefresh":"true"\' or tostring(tags) contains \'"AutoRefresh":"hold"\' '
    "| project id, name, tags | order by id asc"
)


def _body(number: int, subscription: str) -> dict[str, Any]:
    group = f"/subscriptions/{subscription}/resourceGroups/rg"
    return {
        "id": f"{group}/providers/Microsoft.Compute/virtualMachines/vm{number:04}",
        "name": f"vm{number:04}",
        "type": "Microsoft.Compute/virtualMachines",
        "tags": {"AutoRefresh": "true"},
        "properties": {"storageProfile": {"osDisk": {"name": f"os{number}"}}, "filler": ["x" * 50] * 20},
    }


GROUP = {
    "id": "/providers/Microsoft.Management/managementGroups/child",
    "name": "child",
    "type": "Microsoft.Management/managementGroups",
    "properties": {"details": {"managementGroupAncestorsChain": [{"name": "platform"}]}},
}
BODIES = [*(_body(n, "s1") for n in range(2400)), *(_body(n, "s2") for n in range(100)), GROUP]


def graph(clock: Clock | None = None) -> ResourceGraph:
    groups = {"platform": ["s1"], "child": ["s1"], "tenant": ["s1", "s2"]}
    tenant = Tenant("tenant", lambda: BODIES, lambda: ["s1", "s2"], lambda name: groups.get(name, []))
    return ResourceGraph(clock or Clock("virtual"), tenant)


def post(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    status, _, answer = graph().answer(body, "app")
    return status, answer


def test_skip_tokens_return_every_row_once() -> None:
    """Following $skipToken returns each row once; the last page has no token; totalRecords counts all rows."""
    seen: list[str] = []
    options: dict[str, Any] = {}
    service = graph()
    for expected in (1000, 1000, 500):
        status, _, answer = service.answer({"query": SELECTION, "options": options}, "app")
        assert (status, answer["count"], answer["totalRecords"]) == (200, expected, 2500)
        assert (answer["resultTruncated"], answer["facets"]) == ("false", [])
        seen += [row["id"] for row in answer["data"]]
        options = {"$skipToken": answer.get("$skipToken")}
    assert options == {"$skipToken": None}
    assert seen == sorted(seen)
    assert len(set(seen)) == 2500


def test_top_and_skip_choose_the_page_and_a_token_keeps_its_size() -> None:
    """$skip shifts the first page; its token returns the next page of the same size."""
    _, first = post({"query": "project name", "subscriptions": ["s1"], "options": {"$top": 3, "$skip": 2}})
    assert [row["name"] for row in first["data"]] == ["vm0002", "vm0003", "vm0004"]
    token = {"$skipToken": first["$skipToken"]}
    _, second = post({"query": "project name", "subscriptions": ["s1"], "options": token})
    assert [row["name"] for row in second["data"]] == ["vm0005", "vm0006", "vm0007"]


@pytest.mark.parametrize("query", ["project name | take 1500", "project tags, properties"])
def test_a_result_that_cannot_be_continued_is_marked_as_truncated(query: str) -> None:
    """A query with a row limit or with dynamic columns only has no token, but resultTruncated \"true\"."""
    _, answer = post({"query": query})
    assert answer["count"] == 1000
    assert answer["resultTruncated"] == "true"
    assert "$skipToken" not in answer


def test_scopes_select_rows_and_unknown_scopes_are_ignored() -> None:
    """Subscriptions and management groups bound the rows; an unknown subscription beside a known one is ignored."""
    count = "resources | count"
    assert post({"query": count})[1]["data"] == [{"Count": 2500}]
    assert post({"query": count, "subscriptions": ["S2", "unknown"]})[1]["data"] == [{"Count": 100}]
    assert post({"query": count, "managementGroups": ["platform"]})[1]["data"] == [{"Count": 2400}]
    assert post({"query": count, "managementGroups": ["platform", "unknown"]})[1]["data"] == [{"Count": 2400}]


@pytest.mark.parametrize("scope", [{"subscriptions": ["unknown"]}, {"managementGroups": ["unknown"]}])
def test_a_scope_of_nothing_readable_is_forbidden(scope: dict[str, Any]) -> None:
    """If none of the scopes is readable, the answer is 403, not an empty list."""
    status, answer = post({"query": "resources", **scope})
    assert status == 403
    assert answer["error"]["details"][0]["code"] == "AccessDenied"


@pytest.mark.parametrize(("scope", "found"), [(["platform"], 1), (["child"], 1), (["tenant"], 1), ([], 1)])
def test_management_groups_are_found_under_their_ancestors(scope: list[str], found: int) -> None:
    """ResourceContainers lists a management group in its own scope, that of an ancestor, and the tenant's."""
    query = "ResourceContainers | where type contains 'management' | project id, name, type"
    _, answer = post({"query": query, "managementGroups": scope})
    assert len(answer["data"]) == found


def test_the_table_format_has_typed_columns() -> None:
    """With resultFormat table the answer has columns with types and rows without names."""
    query = "where name == 'vm0000' and id contains 's1' | project name, tags, n = strlen(name), b = name == 'x'"
    _, answer = post({"query": query, "options": {"resultFormat": "table"}})
    assert answer["data"] == {
        "columns": [
            {"name": "name", "type": "string"},
            {"name": "tags", "type": "object"},
            {"name": "n", "type": "integer"},
            {"name": "b", "type": "boolean"},
        ],
        "rows": [["vm0000", {"AutoRefresh": "true"}, 6, False]],
    }


def test_the_quota_falls_with_each_query_and_refills_by_the_clock() -> None:
    """Each caller has 15 queries in 5 seconds, reported in headers; only the clock resets the quota."""
    clock = Clock("virtual")
    service = graph(clock)
    remaining = [
        service.answer({"query": "resources | count"}, "app")[1]["x-ms-user-quota-remaining"] for _ in range(17)
    ]
    assert remaining == [str(n) for n in range(14, -1, -1)] + ["0", "0"]
    clock.advance(3.5)
    headers = service.answer({"query": "resources | count"}, "app")[1]
    assert (headers["x-ms-user-quota-remaining"], headers["x-ms-user-quota-resets-after"]) == ("0", "00:00:02")
    assert service.answer({"query": "resources | count"}, "other")[1]["x-ms-user-quota-remaining"] == "14"
    clock.advance(1.5)
    assert service.answer({"query": "resources | count"}, "app")[1]["x-ms-user-quota-remaining"] == "14"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"query": ""},
        {"query": 7},
        {"query": "resources", "options": "all"},
        {"query": "resources", "options": {"$top": 1001}},
        {"query": "resources", "options": {"$top": 0}},
        {"query": "resources", "options": {"$skip": -1}},
        {"query": "resources", "options": {"$skipToken": "nonsense"}},
        {"query": "resources", "subscriptions": "s1"},
        {"query": "resources", "facets": [{"expression": "type"}]},
        {"query": "resources | nonsense"},
    ],
)
def test_a_bad_request_is_azures_400(body: dict[str, Any]) -> None:
    """Any invalid request is a 400 with a code, a message and details."""
    status, answer = post(body)
    assert status == 400
    assert answer["error"]["code"] == "BadRequest"
    assert all(detail["code"] and detail["message"] for detail in answer["error"]["details"])
