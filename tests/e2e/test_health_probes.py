"""A probe that a tag of the VM names proves the VM or causes a rollback."""

from __future__ import annotations

from typing import Any, Self

import pytest
from aiohttp import web

from tests.support.worlds.builders import GROUP, VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body
from tests.support.worlds.swap_world import has_evidence, outcome_of, swapped


class GuestServer:
    """An HTTP server in place of the VM's guest; it answers with `statuses` in order and then repeats the last one."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.port = 0

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _answer(self, _: web.Request) -> web.Response:
        return web.Response(status=self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0])


def reachable(**fields: Any) -> list[dict[str, Any]]:
    """A fleet whose VM has 127.0.0.1 as private address, so a test can answer in place of its guest."""
    nic = f"{GROUP}/providers/Microsoft.Network/networkInterfaces/web01-nic"
    address = {"name": "ipconfig1", "properties": {"privateIPAddress": "127.0.0.1", "primary": True}}
    vm = vm_body(**fields)
    vm["properties"]["networkProfile"] = {"networkInterfaces": [{"id": nic}]}
    body = {"id": nic, "location": "westeurope", "properties": {"ipConfigurations": [address]}}
    return [body, vm, disk_body("web01-new")]


@pytest.mark.parametrize(
    ("agent", "statuses", "status"),
    [
        (True, [200], "succeeded"),
        (False, [200], "succeeded"),
        (False, [503, 200, 503, 200, 200, 503, 200], "succeeded"),
    ],
    ids=["agent too", "no agent", "flaps"],
)
def test_a_probe_that_answers_proves(agent: bool, statuses: list[int], status: str) -> None:
    """Three successes in a row prove a guest with or without an agent; a flapping guest is proven once it is stable."""

    async def story(azure: LocalAzure) -> None:
        async with GuestServer(*statuses) as door:
            await azure.tag(VM_ID, RefreshProbe=f"http:{door.port}/healthz")
            outcome = await swapped(azure)
        assert outcome["status"] == status, outcome
        assert has_evidence(outcome, "probe proves")

    play(story, reachable(agent=agent))


def test_each_rung_has_its_own_time() -> None:
    """The evidence has the seconds of the agent, which proves at once, and of the probe, which proves minutes later."""

    async def story(azure: LocalAzure) -> None:
        async with GuestServer(200, *[503] * 30, 200) as door:
            await azure.tag(VM_ID, RefreshProbe=f"http:{door.port}/healthz")
            outcome = await swapped(azure)
        assert outcome["status"] == "succeeded", outcome
        took_s = {
            line.split()[1]: int(line.split(" after ")[1].split()[0])
            for line in outcome["evidence"]
            if line.startswith(("health agent proves", "health probe proves"))
        }
        assert took_s["agent"] < 100 < took_s["probe"], outcome["evidence"]

    play(story, reachable())


def test_a_guest_that_listens_is_proven_without_an_agent() -> None:
    """The open port of the simulator's guest proves it; its agent gives no signal."""

    async def story(azure: LocalAzure) -> None:
        (guest,) = azure.simulator.guests.listing()
        port = guest["ports"]["22"].rpartition(":")[2]
        await azure.tag(VM_ID, RefreshProbe=f"tcp:{port}")
        outcome = await swapped(azure)
        assert outcome["status"] == "succeeded", outcome
        assert has_evidence(outcome, "probe proves") and has_evidence(outcome, "agent quiet")

    nic, vm, disk = reachable(agent=False)
    play(story, [nic, {**vm, "_listens": [22]}, disk])


@pytest.mark.parametrize("agent", [True, False])
def test_a_probe_that_fails_causes_a_rollback(agent: bool) -> None:
    """Without a success in time the old disk is restored, whatever the agent reports."""

    async def story(azure: LocalAzure) -> None:
        async with GuestServer(200, 503) as door:
            await azure.tag(VM_ID, RefreshProbe=f"http:{door.port}/")
            await azure.tag(VM_ID, OsDiskName="web01-new")

            async def back() -> bool:
                return int(azure.journal(VM_ID)["stops"]) == 2

            await azure.until(back)
            door.statuses = [200]
            outcome = await outcome_of(azure)
        assert (outcome["status"], outcome["reason"]) == ("rolled-back", "unhealthy"), outcome
        assert "status 503" in outcome["message"]
        assert await azure.os_disk(VM_ID) == "web01-old"

    play(story, reachable(agent=agent))


def test_a_probe_that_never_succeeds_does_not_fail_the_old_disk() -> None:
    """When the app cannot reach the VM at all, the new disk is rolled back and the VM runs on the old one."""

    async def story(azure: LocalAzure) -> None:
        async with GuestServer(503) as door:
            await azure.tag(VM_ID, RefreshProbe=f"http:{door.port}/")
            outcome = await swapped(azure)
        assert (outcome["status"], outcome["reason"]) == ("rolled-back", "unhealthy"), outcome
        assert await azure.power(VM_ID) == "running"

    play(story, reachable())


@pytest.mark.parametrize("text", ["ssh", "http://10.0.0.4/", "tcp:0", "tcp:22/x"])
def test_a_probe_that_cannot_be_read_is_refused_before_downtime(text: str) -> None:
    """The message names the tag, and the VM keeps running."""

    async def story(azure: LocalAzure) -> None:
        status, answer = await azure.api("POST", "/api/swap", {"vms": ["web01"], "disk": "web01-new", "dryRun": True})
        assert status == 200
        (row,) = answer["plan"]
        assert row["reason"] == "bad-probe", row
        assert "RefreshProbe" in row["message"]
        assert azure.journal(VM_ID)["stops"] == 0

    play(story, [vm_body(RefreshProbe=text), disk_body("web01-new")])
