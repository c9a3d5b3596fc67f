"""A disk that a month makes passes the preflight of its swap, for random VMs, OS disks and image definitions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from refresh.activities.disks.make_disks import make_batch
from refresh.domain.azure.disks import Disk
from refresh.domain.swap.decision import Swap, decide_swap
from refresh.reading.calls.paced_reads import Pace
from refresh.reading.disks.checked_plans import CheckedPlans, checks_for
from refresh.reading.disks.disk_plans import DiskPlan
from refresh.reading.disks.swap_checks import planned_disk
from refresh.reading.fleet.vms_and_disks import Fleet
from refresh.reading.images.galleries import Catalog
from refresh.reading.swap.facts import FactReader, policy_of
from refresh.records.month import BatchInput
from simulator.arm.core.store import Json
from simulator.arm.vms.vm_swap import check_os_disk
from tests.support.worlds.builders import DEFINITION_ID, GROUP, disk_id, recall_nothing
from tests.support.worlds.month_world import (
    PERIOD,
    World,
    definition_body,
    gallery_bodies,
    on_arm,
    version_body,
    vm_bodies,
    vm_id,
)

PLANS = [None, {"publisher": "acme", "product": "wall", "name": "byol"}]
FEATURES = {
    "SecurityType": ["Standard", "TrustedLaunch", *["TrustedLaunchSupported"] * 3],
    "DiskControllerTypes": ["SCSI", "NVMe", "SCSI, NVMe"],
    "IsHibernateSupported": ["True", "False"],
    "IsAcceleratedNetworkSupported": ["True", "False"],
}
SETTINGS: dict[str, list[Any]] = {
    "dataAccessAuthMode": ["AzureActiveDirectory"],
    "networkAccessPolicy": ["DenyAll", "AllowPrivate"],
    "optimizedForFrequentAttach": [True, False],
    "availabilityPolicy": [{"actionOnDiskDelay": "AutomaticReattach"}],
    "maxShares": [1, 2],
    "tier": ["P30"],
    "supportsHibernation": [True],
    "purchasePlan": PLANS[1:],
    "securityProfile": [{"securityType": "TrustedLaunch"}],
    "supportedCapabilities": [
        {"architecture": "x64", "diskControllerTypes": "SCSI, NVMe"},
        {"architecture": "x64", "acceleratedNetwork": True},
    ],
    "encryption": [
        {
            "type": "EncryptionAtRestWithCustomerKey",
            "diskEncryptionSetId": f"{GROUP}/providers/Microsoft.Compute/diskEncryptionSets/ours",
        }
    ],
}
VM_PROPERTIES: dict[str, list[Any]] = {
    "securityProfile": [{"securityType": "TrustedLaunch"}],
    "additionalCapabilities": [{"hibernationEnabled": True}],
    "hardwareProfile": [{"vmSize": "Standard_D2s_v5"}, {"vmSize": "Standard_D2s_v6"}],
}
TAGS = {"RefreshStopMode": ["power-off", "halt"], "RefreshRing": ["1"], "OsDiskName": ["web00-202611"]}


SELDOM = st.sampled_from([*[False] * 9, True])


def some_of(choices: dict[str, list[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in choices.items()})


@st.composite
def fleets(draw: st.DrawFn) -> list[Json]:
    """One image definition, its version, and a few VMs that fit it or do not."""
    features = [{"name": name, "value": value} for name, value in draw(some_of(FEATURES)).items()]
    plan = draw(st.sampled_from([None, *PLANS]))
    tags = {"AutoRefresh": "true"} | ({} if draw(SELDOM) else {"RefreshPersonalizes": "true"})
    definition = definition_body(DEFINITION_ID, tags, features=features, **({"purchasePlan": plan} if plan else {}))
    bodies = [*gallery_bodies()[:-1], definition, version_body()]
    for number in range(6):
        disk, vm = vm_bodies(f"web{number:02d}", {"AutoRefresh": "true"})
        disk["properties"] |= draw(some_of(SETTINGS))
        if draw(SELDOM):
            disk["properties"]["encryptionSettingsCollection"] = {"enabled": True}
        disk["sku"] = {"name": draw(st.sampled_from(["Premium_LRS", "StandardSSD_LRS", "Premium_ZRS"]))}
        if disk["sku"]["name"].endswith("_ZRS"):
            disk.pop("zones")
        properties = draw(some_of(VM_PROPERTIES))
        storage = dict(vm["properties"]["storageProfile"])
        if draw(st.booleans()):
            storage["diskControllerType"] = draw(st.sampled_from(["SCSI", "NVMe"]))
        vm["properties"] = {**properties, "storageProfile": storage}
        if vm_plan := (plan if draw(st.booleans()) else draw(st.sampled_from(PLANS))):
            vm["plan"] = vm_plan
        if draw(SELDOM):
            vm["tags"] |= draw(some_of(TAGS))
        bodies += [disk, vm]
    return bodies


@given(fleets())
@settings(max_examples=30)
def test_a_disk_that_is_made_passes_the_preflight_of_its_swap(scenario: list[Json]) -> None:
    """And Azure takes it; a VM that is refused gets no disk; the plan was the disk that Azure made."""
    on_arm(scenario, _story)


async def _story(world: World) -> None:
    vms = tuple(vm_id(f"web{number:02d}") for number in range(6))
    fleet, catalog = Fleet(world.gateways), Catalog(world.gateways, world.settings.galleries)
    checks = checks_for(world.gateways, world.settings, vms, recall_nothing)
    plans = [await CheckedPlans(fleet, catalog, checks, PERIOD).plan(vm) for vm in vms]
    rows = await make_batch(world.gateways, world.settings, BatchInput(vms, PERIOD), recall_nothing)
    for vm, plan, row in zip(vms, plans, rows, strict=True):
        made = world.resource(disk_id(f"{vm.rsplit('/', 1)[-1]}-{PERIOD}"))
        assert row["decision"] in ("create", "refuse"), row
        if row["decision"] == "refuse":
            assert not isinstance(plan, DiskPlan)
            assert (plan.reason, made) == (row["reason"], None)
            continue
        assert isinstance(plan, DiskPlan)
        await _check_made(world, plan)


async def _check_made(world: World, plan: DiskPlan) -> None:
    disk = await world.gateways.disks.read_disk(plan.disk_id)
    assert _compared(disk) == _compared(planned_disk(plan, PERIOD))
    await world.gateways.tags.merge_tags(plan.vm.id, {"OsDiskName": plan.name})
    policy = policy_of(world.settings)
    facts = await FactReader(world.gateways, policy, Pace(gap_s=0.0)).read(plan.vm.id)
    decision = decide_swap(facts, policy)
    assert isinstance(decision, Swap), decision
    vm = world.simulator.store.get(plan.vm.id)
    assert vm is not None
    current = vm.properties["storageProfile"]["osDisk"]
    wanted = {**current, "name": plan.name, "managedDisk": {"id": plan.disk_id}}
    check_os_disk(world.simulator.services, vm, current, wanted)


def _compared(disk: Disk) -> Disk:
    """A disk without what Azure chooses; defaults that a body does not show count as absent."""
    kept = {path: value for path, value in disk.settings.items() if value}
    return replace(
        disk,
        settings=kept,
        time_created=None,
        owned_since=None,
        tier=None,
        encryption=None if (disk.encryption or {}).get("diskEncryptionSetId") is None else disk.encryption,
        disk_controllers=disk.disk_controllers or "SCSI",
        network_access_policy=disk.network_access_policy or "AllowAll",
        public_network_access=disk.public_network_access or "Enabled",
    )
