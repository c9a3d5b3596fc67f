"""A disk that the swap would refuse is not made, on the local Azure over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from refresh.activities.disks.make_disks import make_batch
from refresh.domain.azure.disks import Disk
from refresh.domain.swap.decision import Refuse, decide_swap
from refresh.reading.calls.paced_reads import Pace
from refresh.reading.disks.checked_plans import plan_disks
from refresh.reading.swap.facts import FactReader, policy_of
from refresh.records.month import BatchInput
from simulator.arm.core.store import Json
from simulator.arm.state.contents import Content
from tests.support.worlds.builders import DEFINITION_ID, GROUP, VERSION_ID, disk_id, recall_nothing
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

READY = [*gallery_bodies(), version_body()]
NEW = "web01-202611"
TAGGED = {"AutoRefresh": "true", "RefreshPersonalizes": "true"}
PLAN = {"publisher": "paloaltonetworks", "product": "vmseries1", "name": "byol"}


def definition(*features: tuple[str, str], tags: dict[str, str] | None = None, **properties: Any) -> Json:
    made = [{"name": name, "value": value} for name, value in features]
    return definition_body(DEFINITION_ID, TAGGED if tags is None else tags, features=made, **properties)


def a_vm(tags: dict[str, str] | None = None, disk: dict[str, Any] | None = None, **properties: Any) -> list[Json]:
    """`web01` and its OS disk with more `properties` of either."""
    os_disk, vm = vm_bodies("web01", {"AutoRefresh": "true", **(tags or {})})
    os_disk["properties"] |= disk or {}
    storage = vm["properties"]["storageProfile"] | properties.pop("storageProfile", {})
    vm["properties"] |= {**properties, "storageProfile": storage}
    return [os_disk, vm]


async def make(world: World, recall: Any = recall_nothing, *, force: bool = False) -> Json:
    batch = BatchInput((vm_id("web01"),), PERIOD, force)
    (row,) = await make_batch(world.gateways, world.settings, batch, recall)
    return row


async def decide(world: World) -> Any:
    """The decision about the month's disk as the swap takes it, once the tag names it."""
    await world.gateways.tags.merge_tags(vm_id("web01"), {"OsDiskName": NEW})
    policy = policy_of(world.settings)
    reader = FactReader(world.gateways, policy, Pace(gap_s=0.0))
    return decide_swap(await reader.read(vm_id("web01")), policy)


