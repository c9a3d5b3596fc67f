"""The app's token goes to the configured host and to no other, wherever an answer leads."""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from refresh.arm.token_host import OTHER_HOST, OneHost
from refresh.gateways.errors import Unavailable
from refresh.gateways.operations import Progress
from refresh.wiring import ArmGateways
from simulator.clock import Clock, run
from tests.support.worlds.other_host import OtherHost
from tests.support.worlds.scripted_arm import (
    DEFINITION,
    DISK,
    GALLERY,
    GROUP,
    SUBSCRIPTION,
    VERSION,
    VM,
    Answer,
    ScriptedArm,
    gather,
)

ARM = "https://management.azure.com"
# `{other}` is host and port of another server, `{base}` ARM's address, `{arm}` its host and port.
ELSEWHERE = [
    "http://{other}/subscriptions/s/next",
    "HTTP://{other}/subscriptions/s/next",
    "http://{arm}@{other}/subscriptions/s/next",
    "http://{arm}:x@{other}/subscriptions/s/next",
    "{base}\\@{other}/subscriptions/s/next",
]


def between(arm: ScriptedArm, ask: Callable[[ArmGateways, OtherHost], Awaitable[None]]) -> OtherHost:
    """Runs `ask` beside another host, whose authority replaces `{other}` in ARM's answers; returns that host."""
    other = OtherHost()

    async def main(_: Clock) -> None:
        async with other, arm:
            arm.names = {"{other}": other.authority, "{arm}": arm.base.removeprefix("http://")}
            await ask(arm.gateways, other)

    run(main, Clock("virtual"))
    return other


@pytest.mark.parametrize(
    "url",
    [
        f"{ARM}/subscriptions/s",
        "https://MANAGEMENT.azure.COM/subscriptions/s",
        f"{ARM}:443/subscriptions/s?api-version=1",
    ],
)
def test_the_host_in_each_of_its_spellings_is_allowed(url: str) -> None:
    """Hosts are compared without case, and Azure names its port in some links."""
    assert OneHost(ARM).allows(url)
    assert OneHost("https://management.azure.com:443").allows(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://management.azure.com/subscriptions/s",
        f"{ARM}:8443/subscriptions/s",
        f"{ARM}:443@evil.example/",
        f"{ARM}@evil.example/",
        "https://user@management.azure.com/",
        f"{ARM}.evil.example/",
        f"{ARM}./",
        f"{ARM}\\@evil.example/",
        f"{ARM}\t/",
        f" {ARM}/",
        f"{ARM}?x=/",
        f"{ARM}#/",
        f"{ARM}%2f@evil.example/",
        "https://westeurope.management.azure.com/",
        "https://management.azure.com/".replace("a", "\N{CYRILLIC SMALL LETTER A}"),
        "https://management。azure。com/",
        "https://xn--mnagement-66g.azure.com/",
        "https:/management.azure.com/",
        "//management.azure.com/",
        "/subscriptions/s",
        "ftp://management.azure.com/",
        "file:///etc/passwd",
        "",
    ],
)
def test_every_other_address_is_refused(url: str) -> None:
    """Another scheme, port or host, a user name, another script and a relative address get no token."""
    assert not OneHost(ARM).allows(url)


@pytest.mark.parametrize("link", ELSEWHERE)
def test_a_next_page_on_another_host_is_an_error(link: str) -> None:
    """No list of the SDK or of our own reads a page there; what was listed before counts for nothing."""
    page = Answer(200, {"value": [], "nextLink": link})

    async def ask(gateways: ArmGateways, _: OtherHost) -> None:
        lists: list[Any] = [
            gateways.compute.list_vms(SUBSCRIPTION),
            gateways.compute.list_group_vms(GROUP),
            gateways.disks.list_disks(SUBSCRIPTION),
            gateways.gallery.list_definitions(GALLERY),
            gateways.gallery.list_versions(DEFINITION),
            gateways.temporary_groups.list_groups(SUBSCRIPTION),
        ]
        for one in lists:
            with pytest.raises(Unavailable):
                await gather(one)
        with pytest.raises(Unavailable):
            await gateways.access.list_locks(GROUP)

    arm = ScriptedArm(*[page] * 7)
    assert between(arm, ask).requests == []


