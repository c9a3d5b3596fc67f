"""The app's token and its probes leave for no other host, whatever Azure's answers name."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.worlds.builders import GROUP, VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body
from tests.support.worlds.other_host import OtherHost
from tests.support.worlds.swap_world import FLEET, has_evidence, swapped

VMS = "/providers/Microsoft.Compute/virtualMachines$"


def answers(method: str, path: str, status: int, *, times: int = 99, **answer: Any) -> dict[str, Any]:
    """A fault that answers instead of ARM."""
    return {"match": {"method": method, "path": path}, "times": times, "respond": {"status": status, **answer}}


def test_a_list_that_continues_elsewhere_is_not_answered() -> None:
    """The answer has the error, and no page is read there."""

    async def story(azure: LocalAzure) -> None:
        async with OtherHost() as other:
            body = {"value": [], "nextLink": f"{other.base}/subscriptions/s/next?sig=secret"}
            azure.simulator.services.faults.add([answers("GET", VMS, 200, body=body)])
            _, problem = await azure.api("GET", "/api/vms")
            assert "OtherHost" in str(problem) and "secret" not in str(problem)
            assert other.requests == []

    play(story, FLEET)


@pytest.mark.parametrize("header", ["Azure-AsyncOperation", "Location"])
@pytest.mark.parametrize("operation", ["deallocate", "start"])
def test_a_swap_ends_well_without_a_status_that_is_elsewhere(operation: str, header: str) -> None:
    """An accepted operation whose status is on another host is judged by the VM alone."""

    async def story(azure: LocalAzure) -> None:
        async with OtherHost() as other:
            headers = {header: f"{other.base}/operations/1?sig=secret"}
            azure.simulator.services.faults.add([answers("POST", f"/{operation}$", 202, times=1, headers=headers)])
            outcome = await swapped(azure)
            assert outcome["status"] == "succeeded", outcome
            assert other.requests == []

    play(story, FLEET)


@pytest.mark.parametrize("status", [302, 307])
def test_a_redirected_stop_is_refused_and_not_followed(status: int) -> None:
    """The VM keeps running on its old disk, and the other host gets nothing."""

    async def story(azure: LocalAzure) -> None:
        async with OtherHost() as other:
            headers = {"Location": f"{other.base}{VM_ID}/deallocate"}
            azure.simulator.services.faults.add([answers("POST", "/deallocate$", status, headers=headers)])
            outcome = await swapped(azure)
            assert outcome["status"] != "succeeded", outcome
            assert await azure.power(VM_ID) == "running"
            assert azure.journal(VM_ID)["stops"] == 0
            assert other.requests == []

    play(story, FLEET)


@pytest.mark.parametrize("probe", ["tcp:22", "http:8080/healthz"])
def test_a_probe_of_a_local_run_reaches_the_simulators_guest(probe: str) -> None:
    """ARM shows a private address, and the probe goes to the port on this machine that the simulator lists for it."""

    async def story(azure: LocalAzure) -> None:
        (guest,) = azure.simulator.guests.listing()
        assert guest["ip"].startswith("10.")
        outcome = await swapped(azure)
        assert outcome["status"] == "succeeded", outcome
        assert has_evidence(outcome, "probe proves")

    play(story, [{**vm_body(agent=False, RefreshProbe=probe), "_listens": [22, 8080]}, disk_body("web01-new")])


def test_a_probe_of_a_local_run_leaves_this_machine_for_no_port() -> None:
    """A port on which no guest listens is not looked for at the private address, where a real machine may answer."""

    async def story(azure: LocalAzure) -> None:
        outcome = await swapped(azure)
        assert (outcome["status"], outcome["reason"]) == ("rolled-back", "unhealthy"), outcome
        assert "no guest of the simulator listens there" in outcome["message"]

    play(story, [{**vm_body(agent=False, RefreshProbe="tcp:23"), "_listens": [22]}, disk_body("web01-new")])


def test_a_probe_of_a_local_run_finds_the_guest_by_its_primary_address() -> None:
    """Of two network interfaces the app probes the primary one, and the simulator lists the guest under it."""
    nics = [f"{GROUP}/providers/Microsoft.Network/networkInterfaces/web01-{name}" for name in ("back", "front")]
    vm = {**vm_body(agent=False, RefreshProbe="tcp:22"), "_listens": [22]}
    blocks = [{"id": nic, "properties": {"primary": nic.endswith("front")}} for nic in nics]
    vm["properties"]["networkProfile"] = {"networkInterfaces": blocks}
    bodies = [
        {
            "id": nic,
            "location": "westeurope",
            "properties": {
                "ipConfigurations": [
                    {"name": "a", "properties": {"privateIPAddress": f"10.7.{n}.5", "primary": False}},
                    {"name": "b", "properties": {"privateIPAddress": f"10.7.{n}.4", "primary": True}},
                ]
            },
        }
        for n, nic in enumerate(nics)
    ]

    async def story(azure: LocalAzure) -> None:
        assert [guest["ip"] for guest in azure.simulator.guests.listing()] == ["10.7.1.4"]
        outcome = await swapped(azure)
        assert outcome["status"] == "succeeded", outcome

    play(story, [*bodies, vm, disk_body("web01-new")])
