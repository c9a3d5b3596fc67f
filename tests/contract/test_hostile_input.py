"""Hostile values in every field of every route and of an event: a clear answer, nothing changed, nothing lost.

The fields come from the routes themselves, so that a new route or field is tested without a new row here.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from yarl import URL

from refresh.triggers.http.routes import ROUTES, Route
from tests.support.pages.routes import name_of, takes_of
from tests.support.worlds.builders import GROUP, VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body
from tests.support.worlds.month_world import gallery_bodies

NAMES = [
    "",
    " ",
    ".",
    "..",
    "/",
    "//",
    "../..",
    "a/../b",
    "%2e%2e",
    "..%2f..",
    "%",
    "\\..\\",
    "a b",
    "?x",
    "#x",
    "x" * 2000,
]
TIMES = [
    "0001-01-01", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "1600-12-31T00:00:00Z", "9999-12-31",
    "9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59-14:00", "10000-01-01T00:00:00Z", "-0001-01-01T00:00:00Z",
    "2026-02-30T00:00:00Z", "2026-11-21T10:00:00+25:00", "2026-11-21T10:00:00 Europe/Berlin", "yesterday",
]  # fmt: skip
NUMBERS = ["NaN", "Infinity", "-1", "0", "1e999", "0x10", "٣", "9" * 30, "9" * 1500]
TEXTS = ["\0", "web\0", "\n", "\u202e", "é", "\U0001f600", "null", "[]", "{}", "<script>"]
GROUPS = ["..", ".", "%2e%2e", "%2E.", "a%2fb", "a?b", "a#b", "a\\b", "\0", "", " \n"]
IDS = [VM_ID.replace("rg-app", group) for group in GROUPS]
IDS += [f"{VM_ID}/../../x", f"/..{VM_ID}", VM_ID.replace("web01", ".."), VM_ID.replace("/subscriptions/", "/.."), GROUP]
STRINGS = [*NAMES, *TIMES, *NUMBERS, *TEXTS, *IDS]
# What a query cannot hold, and a JSON text can.
SURROGATES = ["\ud800", "web\udfff", VM_ID.replace("rg-app", "\ud800")]
OTHERS: list[Any] = [None, [], {}, [[]], [None], 7, -1, 1.5, float("nan"), float("inf"), 10**400]
# What a query can hold and no text: bytes that are no UTF-8, and half of a surrogate pair.
RAW = ["%ff", "%ED%A0%80", "%00", "%", "%zz", "&", "=", "%26x=1"]
# Free text for people, and names: some of the values could be the name of a VM or a disk. Other fields take none.
FREE, NAMED = ("why",), ("vm", "vms", "disk")
PLAUSIBLE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}\Z")
NOT_EVEN_TEXT = re.compile("[\0\ud800-\udfff]")
BODIES = [
    b"\xff\xfe",
    b"\0",
    b"NaN",
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"\\ud800": 1}',
    b'{"why": "\xed\xa0\x80"}',
    b'"',
]
FLEET = [*gallery_bodies(), vm_body()]


def route_named(name: str) -> Route:
    return next(route for route in ROUTES if name_of(route) == name)


def queries(route: Route) -> Iterator[tuple[str, str]]:
    """Each field of a route with each hostile value, as it stands in a URL."""
    for field in takes_of(route).fields:
        for value in STRINGS:
            yield field, str(URL.build(query={field: value}).raw_query_string)
        for raw in RAW:
            yield field, f"{field}={raw}"


def bodies(route: Route) -> Iterator[tuple[str, Any]]:
    """Each field of a route with each hostile value. A dry run, so that nothing would happen if a value were taken."""
    fields = takes_of(route).fields
    for field in fields:
        for value in [*STRINGS, *SURROGATES, *OTHERS]:
            for given in (value, [value]) if field == "vms" else (value,):
                vms = {"vms": [VM_ID]} if "vms" in fields and field not in ("vms", "all") else {}
                yield field, {"dryRun": True, **vms, field: given}


UNKNOWN_RUN = "swaps-202611-0a1b2c3d-00000000"


def could_name(field: str, value: Any) -> bool:
    """Whether a VM or a disk could have this name: nothing is wrong with the request but that there is none."""
    text = value[0] if isinstance(value, list) and value else value
    return field in NAMED and isinstance(text, str) and bool(PLAUSIBLE_NAME.match(text))


async def answer_to(azure: LocalAzure, method: str, path: str, data: Any = None) -> tuple[int, dict[str, Any], str]:
    """Status, problem and what was sent. AssertionError unless a refusal is a problem that can be read."""
    url = URL(f"{azure.functions}{path}", encoded=True)
    async with azure.http.request(method, url, data=data, allow_redirects=False) as answer:
        text = await answer.text()
        sent = f"{method} {path[:200]} {str(data)[:200]}: {answer.status} {text[:300]}"
        assert answer.status < 500, sent
        if answer.status < 400:
            return answer.status, {}, sent
        # The host itself answers a path without a route.
        if answer.status == 404 and not text.startswith("{"):
            return answer.status, {}, sent
        assert answer.headers["Content-Type"].startswith("application/problem+json"), sent
        problem = json.loads(text)
        assert problem["status"] == answer.status, sent
        assert problem["detail"], sent
        assert "Traceback" not in text, sent
        return answer.status, problem, sent


def assert_untouched(azure: LocalAzure) -> None:
    """No write to Azure, no run, nothing in the dispatcher's state."""
    rows = azure.simulator.journal.to_json(azure.clock.now())["requests"]
    assert {row["method"] for row in rows if "ResourceGraph" not in row["path"]} <= {"GET"}
    assert not any(".." in row["path"] or "%2e" in row["path"].lower() for row in rows)
    assert (azure.dispatcher_state(), azure.hub.orchestrations.instances) == ({}, {})


