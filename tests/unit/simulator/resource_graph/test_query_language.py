"""The query language: the results of operators and functions, and the refusal of unknown words."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.resource_graph import QueryError, run_query


def _vm(name: str, tags: dict[str, str] | None, **extra: Any) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/S1/resourceGroups/Rg-A/providers/Microsoft.Compute/virtualMachines/{name}",
        "name": name,
        "type": "Microsoft.Compute/virtualMachines",
        "location": "WestEurope",
        "tags": tags,
        "properties": {"storageProfile": {"osDisk": {"name": f"{name}-os"}}, "cores": len(name), "spot": name == "ccc"},
        **extra,
    }


BODIES = [
    _vm("a", {"AutoRefresh": "true", "cost center": "42-x it's"}, zones=["1"]),
    _vm("BB", {"autorefresh": "TRUE"}),
    _vm("ccc", {"AutoRefresh": "hold"}),
    _vm("dddd", None),
    {"id": "/subscriptions/S1/resourceGroups/Rg-A", "name": "Rg-A", "type": "Microsoft.Resources/resourceGroups"},
]


def names(kql: str) -> list[str]:
    return [row["name"] for row in run_query(kql, BODIES)]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("name == 'bb'", []),
        ("name =~ 'bb'", ["BB"]),
        ("name != 'a'", ["BB", "ccc", "dddd"]),
        ("name !~ 'bb'", ["a", "ccc", "dddd"]),
        ("name in ('a', 'bb')", ["a"]),
        ("name in~ ('a', 'bb')", ["a", "BB"]),
        ("name !in ('a', 'bb')", ["BB", "ccc", "dddd"]),
        ("name !in~ ('a', 'bb')", ["ccc", "dddd"]),
        ("name contains 'b'", ["BB"]),
        ("name contains_cs 'b'", []),
        ("name !contains 'b'", ["a", "ccc", "dddd"]),
        ("name startswith 'B'", ["BB"]),
        ("name startswith_cs 'b'", []),
        ("name endswith 'C'", ["ccc"]),
        ("name !endswith 'c'", ["a", "BB", "dddd"]),
        ("name endswith_cs 'C'", []),
        ("id has 'resourcegroups'", ["a", "BB", "ccc", "dddd"]),
        ("id has 'resourcegroup'", []),
        ("tags['cost center'] has '42'", ["a"]),
        ("tags['cost center'] has '4'", []),
        ('tags["cost center"] has_cs "X"', []),
        ("tags['cost center'] == '42-x it\\'s'", ["a"]),
        ("tags !has 'hold'", ["a", "BB", "dddd"]),
        ("tags.AutoRefresh == 'true'", ["a"]),
        ("tags.autorefresh == 'TRUE'", ["BB"]),
        ("isempty(tags)", ["dddd"]),
        ("isnotempty(tags.AutoRefresh)", ["a", "ccc"]),
        ("isnull(tags.AutoRefresh)", ["BB", "dddd"]),
        ("isnotnull(zones)", ["a"]),
        ("zones[0] == '1'", ["a"]),
        ("properties.spot == true", ["ccc"]),
        ("properties.cores >= 3", ["ccc", "dddd"]),
        ("properties.cores < 2 or properties.cores > 3", ["a", "dddd"]),
        ("properties.storageProfile.osDisk.name =~ 'BB-OS'", ["BB"]),
        ("tolower(name) == 'bb' and toupper(name) == 'BB'", ["BB"]),
        ("not(name == 'a') and (name == 'a' or name == 'BB')", ["BB"]),
        ("strlen(name) == 2", ["BB"]),
    ],
)
def test_each_condition_selects_what_kusto_selects(condition: str, expected: list[str]) -> None:
    """Every comparison, text operator and predicate keeps exactly the rows Kusto keeps."""
    assert names(f"resources | where {condition}") == expected


def test_a_missing_path_is_null_and_null_compares_as_in_kusto() -> None:
    """A missing path is null: `!=` with a value keeps the row, any comparison of two nulls drops it."""
    assert len(names("where tags.nowhere != 'x'")) == 4
    assert names("where tags.nowhere == tags.elsewhere") == []
    assert names("where not(tags.nowhere == tags.elsewhere)") == []


def test_tostring_of_a_bag_is_compact_json() -> None:
    """`tostring(tags)` is `{"AutoRefresh":"hold"}`, without blanks, so the selection query can search in it."""
    rows = run_query("where name == 'ccc' | project text = tostring(tags)", BODIES)
    assert rows == [{"text": '{"AutoRefresh":"hold"}'}]


def test_the_selection_query_finds_tags_as_written() -> None:
    """The app's selection query works as it is."""
    kql = """resources | where type =~ 'microsoft.compute/virtualmachines'
    | where tostring(tags) contains '"AutoRefresh":"true"' or tostring(tags) contains '"AutoRefresh":"hold"'
    | project id, name, osDisk = properties.storageProfile.osDisk.name | order by id asc  // any case"""
    assert run_query(kql, BODIES)[0] == {"id": BODIES[1]["id"], "name": "BB", "osDisk": "BB-os"}
    assert names(kql) == ["BB", "a", "ccc"]