LOCK = {
    "id": f"{GROUP}/providers/Microsoft.Authorization/locks/freeze",
    "properties": {"level": "ReadOnly"},
}
NVME_VM: dict[str, Any] = {
    "hardwareProfile": {"vmSize": "Standard_D2s_v6"},
    "storageProfile": {"diskControllerType": "NVMe"},
}
HIBERNATES: dict[str, Any] = {"additionalCapabilities": {"hibernationEnabled": True}}
REFUSED: dict[str, tuple[list[Json], str]] = {
    "image for SCSI only": ([definition(("DiskControllerTypes", "SCSI")), *a_vm(**NVME_VM)], "other-disk-controller"),
    "image without hibernation": (
        [definition(("IsHibernateSupported", "False")), *a_vm(**HIBERNATES)],
        "hibernation-not-supported",
    ),
    "image with another plan": ([definition(purchasePlan=PLAN), *a_vm()], "other-plan"),
    "clone of another VM": ([definition(tags={"AutoRefresh": "true"}), *a_vm()], "not-personalized"),
    "Azure Disk Encryption": (a_vm(disk={"encryptionSettingsCollection": {"enabled": True}}), "azure-disk-encryption"),
    "stop mode": (a_vm({"RefreshStopMode": "halt"}), "bad-stop-mode"),
    "unsupported tag": (a_vm({"RefreshRing": "1"}), "tag-not-built"),
    # With the tag that the month writes there is no room for those of the swap.
    "tag limit": (a_vm({f"t{n}": "x" for n in range(47)}), "tag-limit"),
    "lock": ([*a_vm(), LOCK], "locked"),
    "another VM's tag": (
        [*a_vm(), *vm_bodies("web02", {"AutoRefresh": "true", "OsDiskName": NEW})],
        "disk-of-another-vm",
    ),
    "scale set": (
        a_vm(virtualMachineScaleSet={"id": f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/s"}),
        "scale-set",
    ),
    "ephemeral disk": (
        a_vm(
            storageProfile={
                "osDisk": {
                    "osType": "Linux",
                    "name": "web01-old",
                    "managedDisk": {"id": disk_id("web01-old")},
                    "createOption": "FromImage",
                    "diffDiskSettings": {"option": "Local"},
                }
            }
        ),
        "ephemeral-disk",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_disk_that_the_swap_would_refuse_is_not_made(name: str) -> None:
    """The run and its dry run name the reason, nothing is written, and no disk is there."""

    async def story(world: World) -> None:
        (planned,) = await plan_disks(world.gateways, world.settings, [vm_id("web01")], PERIOD, recall_nothing)
        row = await make(world)
        assert (row["decision"], row["reason"]) == ("refuse", reason)
        assert row["message"]
        assert planned == row
        assert world.writes() == []
        assert world.resource(disk_id(NEW)) is None

    scenario, reason = REFUSED[name]
    on_arm([*READY, *scenario], story)


SAME_AS_SWAP = ("image for SCSI only", "image without hibernation", "image with another plan", "clone of another VM")


@pytest.mark.parametrize("name", [*SAME_AS_SWAP, "Azure Disk Encryption", "stop mode", "lock"])
def test_the_row_has_the_words_of_the_swap(name: str) -> None:
    """A disk that was there already is refused by month and swap with one reason and one message."""

    async def story(world: World) -> None:
        row = await make(world)
        swap = await decide(world)
        assert isinstance(swap, Refuse)
        assert (row["decision"], row["reason"]) == ("refuse", swap.reason)
        assert swap.message.startswith(row["message"].removesuffix("..."))

    scenario, _ = REFUSED[name]
    made = {"createOption": "FromImage", "galleryImageReference": {"id": VERSION_ID}}
    there: Json = {
        "id": disk_id(NEW),
        "location": "westeurope",
        "zones": ["1"],
        "sku": {"name": "Premium_LRS"},
        "properties": {"osType": "Linux", "hyperVGeneration": "V2", "diskSizeGB": 30, "creationData": made},
    }
    if name == "image with another plan":
        there["properties"]["purchasePlan"] = PLAN
    # A lock forbids the tag that `decide` writes, too.
    unlocked = [body for body in scenario if body is not LOCK]
    on_arm([*READY, *(unlocked if name == "lock" else scenario), there], story if name != "lock" else _locked)


async def _locked(world: World) -> None:
    swap = await decide(world)
    assert not isinstance(swap, Refuse)
    world.simulator.put_resources([LOCK])
    policy = policy_of(world.settings)
    swap = decide_swap(await FactReader(world.gateways, policy, Pace(gap_s=0.0)).read(vm_id("web01")), policy)
    row = await make(world)
    assert isinstance(swap, Refuse)
    assert (row["reason"], row["message"]) == (swap.reason, swap.message)


FOLLOWED: dict[str, tuple[list[Json], dict[str, Any]]] = {
    "upgraded to Trusted Launch": (
        [
            definition(("SecurityType", "TrustedLaunchSupported")),
            *a_vm(securityProfile={"securityType": "TrustedLaunch"}),
        ],
        {"security_type": "TrustedLaunch"},
    ),
    "changed to NVMe": (a_vm(**NVME_VM), {"disk_controllers": "SCSI, NVMe"}),
    "NVMe from the start": (
        a_vm(disk={"supportedCapabilities": {"diskControllerTypes": "NVMe", "architecture": "x64"}}, **NVME_VM),
        {"disk_controllers": "NVMe"},
    ),
    "enabled for hibernation": (a_vm(**HIBERNATES), {"supports_hibernation": True}),
    "hibernated at the moment": ([*a_vm()], {}),
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_a_disk_fits_the_vm_as_it_is_now(name: str) -> None:
    """Where VM and OS disk differ the disk follows the VM, and the swap takes it."""

    async def story(world: World) -> None:
        row = await make(world)
        assert (row["decision"], row["reason"]) == ("create", "made"), row["message"]
        disk: Disk = await world.gateways.disks.read_disk(disk_id(NEW))
        assert {key: getattr(disk, key) for key in expected} == expected
        decision = await decide(world)
        assert not isinstance(decision, Refuse), decision

    scenario, expected = FOLLOWED[name]
    on_arm([*READY, *scenario], story)


KEPT: dict[str, Any] = {
    "diskSizeGB": 1024,
    "tier": "P50",
    "dataAccessAuthMode": "AzureActiveDirectory",
    "networkAccessPolicy": "AllowPrivate",
    "diskAccessId": f"{GROUP}/providers/Microsoft.Compute/diskAccesses/ours",
    "publicNetworkAccess": "Disabled",
    "optimizedForFrequentAttach": True,
    "availabilityPolicy": {"actionOnDiskDelay": "AutomaticReattach"},
    "maxShares": 2,
    "burstingEnabled": True,
    "supportsHibernation": True,
    "supportedCapabilities": {"architecture": "x64", "diskControllerTypes": "SCSI, NVMe", "acceleratedNetwork": True},
}


def test_the_new_disk_shows_every_setting_of_the_old_one() -> None:
    """Export protection, performance, bursting and what the OS supports are the same after a month."""

    async def story(world: World) -> None:
        row = await make(world)
        assert (row["decision"], row["reason"]) == ("create", "made"), row["message"]
        new = world.resource(disk_id(NEW))
        assert new is not None
        assert {key: new["properties"][key] for key in KEPT} == KEPT
        assert new["properties"]["creationData"]["performancePlus"] is True

    old = KEPT | {"creationData": {"createOption": "Empty", "performancePlus": True}}
    on_arm([*READY, *a_vm(disk=old)], story)


def test_a_version_that_was_unhealthy_on_the_vm_is_not_paid_for_again() -> None:
    """No second disk is made from it, unless a person asks with force."""

    def recall(vm: str) -> dict[str, Any]:
        return {"rejected": [VERSION_ID.lower()]} if vm == vm_id("web01") else {}

    async def story(world: World) -> None:
        row = await make(world, recall)
        assert (row["decision"], row["reason"]) == ("refuse", "rejected-before")
        assert world.writes() == []
        row = await make(world, recall, force=True)
        assert (row["decision"], row["reason"]) == ("create", "made")

    on_arm([*READY, *a_vm()], story)


def test_a_vm_that_is_busy_gets_its_disk() -> None:
    """An operation under way passes: the disk is there when the swap begins."""

    async def story(world: World) -> None:
        record = world.simulator.store.get(vm_id("web01"))
        assert record is not None
        record.properties["provisioningState"] = "Updating"
        row = await make(world)
        assert (row["decision"], row["reason"]) == ("create", "made")

    on_arm([*READY, *a_vm()], story)


def test_a_disk_that_azure_makes_otherwise_is_reported() -> None:
    """The disk is held against the checks again when it was read back: no tag is written for it."""

    async def story(world: World) -> None:
        # A version can have a plan that neither it nor its definition shows: that of the VM that it was captured from.
        version = world.simulator.store.get(VERSION_ID)
        assert version is not None
        version.content = Content(plan=PLAN)
        row = await make(world)
        assert (row["decision"], row["reason"]) == ("failed", "not-verified")
        assert "other-plan" in row["message"]
        row = await make(world)
        assert (row["decision"], row["reason"], row["next"]) == ("refuse", "other-plan", NEW)

    on_arm([*READY, *a_vm()], story)
