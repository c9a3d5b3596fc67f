"""The synchronous SDK over https, in a thread of its own, on the real clock."""

from __future__ import annotations

import asyncio
from typing import Any

from azure.core.credentials import AccessToken
from azure.mgmt.compute import ComputeManagementClient

from simulator.clock import Clock, run
from tests.unit.simulator.arm.azure import COMPUTE, SUB, Azure, Credential, azure, free_disk, linux_vm, run_story

_SPEED = 200


class SyncCredential:
    """The same token, for synchronous callers."""

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        return AccessToken(Credential.token, 4_000_000_000)


def swap(arm: str, ca_file: str) -> str:
    """Power off and swap vm1 as a script does; return the name of its OS disk afterwards."""
    options: Any = {"base_url": arm, "connection_verify": ca_file, "polling_interval": 0.05}
    scopes = ["https://management.azure.com/.default"]
    with ComputeManagementClient(SyncCredential(), SUB, credential_scopes=scopes, **options) as client:
        vms: Any = client.virtual_machines
        vms.begin_power_off("rg1", "vm1").result()
        disk = {"name": "free", "managedDisk": {"id": f"{COMPUTE}/disks/free"}}
        vms.begin_update("rg1", "vm1", {"properties": {"storageProfile": {"osDisk": disk}}}).result()
        assert [vm.name for vm in vms.list("rg1")] == ["vm1"]
        return str(vms.get("rg1", "vm1").storage_profile.os_disk.name)


def test_the_synchronous_sdk_swaps_over_https() -> None:
    """The synchronous SDK swaps the disk over TLS with the simulator's own certificate authority."""

    async def main(clock: Clock) -> str:
        async with azure(clock, [linux_vm(), free_disk("free")]) as world:
            return await asyncio.to_thread(swap, world.endpoints.arm_tls, world.endpoints.ca_file)

    assert run(main, Clock("real", _SPEED)) == "free"


def test_a_poller_continues_from_the_token_of_another() -> None:
    """A poller with the continuation token of another waits for the same operation."""

    async def story(world: Azure) -> str:
        vms: Any = world.compute.virtual_machines
        token = (await vms.begin_deallocate("rg1", "vm1")).continuation_token()
        poller = await vms.begin_deallocate("rg1", "vm1", continuation_token=token)
        await poller.result()
        return await world.power()

    assert run_story(story, [linux_vm()]) == "PowerState/deallocated"