@pytest.mark.parametrize(
    "name", [name_of(route) for route in ROUTES if route.method == "GET" and takes_of(route).fields]
)
def test_a_hostile_query_is_refused_by_name(name: str) -> None:
    """Each value of each field is a 400 whose detail names the field."""
    route = route_named(name)
    asked = list(queries(route))

    async def story(azure: LocalAzure) -> None:
        for field, query in asked:
            status, problem, sent = await answer_to(azure, "GET", f"/api/{route.route}?{query}")
            assert status == (404 if could_name(field, query.partition("=")[2]) else 400), sent
            if status == 404:
                continue
            assert field in problem["detail"], sent
        assert_untouched(azure)

    play(story, FLEET, events=False)


@pytest.mark.parametrize(
    "name", [name_of(route) for route in ROUTES if route.method == "POST" and takes_of(route).fields]
)
def test_a_hostile_body_is_refused_by_name(name: str) -> None:
    """Each value of each field is a 400 whose detail names the field; free text is taken unless it is none."""
    route = route_named(name)
    asked = list(bodies(route))

    async def story(azure: LocalAzure) -> None:
        for field, body in asked:
            path = f"/api/{route.route}".replace("{id}", UNKNOWN_RUN)
            status, problem, sent = await answer_to(azure, "POST", path, json.dumps(body))
            value = body[field]
            if field in FREE and isinstance(value, str) and len(value) <= 200 and not NOT_EVEN_TEXT.search(value):
                assert status == (404 if "{id}" in route.route else 200), sent
                continue
            if could_name(field, value) and (field == "disk" or isinstance(value, list)):
                assert status == (200 if field == "disk" else 404), sent
                continue
            assert status == 400, sent
            assert field in problem["detail"], sent
        assert_untouched(azure)

    play(story, FLEET, events=False)


def test_a_hostile_path_or_body_of_any_route_is_a_problem() -> None:
    """Ids that are none in a path, bodies that are no JSON, queries where there are none: at most a 404 or 413."""

    async def story(azure: LocalAzure) -> None:
        ids = [str(URL.build(path=f"/{value}").raw_path)[1:] for value in STRINGS if value and not value.isspace()]
        for one in [*ids, *RAW, "%2e%2e", "%2F", "swap-..", "month-%00", "swaps-0001-01-01", "look-" + "9" * 90]:
            status, _, sent = await answer_to(azure, "GET", f"/api/runs/{one}")
            assert status in (200, 400, 404), sent
        for route in ROUTES:
            path = f"/api/{route.route.format(id='swap-0-1')}"
            for body in BODIES if route.method == "POST" else ():
                status, _, sent = await answer_to(azure, route.method, path, body)
                assert status == 400, sent
            for raw in (*RAW, "..", "%2e%2e=1", "from=a&from=b", "x" * 2000):
                status, _, sent = await answer_to(azure, route.method, f"{path}?{raw}", b'{"dryRun": 1}')
                assert status in (200, 400, 404), sent
        assert_untouched(azure)

    play(story, FLEET, events=False)


