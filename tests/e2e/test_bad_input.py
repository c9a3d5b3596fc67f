"""Invalid and malicious events and tags against the whole app.

`tests.contract.test_api_refusals` has the requests, against the same local Azure.
"""

from __future__ import annotations

import json
import logging
import re
from typing import Any

import pytest

from tests.support.worlds.builders import GROUP, VM_ID, disk_id
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body

TYPE = "Microsoft.Resources.ResourceWriteSuccess"
TAGS_WRITE = {"operationName": "Microsoft.Resources/tags/write", "resourceUri": VM_ID}
KEY = "bm90LWEta2V5"
# A system key, a token, or the signature of an operation's URL.
SECRET = re.compile(rf"{KEY}|code=|eyJ[A-Za-z0-9_-]{{20}}|[?&][tcsh]=[A-Za-z0-9%_-]{{8}}|sig=")


def event(**changes: Any) -> dict[str, Any]:
    """An Event Grid event about `web01` with changed fields; `...` removes a field."""
    good = {"id": "e1", "topic": "/", "subject": VM_ID, "eventType": TYPE, "eventTime": "2026-11-21T10:00:00Z",
            "dataVersion": "2", "metadataVersion": "1", "data": TAGS_WRITE}  # fmt: skip
    return {key: value for key, value in {**good, **changes}.items() if value is not ...}


# Each event with the text of its only log line; None: the event is about something else and nothing is logged.
EVENTS: dict[str, tuple[Any, str | None]] = {
    "an empty object": ({}, "is NoneType, not an object"),
    "the other schema": ({"specversion": "1.0", "id": "e", "source": "/", "type": TYPE, "data": TAGS_WRITE}, "schema"),
    "no data": (event(data=...), "data is NoneType"),
    "data that is null": (event(data=None), "data is NoneType"),
    "data that is text": (event(data="web01"), "data is str"),
    "data that is a list": (event(data=[TAGS_WRITE]), "data is list"),
    "no event type": (event(eventType=...), "eventType is missing"),
    "an event type that is a number": (event(eventType=7), "eventType is missing"),
    "another event type": (event(eventType="Microsoft.Resources.ResourceDeleteSuccess"), None),
    "no operation": (event(data={"resourceUri": VM_ID}), "operationName is missing"),
    "an operation that is a list": (event(data={**TAGS_WRITE, "operationName": []}), "operationName is missing"),
    "another operation": (event(data={**TAGS_WRITE, "operationName": "Microsoft.Compute/disks/write"}), None),
    "a resource that is a number": (event(data={**TAGS_WRITE, "resourceUri": 7}), "names a resource"),
    "no resource at all": (event(subject="", data={**TAGS_WRITE, "resourceUri": ""}), "names a resource"),
    "half a VM": (event(data={**TAGS_WRITE, "resourceUri": VM_ID.removesuffix("web01")}), "is not the id of a VM"),
    "a way out of the group": (event(data={**TAGS_WRITE, "resourceUri": f"{VM_ID}/../../x"}), None),
    "a VM with a query": (event(data={**TAGS_WRITE, "resourceUri": f"{VM_ID}?code={KEY}"}), "is not the id of a VM"),
    "a line of its own": (event(data={**TAGS_WRITE, "resourceUri": f"{VM_ID}\nERROR x"}), "is not the id of a VM"),
    "a very long VM": (event(data={**TAGS_WRITE, "resourceUri": VM_ID + "x" * 9000}), "is not the id of a VM"),
    "a group that leads elsewhere": (
        event(data={**TAGS_WRITE, "resourceUri": VM_ID.replace("rg-app", "..")}),
        "is not the id of a VM",
    ),
    "a time that is none, about nothing": (event(eventTime="yesterday", data={}), "operationName is missing"),
    "a resource of another kind": (event(data={**TAGS_WRITE, "resourceUri": disk_id("web01-old")}), None),
}


# Status and body of requests that the host or its worker refuses before they reach the app.
NOT_EVENTS = [(400, "{bad"), (400, ""), (400, "[42]"), (400, "null"), (400, '"on_resource_write"'), (400, "[[{}]]")]


def test_every_malformed_event_is_one_log_line_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    """Each of 22 events is accepted and so not sent again.

    It is logged at most once and reaches neither the dispatcher nor ARM.
    """
    caplog.set_level(logging.INFO)

    async def story(azure: LocalAzure) -> None:
        url = f"{azure.functions}/runtime/webhooks/eventgrid?functionName=on_resource_write&code={KEY}"
        headers = {"aeg-event-type": "Notification"}
        for case, (body, text_part) in EVENTS.items():
            caplog.clear()
            async with azure.http.post(url, data=json.dumps([body]), headers=headers) as answer:
                text = await answer.text()
            assert (answer.status, text) == (202, ""), f"{case}: {text}"
            lines = [record.getMessage() for record in caplog.records if record.name.startswith("refresh")]
            assert len(lines) == (text_part is not None), f"{case}: {lines}"
            assert all(text_part in line and "\n" not in line and len(line) < 400 for line in lines if text_part), lines
            assert not SECRET.search(caplog.text), f"{case}: {caplog.text}"
        for status, raw in NOT_EVENTS:
            async with azure.http.post(url, data=raw, headers=headers) as answer:
                assert answer.status == status, raw
                assert "Traceback" not in await answer.text()
        assert azure.dispatcher_state() == {}
        assert writes(azure) == []

    play(story, [vm_body(), disk_body("web01-new")], events=False)


