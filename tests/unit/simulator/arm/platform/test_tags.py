"""The tags API, and its effects on resources and events."""

from __future__ import annotations

import pytest

from tests.unit.simulator.arm.azure import GROUP, SUB, VM1, Azure, linux_vm, run_story

SUFFIX = "/providers/Microsoft.Resources/tags/default"


@pytest.mark.parametrize("scope", [VM1, GROUP, f"/subscriptions/{SUB}"])
def test_tags_are_replaced_merged_and_deleted_on_any_scope(scope: str) -> None:
    """PUT replaces, PATCH merges, replaces or deletes, DELETE clears; every answer has all tags."""

    async def story(azure: Azure) -> None:
        async def patch(operation: str, tags: dict[str, str]) -> object:
            body = {"operation": operation, "properties": {"tags": tags}}
            return (await azure.arm("PATCH", scope + SUFFIX, body)).body["properties"]["tags"]

        put = await azure.arm("PUT", scope + SUFFIX, {"properties": {"tags": {"A": "1", "B": "2"}}})
        assert (put.status, put.body["id"], put.body["name"]) == (200, scope + SUFFIX, "default")
        assert await patch("Merge", {"a": "9", "C": "3"}) == {"A": "9", "B": "2", "C": "3"}
        assert await patch("Delete", {"b": "", "C": "another value"}) == {"A": "9", "C": "3"}
        assert await patch("Replace", {"D": "4"}) == {"D": "4"}
        assert (await azure.arm("GET", scope)).body["tags"] == {"D": "4"}
        assert (await azure.arm("DELETE", scope + SUFFIX)).status == 200
        assert (await azure.arm("GET", scope + SUFFIX)).body["properties"]["tags"] == {}

    run_story(story, [linux_vm()])


def test_a_tag_write_raises_the_etag_and_makes_one_event() -> None:
    """The VM's etag changes; Event Grid gets one event with the VM as subject."""

    async def story(azure: Azure) -> None:
        before = (await azure.vm())["etag"]
        body = {"operation": "Merge", "properties": {"tags": {"OsDiskName": "new"}}}
        await azure.arm("PATCH", VM1 + SUFFIX, body)
        assert (await azure.vm())["etag"] != before
        (event,) = (await azure.sim("GET", "events")).body
        assert (event["operationName"], event["subject"]) == ("Microsoft.Resources/tags/write", VM1)

    run_story(story, [linux_vm()])


REFUSED = {
    "InvalidTagNameCharacters": {"a<b": "1"},
    "TooManyTags": {f"t{number}": "" for number in range(51)},
    "InvalidTagName": {"x" * 513: ""},
    "InvalidTagValueLength": {"x": "y" * 257},
    "DuplicateTagNames": {"x": "1", "X": "2"},
}


@pytest.mark.parametrize("code", REFUSED)
def test_invalid_tags_are_refused_everywhere(code: str) -> None:
    """The tags API and a PATCH of the VM refuse them and change nothing."""

    async def story(azure: Azure) -> None:
        for path, body in (
            (VM1 + SUFFIX, {"operation": "Merge", "properties": {"tags": REFUSED[code]}}),
            (VM1, {"tags": REFUSED[code]}),
        ):
            reply = await azure.arm("PATCH", path, body)
            assert (reply.status, reply.code) == (400, code)
        assert (await azure.vm())["tags"] == {}

    run_story(story, [linux_vm()])


def test_a_planned_failure_of_tags_changes_nothing() -> None:
    """A `tags` fault gives its error at once."""

    async def story(azure: Azure) -> None:
        error = {"code": "ScopeLocked", "message": "locked"}
        await azure.sim("POST", "faults", [{"match": {"operation": "tags", "resource": "vm1"}, "fail": error}])
        reply = await azure.arm("PUT", VM1 + SUFFIX, {"properties": {"tags": {"a": "b"}}})
        assert (reply.status, reply.code) == (409, "ScopeLocked")
        assert (await azure.vm())["tags"] == {}

    run_story(story, [linux_vm()])


def test_writing_a_vm_is_an_event_when_it_took_effect() -> None:
    """A PATCH makes a write event at the operation's end, a power operation an action event; a scenario makes none."""

    async def story(azure: Azure) -> None:
        reply = await azure.arm("PATCH", VM1, {"tags": {"a": "b"}, "properties": {"licenseType": "None"}})
        assert (await azure.sim("GET", "events")).body == []
        await azure.finish(reply)
        await azure.finish(await azure.arm("POST", f"{VM1}/powerOff"))
        names = [event["operationName"] for event in (await azure.sim("GET", "events")).body]
        vm = "Microsoft.Compute/virtualMachines"
        assert names == [f"{vm}/write", f"{vm}/powerOff/action"]
        assert (await azure.vm())["tags"] == {"a": "b"}

    run_story(story, [linux_vm()])
