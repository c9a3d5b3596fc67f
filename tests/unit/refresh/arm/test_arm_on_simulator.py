"""The gateways work with the local Azure: real SDKs, real HTTP, virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from refresh.domain.azure.vms import Power
from refresh.gateways.errors import NotFound, Refused
from refresh.settings.settings import Settings
from refresh.wiring import ArmGateways, connect
from simulator.clock import Clock, run
from simulator.world import Simulator

_SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
_COMPUTE = f"/subscriptions/{_SUBSCRIPTION}/resourceGroups/web/providers/Microsoft.Compute"
_VM = f"{_COMPUTE}/virtualMachines/web-1"
_OLD = f"{_COMPUTE}/disks/web-1-202610"
_NEW = f"{_COMPUTE}/disks/web-1-202611"
# No recorded operation takes longer; in virtual time waiting costs nothing.
_LONG_ENOUGH_S = 1200
_DEFINITION = f"{_COMPUTE}/galleries/images/images/linux"
_VERSION = f"{_DEFINITION}/versions/202611.1.0"


def _disk(disk: str, **properties: Any) -> dict[str, Any]:
    made = {"osType": "Linux", "hyperVGeneration": "V2", "diskSizeGB": 30, "creationData": {"createOption": "Empty"}}
    return {"id": disk, "location": "westus", "sku": {"name": "Premium_LRS"}, "properties": {**made, **properties}}


_SCENARIO: list[dict[str, Any]] = [
    _disk(_OLD),
    _disk(_NEW),
    {
        "id": _VM,
        "location": "westus",
        "tags": {"AutoRefresh": "true"},
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
            "storageProfile": {
                "osDisk": {
                    "osType": "Linux",
                    "name": "web-1-202610",
                    "createOption": "FromImage",
                    "managedDisk": {"id": _OLD},
                }
            },
        },
    },
    {"id": f"{_COMPUTE}/galleries/images", "location": "westus", "properties": {}},
    {
        "id": _DEFINITION,
        "location": "westus",
        "properties": {"osType": "Linux", "osState": "Specialized", "hyperVGeneration": "V2", "architecture": "x64"},
    },
]


def _on_simulator[T](
    call: Callable[[ArmGateways], Awaitable[T]],
    *,
    scope: dict[str, str] | None = None,
    scenario: list[dict[str, Any]] | None = None,
) -> T:
    async def main(clock: Clock) -> T:
        simulator = Simulator(clock, scenario=scenario or _SCENARIO)
        endpoints = await simulator.start()
        with pytest.MonkeyPatch.context() as env:
            env.setenv("IDENTITY_ENDPOINT", endpoints.identity_endpoint)
            env.setenv("IDENTITY_HEADER", endpoints.identity_header)
            known = scope or {"REFRESH_SUBSCRIPTIONS": _SUBSCRIPTION}
            gateways = connect(Settings.from_env({**known, "REFRESH_ARM_ENDPOINT": endpoints.arm}))
            try:
                return await call(gateways)
            finally:
                await gateways.close()
                await simulator.stop()

    return run(main, Clock("virtual"))


def test_an_os_disk_is_swapped() -> None:
    """Stop, swap and start are each begun with one call and read back."""

    async def call(gateways: ArmGateways) -> tuple[str | None, ...]:
        await gateways.compute.begin_deallocate(_VM)
        await asyncio.sleep(_LONG_ENOUGH_S)
        stopped = await gateways.compute.read_vm(_VM)
        assert (stopped.power, stopped.agent) == (Power.DEALLOCATED, None)
        await gateways.compute.begin_os_disk(_VM, _NEW, "web-1-202611")
        await asyncio.sleep(_LONG_ENOUGH_S)
        begun = await gateways.compute.begin_start(_VM)
        await asyncio.sleep(_LONG_ENOUGH_S)
        assert begun.token is not None
        progress = await gateways.compute.operation_progress(_VM, begun.token)
        vm = await gateways.compute.read_vm(_VM)
        old, new = await gateways.disks.read_disk(_OLD), await gateways.disks.read_disk(_NEW)
        assert vm.power is Power.RUNNING
        return (vm.os_disk_id, vm.os_disk_name, progress.state, old.disk_state, old.managed_by, new.disk_state)

    disk, name, state, old, owner, new = _on_simulator(call)
    assert str(disk).lower() == _NEW.lower()
    assert (name, state, old, owner, new) == ("web-1-202611", "Succeeded", "Unattached", None, "Attached")


def test_an_image_version_and_a_disk_from_it_are_made() -> None:
    """A version is captured from a VM and replicated; a disk made from it names it."""

    async def call(gateways: ArmGateways) -> tuple[Any, ...]:
        begun = await gateways.gallery.begin_create_version(
            _VERSION,
            {
                "location": "westus",
                "properties": {
                    "publishingProfile": {"targetRegions": [{"name": "westus"}]},
                    "storageProfile": {"source": {"virtualMachineId": _VM}},
                },
            },
        )
        assert begun.token is not None
        assert (await gateways.gallery.version_progress(_VERSION, begun.token)).state == "InProgress"
        await asyncio.sleep(_LONG_ENOUGH_S)
        assert (await gateways.gallery.version_progress(_VERSION, begun.token)).state == "Succeeded"
        version = await gateways.gallery.read_version(_VERSION)
        made = f"{_COMPUTE}/disks/made"
        body = {"createOption": "FromImage", "galleryImageReference": {"id": _VERSION}}
        await gateways.disks.begin_create_disk(
            made, {"location": "westus", "sku": {"name": "Premium_LRS"}, "properties": {"creationData": body}}
        )
        await asyncio.sleep(_LONG_ENOUGH_S)
        disk = await gateways.disks.read_disk(made)
        versions = [found.name async for found in gateways.gallery.list_versions(_DEFINITION)]
        return version, disk, versions

    version, disk, versions = _on_simulator(call)
    assert (version.provisioning_state, [(r.name, r.state) for r in version.regions]) == (
        "Succeeded",
        [("westus", "Completed")],
    )
    assert (str(version.source_id).lower(), versions) == (_VM.lower(), ["202611.1.0"])
    assert (disk.disk_state, str(disk.source_version).lower()) == ("Unattached", _VERSION.lower())


def test_scope_lists_tags_and_time_are_answered() -> None:
    """Selection, lists, tag changes and ARM's clock work on the same fleet."""

    async def call(gateways: ArmGateways) -> tuple[Any, ...]:
        scope = [vm.lower() for vm in await gateways.graph.list_scope()]
        await gateways.tags.merge_tags(_VM, {"OsDiskName": "web-1-202611", "OsDiskRejected": "x"})
        await gateways.tags.delete_tags(_VM, {"OsDiskRejected": "x", "NeverThere": "y"})
        vms = [vm async for vm in gateways.compute.list_vms(_SUBSCRIPTION)]
        disks = [disk.name async for disk in gateways.disks.list_disks(_SUBSCRIPTION)]
        read_at = (await gateways.compute.read_vm(_VM)).read_at
        return scope, vms, sorted(disks), read_at, await gateways.clock.now()

    scope, vms, disks, read_at, now = _on_simulator(call)
    assert scope == [_VM.lower()]
    assert [vm.tags for vm in vms] == [{"AutoRefresh": "true", "OsDiskName": "web-1-202611"}]
    assert (disks, vms[0].power) == (["web-1-202610", "web-1-202611"], Power.UNKNOWN)
    assert now >= read_at