LONG = "x" * 256
ELSEWHERE = disk_id("stray", GROUP.replace("rg-app", "rg-other"))
# Each tag edit with the reason and a part of the message of the decision that GET /api/vms?vm= returns.
TAGS: list[tuple[dict[str, str], str, str]] = [
    ({"OsDiskName": "no-such-disk"}, "disk-not-found", "correct the tag"),
    ({"OsDiskName": "WEB-NEW1"}, "disk-not-found", "correct the tag"),
    ({"OsDiskName": "../web-new"}, "bad-wish", "OsDiskName"),
    ({"OsDiskName": "web new"}, "bad-wish", "OsDiskName"),
    ({"OsDiskName": "web-new;reboot"}, "bad-wish", "OsDiskName"),
    ({"OsDiskName": "<script>alert(1)</script>"}, "bad-wish", "OsDiskName"),
    ({"OsDiskName": "диск"}, "bad-wish", "OsDiskName"),
    ({"OsDiskName": "@next"}, "bad-wish", "OsDiskName"),
    ({"OsDiskName": LONG}, "bad-wish", "OsDiskName"),
    ({"OsDiskName": f"https://blob/x.vhd?sig={KEY}"}, "bad-wish", "OsDiskName"),
    ({"OsDiskName": f"{disk_id('web-new')}?sig={KEY}"}, "bad-wish", "OsDiskName"),
    ({"OsDiskName": VM_ID}, "bad-wish", "OsDiskName"),
    ({"OsDiskName": ELSEWHERE}, "disk-outside-group", "REFRESH_DISK_GROUPS"),
    ({"OsDiskName": "@previous"}, "no-previous", "OsDiskPrevious"),
    ({"OsDiskName": "@previous", "OsDiskPrevious": "../x"}, "bad-wish", "OsDiskPrevious"),
    ({"OsDiskName": "   "}, "no-wish", "missing or empty"),
    ({"OsDiskName": "other-old"}, "disk-in-use", "other"),
    ({"OsDiskName": "web-data"}, "other-os", "OS"),
    ({"OsDiskName": "web-zone2"}, "other-zone", "zone"),
    ({"OsDiskName": "web-new", "AutoRefresh": "yes"}, "not-in-scope", "AutoRefresh='yes' is none of true, hold"),
    ({"OsDiskName": "web-new", "AutoRefresh": "False"}, "not-in-scope", "AutoRefresh=False: the VM is left out"),
    ({"OsDiskName": "web-new", "autorefresh": "HOLD"}, "on-hold", "hold"),
    ({"OsDiskName": "web-new", "RefreshRing": "1"}, "tag-not-built", "RefreshRing"),
    ({"OsDiskName": "web-new", "refreshprobe": "ssh:22"}, "bad-probe", "RefreshProbe"),
    ({"OsDiskName": "web-new", "RefreshStopMode": "reboot"}, "bad-stop-mode", "RefreshStopMode"),
    ({"OsDiskName": "web-new", "RefreshWindow": ""}, "tag-not-built", "RefreshWindow"),
]


def test_every_invalid_tag_gets_a_decision_with_its_reason_and_no_write(caplog: pytest.LogCaptureFixture) -> None:
    """Each invalid tag gets its reason and changes no VM; a valid tag still swaps, and no secret leaks."""
    caplog.set_level(logging.INFO)
    names = [f"vm{number:02}" for number in range(len(TAGS))]

    async def story(azure: LocalAzure) -> None:
        for name, (tags, _, _) in zip(names, TAGS, strict=True):
            await azure.tag(vm_id(name), **tags)
        await azure.settled()
        answers = []
        for name, (tags, reason, text_part) in zip(names, TAGS, strict=True):
            status, row = await azure.api("GET", f"/api/vms?vm={name}")
            answers.append(json.dumps(row))
            assert (status, row["reason"]) == (200, reason), f"{tags}: {row}"
            assert text_part in row["message"], f"{tags}: {row}"
        own = [f"{vm_id(name)}/providers/Microsoft.Resources/tags/default" for name in names]
        assert writes(azure) == own, "the app wrote something"
        assert (azure.outcomes(), azure.dispatcher_state().get("queue", {})) == ([], {})

        await azure.tag(vm_id("good"), OsDiskName="good-new")
        await azure.settled()
        assert await azure.os_disk(vm_id("good")) == "good-new"
        assert not SECRET.search("".join(answers))
        lines = [record.getMessage() for record in caplog.records if record.name.startswith("refresh")]
        assert all("\n" not in line for line in lines)
        assert not SECRET.search(caplog.text)

    disks = [disk_body("web-new"), disk_body("good-new"),
             disk_body("web-data", osType=None), {**disk_body("web-zone2"), "zones": ["2"]},
             {**disk_body("stray"), "id": ELSEWHERE}]  # fmt: skip
    play(story, [*map(vm_body, (*names, "other", "good")), *disks])


def vm_id(name: str) -> str:
    return VM_ID.replace("web01", name)


def writes(azure: LocalAzure) -> list[str]:
    """The paths of all requests so far that change something in Azure."""
    requests = azure.simulator.journal.to_json(azure.clock.now())["requests"]
    return [str(row["path"]) for row in requests if row["method"] != "GET" and "ResourceGraph" not in row["path"]]
