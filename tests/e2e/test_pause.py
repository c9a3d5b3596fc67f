"""Who paused and resumed the app, and why: the first pause is the one that is shown."""

from __future__ import annotations

import base64
import json
import logging
from typing import Any

import pytest

from tests.support.worlds.local_azure import LocalAzure, play, vm_body

KEY_CLAIM = "http://schemas.microsoft.com/2017/07/functions/claims/keyid"


def signed_in(name: str) -> dict[str, str]:
    return {"X-MS-CLIENT-PRINCIPAL-NAME": name}


def with_key(name: str) -> dict[str, str]:
    principal = {"auth_typ": "key", "claims": [{"typ": "other", "val": "x"}, {"typ": KEY_CLAIM, "val": name}]}
    return {"X-MS-CLIENT-PRINCIPAL": base64.b64encode(json.dumps(principal).encode()).decode()}


async def send(azure: LocalAzure, action: str, headers: dict[str, str] | None = None, why: str = "") -> dict[str, Any]:
    body = {"why": why} if why else {}
    async with azure.http.post(f"{azure.functions}/api/{action}", json=body, headers=headers or {}) as answer:
        assert answer.status == 200, await answer.text()
        return dict(await answer.json())


async def queue(azure: LocalAzure) -> dict[str, Any]:
    return dict((await azure.api("GET", "/api/queue"))[1])


def test_a_second_pause_keeps_the_first_and_says_whose_it_is(caplog: pytest.LogCaptureFixture) -> None:
    """Its answer, the queue and the log name who paused first and why; the resume names who resumed."""

    async def story(azure: LocalAzure) -> None:
        caplog.set_level(logging.INFO)
        first = await send(azure, "pause", signed_in("anna@contoso.com"), "change freeze")
        assert (first["paused_by"], first["paused_why"], first["was_paused"]) == (
            "anna@contoso.com", "change freeze", False,
        )  # fmt: skip
        second = await send(azure, "pause", with_key("deploy"), "deployment")
        (further,) = second["paused_also"]
        assert (further["why"], further["by"]) == ("deployment", "key deploy")
        assert second == {**first, "was_paused": True, "paused_also": [further]}
        shown = await queue(azure)
        assert {name: shown[name] for name in ("paused", "paused_since", "paused_why", "paused_by")} == {
            name: first[name] for name in ("paused", "paused_since", "paused_why", "paused_by")
        }
        resumed = await send(azure, "resume", signed_in("ben@contoso.com"), "freeze is over")
        assert (resumed["paused"], resumed["resumed_by"], resumed["was_paused"]) == (False, "ben@contoso.com", True)
        shown = await queue(azure)
        assert (shown["paused"], shown["paused_by"]) == (False, None)
        assert (shown["resumed_by"], shown["resumed_why"]) == ("ben@contoso.com", "freeze is over")
        assert shown["resumed_at"] is not None
        for line in ("paused by anna@contoso.com (change freeze)", "asked by key deploy", "resumed by ben@contoso.com"):
            assert line in caplog.text

    play(story, [vm_body()])


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ({}, "unknown"),
        (signed_in("  "), "unknown"),
        (signed_in("x" * 500), "x" * 120),
        (with_key("default"), "key default"),
        ({"X-MS-CLIENT-PRINCIPAL": "no base64"}, "unknown"),
        ({"X-MS-CLIENT-PRINCIPAL": base64.b64encode(b'{"claims": 7}').decode()}, "unknown"),
        ({**with_key("default"), **signed_in("anna")}, "anna"),
    ],
)
def test_the_caller_is_named_as_far_as_the_platform_shows_it(headers: dict[str, str], name: str) -> None:
    """A signed-in caller by name, a function key by its name, any other as unknown."""

    async def story(azure: LocalAzure) -> None:
        assert (await send(azure, "pause", headers))["paused_by"] == name
        assert (await send(azure, "resume", headers))["resumed_by"] == name

    play(story, [vm_body()])


def test_a_pause_after_a_resume_is_a_new_one() -> None:
    """It has its own reason and caller; a resume without a pause changes nothing."""

    async def story(azure: LocalAzure) -> None:
        assert (await send(azure, "resume", signed_in("carl")))["resumed_by"] is None
        await send(azure, "pause", signed_in("anna"), "one")
        await send(azure, "resume", signed_in("ben"))
        again = await send(azure, "pause", signed_in("dora"), "two")
        assert (again["paused_by"], again["paused_why"], again["was_paused"]) == ("dora", "two", False)
        dry = await azure.api("POST", "/api/pause", {"dryRun": True, "why": "three"})
        assert (dry[1]["paused"], dry[1]["paused_by"]) == (True, "dora")

    play(story, [vm_body()])