def vm_id(number: int) -> str:
    return VM_ID.replace("web01", f"vm{number:03}")


def event(number: int, **changes: Any) -> dict[str, Any]:
    """An event about VM `number` with changed fields; `...` removes a field."""
    data = {"operationName": "Microsoft.Resources/tags/write", "resourceUri": vm_id(number)}
    good = {"id": "e1", "topic": "/", "subject": vm_id(number), "eventType": "Microsoft.Resources.ResourceWriteSuccess",
            "eventTime": "2026-11-21T10:00:00Z", "dataVersion": "2", "metadataVersion": "1", "data": data}  # fmt: skip
    return {key: value for key, value in {**good, **changes}.items() if value is not ...}


async def deliver(azure: LocalAzure, body: dict[str, Any]) -> None:
    url = f"{azure.functions}/runtime/webhooks/eventgrid?functionName=on_resource_write"
    async with azure.http.post(url, data=json.dumps([body]), headers={"aeg-event-type": "Notification"}) as answer:
        assert answer.status == 202, (body, await answer.text())


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.startswith("refresh")]


def without_vm(field: str, value: Any) -> dict[str, Any]:
    """An event with `value` in `field`; of the two fields with the VM's id the other one is empty."""
    if field in ("eventType", "data"):
        return event(0, **{field: value})
    data = dict(event(0)["data"])
    data |= {"resourceUri": ""} if field == "subject" else {field: value}
    if field == "subject":
        return event(0, data=data, subject=value)
    return event(0, data={key: one for key, one in data.items() if one is not ...}, subject="")


HOSTILE = [*STRINGS, *SURROGATES, *OTHERS, ...]


@pytest.mark.parametrize("field", ["id", "topic", "eventTime", "dataVersion", "metadataVersion"])
def test_an_event_counts_whatever_is_in_a_field_that_is_not_needed(
    field: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Event Grid need not send it again, and its VM is looked at; an impossible time is one log line."""
    caplog.set_level(logging.INFO)

    async def story(azure: LocalAzure) -> None:
        for number, value in enumerate(HOSTILE):
            caplog.clear()
            await deliver(azure, event(number, **{field: value}))
            found = [line for line in lines(caplog) if line.startswith("event")]
            assert len(found) == (field == "eventTime"), (value, found)
            assert all("\n" not in line and "time" in line for line in found), found
            if (
                number % 30 == 29
            ):  # events about more VMs at once would be a list, which VMs that do not exist are not in
                await azure.settled()
        await azure.settled()
        seen = {
            row["path"].rsplit("/", 1)[-1] for row in azure.simulator.journal.to_json(azure.clock.now())["requests"]
        }
        assert {f"vm{number:03}" for number in range(len(HOSTILE))} <= seen
        assert azure.dispatcher_state().get("bad", []) == []

    play(story, FLEET, events=False)


@pytest.mark.parametrize("field", ["subject", "eventType", "data", "operationName", "resourceUri"])
def test_an_event_that_names_no_vm_is_at_most_one_log_line(field: str, caplog: pytest.LogCaptureFixture) -> None:
    """It is accepted, reaches neither the dispatcher nor ARM, and the next event counts."""
    caplog.set_level(logging.INFO)

    async def story(azure: LocalAzure) -> None:
        for value in HOSTILE:
            caplog.clear()
            await deliver(azure, without_vm(field, value))
            found = lines(caplog)
            assert len(found) <= 1, (value, found)
            assert all("\n" not in line and len(line) < 400 for line in found), found
        assert azure.dispatcher_state() == {}
        assert_untouched(azure)
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await deliver(azure, {**event(0), "data": {**event(0)["data"], "resourceUri": VM_ID}})
        await azure.settled()
        assert await azure.os_disk(VM_ID) == "web01-new"

    play(story, [vm_body(), disk_body("web01-new")], events=False)