def test_columns_are_lower_cased_as_azure_does_and_ids_are_not() -> None:
    """type, location and resourceGroup are lower case; id keeps its casing; absent text is empty, absent bags null."""
    (row,) = run_query("where name == 'a' | project-away properties, tags", BODIES)
    assert row == {
        "id": BODIES[0]["id"],
        "name": "a",
        "type": "microsoft.compute/virtualmachines",
        "tenantId": "",
        "kind": "",
        "location": "westeurope",
        "resourceGroup": "rg-a",
        "subscriptionId": "s1",
        "managedBy": "",
        "sku": None,
        "plan": None,
        "identity": None,
        "zones": ["1"],
        "extendedLocation": None,
    }


def test_unnamed_columns_get_kustos_names() -> None:
    """A path becomes its parts joined by `_`, a conversion keeps its argument's name, other calls become Column1."""
    (row,) = run_query(
        "where name == 'a' | project tags['cost center'], tostring(tags.AutoRefresh), toupper(name)", BODIES
    )
    assert list(row) == ["tags_cost center", "tags_AutoRefresh", "Column1"]


def test_order_by_is_descending_by_default_and_places_nulls_as_kusto_does() -> None:
    """`order by` is descending by default; nulls are first ascending and last descending unless `nulls` is given."""
    assert names("order by name") == ["dddd", "ccc", "a", "BB"]
    assert names("sort by name asc") == ["BB", "a", "ccc", "dddd"]
    assert names("extend n = toint(tags.AutoRefresh), k = strlen(name) | order by n asc, k desc")[0] == "dddd"
    text = "extend z = toint(zones[0]) | project name, z | order by z"
    assert names(f"{text} asc")[-1] == "a"
    assert names(f"{text} desc")[0] == "a"
    assert names(f"{text} desc nulls first")[-1] == "a"


def test_counting_and_taking() -> None:
    """count, take, limit, top, distinct and summarize count() return the expected rows."""
    assert run_query("resources | count", BODIES) == [{"Count": 4}]
    assert names("resources | limit 2") == names("Resources | take 2") == ["a", "BB"]
    assert names("top 1 by name asc") == ["BB"]
    assert run_query("distinct resourceGroup", BODIES) == [{"resourceGroup": "rg-a"}]
    assert run_query("summarize n = count() by tostring(tags.AutoRefresh) | where n > 1", BODIES) == [
        {"tags_AutoRefresh": "", "n": 2}
    ]
    assert run_query("where name == 'none' | summarize count()", BODIES) == [{"count_": 0}]


def test_groups_are_found_in_resource_containers_only() -> None:
    """Resource groups are rows of ResourceContainers, not of Resources."""
    assert names("ResourceContainers") == ["Rg-A"]


@pytest.mark.parametrize(
    ("kql", "construct"),
    [
        ("resources | mv-expand tags", "mv-expand"),
        ("resources | join (x) on id", "join"),
        ("resources | fancy", "fancy"),
        ("resources | where name has_any ('a', 'b')", "has_any"),
        ("resources | where name matches regex 'a.*'", "matches"),
        ("resources | where name like", "like"),
        ("resources | where parse_json(name) == 1", "parse_json"),
        ("resources | summarize dcount(name)", "dcount"),
        ("securityresources | take 1", "securityresources"),
        ("resources | where nme == 'a'", "nme"),
        ("resources | project-away nme", "nme"),
        ("resources | project n = name, n = id", "n"),
    ],
)
def test_an_unknown_word_is_named_in_the_refusal(kql: str, construct: str) -> None:
    """The refusal names an unknown operator, function, table or column."""
    with pytest.raises(QueryError) as refused:
        run_query(kql, BODIES)
    assert refused.value.position["token"] == construct
    assert construct in refused.value.message


@pytest.mark.parametrize(
    ("kql", "token", "line", "position"),
    [
        ("where where", "where", 1, 6),
        ("resources |", "<EOF>", 1, 11),
        ("resources\n| where name == ==", "==", 2, 16),
        ("resources | where name == 'open", "'", 1, 26),
        ("resources | take many", "many", 1, 17),
    ],
)
def test_a_malformed_query_is_a_parser_failure_with_its_place(kql: str, token: str, line: int, position: int) -> None:
    """The error has the word at fault and its position."""
    with pytest.raises(QueryError) as refused:
        run_query(kql, BODIES)
    assert refused.value.code == "ParserFailure"
    position_fields = refused.value.position
    fields = tuple(position_fields[name] for name in ("token", "line", "characterPositionInLine"))
    assert fields == (token, line, position)
    assert position_fields["expectedToken"]


@pytest.mark.parametrize(
    ("kql", "reason"),
    [
        ("where name == 1", "Cannot compare"),
        ("where name", "must be of type bool"),
        ("order by properties.cores asc", "dynamic"),
        ("summarize count() by tags.AutoRefresh", "dynamic"),
        ("where name.x == 'a'", "dynamic"),
        ("where isempty(name, id)", "arguments"),
        ("where " + "not(" * 2000 + "true" + ")" * 2000, "nested"),
    ],
)
def test_a_query_with_wrong_types_is_refused_with_the_reason(kql: str, reason: str) -> None:
    """A well-formed query with wrong types or too deep nesting is refused with Kusto's message."""
    with pytest.raises(QueryError, match=reason):
        run_query(kql, BODIES)