def test_a_missing_vm_is_not_found_and_a_missing_disk_refused() -> None:
    """A missing VM is NotFound, a missing disk Refused: otherwise the VM would count as gone and stay stopped."""

    async def call(gateways: ArmGateways) -> tuple[str, str]:
        await gateways.compute.begin_deallocate(_VM)
        await asyncio.sleep(_LONG_ENOUGH_S)
        with pytest.raises(NotFound) as missing:
            await gateways.compute.read_vm(_VM + "-gone")
        with pytest.raises(Refused) as refused:
            await gateways.compute.begin_os_disk(_VM, f"{_COMPUTE}/disks/none", "none")
        return missing.value.code, refused.value.message

    code, message = _on_simulator(call)
    assert code == "ResourceNotFound"
    assert "none" in message


def test_a_scope_of_more_than_a_page_is_found_whole() -> None:
    """Over a thousand VMs, tags in any case: each in scope once, the others not."""
    tags: list[dict[str, str]] = [{"AUTOREFRESH": "True"}, {"autorefresh": "HOLD"}, {"AutoRefresh": "no"}, {}]
    fleet = [
        {"id": f"{_COMPUTE}/virtualMachines/vm-{n}", "location": "westus", "tags": tags[n % 4]} for n in range(2100)
    ]
    found = _on_simulator(lambda gateways: gateways.graph.list_scope(), scenario=fleet)
    assert {vm.lower() for vm in found} == {str(fleet[n]["id"]).lower() for n in range(2100) if n % 4 < 2}
    assert len(found) == 1050


def test_a_management_group_is_a_scope() -> None:
    """The subscriptions below a management group are found, their VMs selected, and the time read from one of them."""

    async def call(gateways: ArmGateways) -> tuple[Any, ...]:
        scope = [vm.lower() for vm in await gateways.graph.list_scope()]
        return await gateways.graph.list_subscriptions(), scope, await gateways.clock.now()

    landing = f"/providers/Microsoft.Management/managementGroups/landing/subscriptions/{_SUBSCRIPTION}"
    subscriptions, scope, now = _on_simulator(
        call, scope={"REFRESH_MANAGEMENT_GROUP": "landing"}, scenario=[*_SCENARIO, {"id": landing}]
    )
    assert (subscriptions, scope) == ([_SUBSCRIPTION], [_VM.lower()])
    assert now