@pytest.mark.parametrize("header", ["Azure-AsyncOperation", "Location"])
@pytest.mark.parametrize("link", ELSEWHERE)
def test_a_status_on_another_host_is_unknown(link: str, header: str) -> None:
    """Then the resource itself is read; the operation that Azure accepted stays begun."""

    async def ask(gateways: ArmGateways, _: OtherHost) -> None:
        begun = await gateways.compute.begin_deallocate(VM)
        assert begun.token is not None
        progress = await gateways.compute.operation_progress(VM, begun.token)
        assert (progress.state, progress.code) == ("Unknown", OTHER_HOST)

    arm = ScriptedArm(Answer(202, None, {header: link}))
    assert between(arm, ask).requests == []
    assert len(arm.requests) == 1


@pytest.mark.parametrize("link", ["//{other}/next", "/subscriptions/s/next", "next", ""])
def test_a_next_page_without_a_host_is_not_read(link: str) -> None:
    """A relative address, which has no host of its own, gets no token either; an empty one is the last page."""

    async def ask(gateways: ArmGateways, _: OtherHost) -> None:
        if not link:
            assert not await gateways.access.list_locks(GROUP)
            return
        with pytest.raises(Unavailable):
            await gateways.access.list_locks(GROUP)

    assert between(ScriptedArm(Answer(200, {"value": [], "nextLink": link})), ask).requests == []


def test_a_stored_status_address_is_checked_again() -> None:
    """A token from a stored history that was changed, or made against another ARM, gets no token of the app."""
    seen: list[Progress] = []

    async def ask(gateways: ArmGateways, other: OtherHost) -> None:
        begun = await gateways.gallery.begin_create_version(VERSION, {})
        stored = json.loads(base64.b64decode(begun.token or ""))
        stored["data"]["response"]["headers"] = {"azure-asyncoperation": f"{other.base}/operations/1"}
        stored["data"]["request"]["url"] = f"{other.base}/operations/1"
        changed = base64.b64encode(json.dumps(stored).encode()).decode()
        seen.append(await gateways.gallery.version_progress(VERSION, changed))
        seen.append(await gateways.compute.operation_progress(VM, changed))

    accepted = Answer(201, {"id": VERSION}, {"Azure-AsyncOperation": "{base}/subscriptions/s/operations/1"})
    arm = ScriptedArm(accepted)
    assert between(arm, ask).requests == []
    assert {(progress.state, progress.code) for progress in seen} == {("Unknown", OTHER_HOST)}
    assert len(arm.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_of_arm_is_not_followed(status: int) -> None:
    """Neither to another host nor to ARM itself, for reads, changes and queries."""
    moved = Answer(status, {}, {"Location": "http://{other}/subscriptions/s"})

    async def ask(gateways: ArmGateways, _: OtherHost) -> None:
        requests: list[Callable[[], Awaitable[Any]]] = [
            lambda: gateways.compute.read_vm(VM),
            lambda: gateways.compute.begin_start(VM),
            lambda: gateways.disks.begin_create_disk(DISK, {"location": "westus"}),
            lambda: gateways.tags.merge_tags(VM, {"a": "b"}),
            lambda: gateways.graph.list_scope(),
            lambda: gateways.guests.read_private_ip(VM),
        ]
        for each in requests:
            with pytest.raises(Unavailable):
                await each()

    arm = ScriptedArm(*[moved] * 6)
    assert between(arm, ask).requests == []
    assert len(arm.requests) == 6


def test_the_error_names_the_host_and_nothing_signed() -> None:
    """A person learns which host it was; the rest of the address may be a secret."""

    async def ask(gateways: ArmGateways, _: OtherHost) -> None:
        with pytest.raises(Unavailable, match=r"the host 'evil\.example'") as caught:
            await gather(gateways.compute.list_vms(SUBSCRIPTION))
        assert "secret" not in str(caught.value)

    link = "https://user:secret@evil.example/next?sig=secret"
    between(ScriptedArm(Answer(200, {"value": [], "nextLink": link})), ask)
