"""What is wrong is found before downtime: nothing is written, and what Azure would have refused it refuses indeed."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

import pytest

from refresh import wiring
from refresh.domain.preflight import PROMISES
from refresh.domain.reason import Reason
from refresh.gateway import GatewayError
from tests.support.builders import GALLERY, GROUP, VM_ID, disk_id
from tests.support.local_azure import LocalAzure, disk_body, play, vm_body

SET = f"{GROUP}/providers/Microsoft.Compute/diskEncryptionSets/ours"
PLATFORM_SET = {"encryption": {"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": SET}}
TRUSTED = {"securityProfile": {"securityType": "TrustedLaunch"}}
ARM64 = {"supportedCapabilities": {"architecture": "Arm64"}}


@dataclass(frozen=True)
class Odd:
    """A VM and the disk it asks for, of which one is odd: `vm` and `disk` are laid over a pair that would swap."""

    reason: Reason
    vm: dict[str, Any] = field(default_factory=dict)
    disk: dict[str, Any] = field(default_factory=dict)
    # What Azure answers when the disk is put in all the same; None where nobody knows.
    azure_code: str | None = None
    power: str = "running"


SCALE_SET = {"virtualMachineScaleSet": {"id": f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/set"}}
EPHEMERAL = {"storageProfile": {"osDisk": {"diffDiskSettings": {"option": "Local"}}}}

ODD = {
    "ephemeral": Odd(Reason.EPHEMERAL_DISK, vm={"properties": EPHEMERAL}),
    "scaleset": Odd(Reason.SCALE_SET, vm={"properties": SCALE_SET}),
    "notready": Odd(
        Reason.DISK_NOT_READY, disk={"properties": {"provisioningState": "Creating"}}, azure_code="Conflict"
    ),
    "region": Odd(Reason.OTHER_REGION, disk={"location": "northeurope"}, azure_code="BadRequest"),
    "zone": Odd(Reason.OTHER_ZONE, disk={"zones": ["2"]}, azure_code="BadRequest"),
    "os": Odd(Reason.OTHER_OS, disk={"properties": {"osType": "Windows"}}, azure_code="PropertyChangeNotAllowed"),
    "generation": Odd(
        Reason.OTHER_GENERATION, disk={"properties": {"hyperVGeneration": "V1"}}, azure_code="PropertyChangeNotAllowed"
    ),
    "arch": Odd(Reason.OTHER_ARCHITECTURE, disk={"properties": ARM64}, azure_code="PropertyChangeNotAllowed"),
    "nvme": Odd(
        Reason.OTHER_CONTROLLER,
        vm={"properties": {"storageProfile": {"diskControllerType": "NVMe"}}},
        azure_code="PropertyChangeNotAllowed",
    ),
    "security": Odd(Reason.OTHER_SECURITY_TYPE, disk={"properties": TRUSTED}, azure_code="BadRequest"),
    "encset": Odd(Reason.OTHER_ENCRYPTION_SET, disk={"properties": PLATFORM_SET}),
    "bitlocker": Odd(
        Reason.DISK_ENCRYPTION,
        disk={"properties": {"encryptionSettingsCollection": {"enabled": True}}},
        azure_code="OSDiskSwapNotSupportedForVMsUsingDiskEncryption",
    ),
    "small": Odd(Reason.DISK_TOO_SMALL, disk={"properties": {"diskSizeGB": 20}}),
    "premium": Odd(
        Reason.SKU_NOT_ALLOWED,
        vm={
            "properties": {
                "hardwareProfile": {"vmSize": "Standard_D2_v5"},
                "storageProfile": {"osDisk": {"managedDisk": {"storageAccountType": "StandardSSD_LRS"}}},
            }
        },
        azure_code="InvalidParameter",
    ),
    "clone": Odd(
        Reason.NOT_PERSONALIZED,
        disk={
            "properties": {
                "creationData": {
                    "createOption": "FromImage",
                    "galleryImageReference": {"id": f"{GALLERY}/images/gone/versions/1.0.0"},
                }
            }
        },
    ),
}


def laid_over(body: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    made = copy.deepcopy(body)
    for key, value in change.items():
        deeper = isinstance(value, dict) and isinstance(made.get(key), dict)
        made[key] = laid_over(made[key], value) if deeper else value
    return made


def pair(name: str, odd: Odd) -> list[dict[str, Any]]:
    vm = vm_body(name, power=odd.power, OsDiskName=f"{name}-new")
    return [laid_over(vm, odd.vm), laid_over(disk_body(f"{name}-new"), odd.disk)]


def vm_id(name: str) -> str:
    return VM_ID.replace("web01", name)


def writes(azure: LocalAzure) -> list[str]:
    rows = azure.simulator.journal.to_json(azure.clock.now())["requests"]
    changed = [row for row in rows if row["method"] not in ("GET", "HEAD") and "ResourceGraph" not in row["path"]]
    return [f"{row['method']} {row['path']}" for row in changed]


async def seen(azure: LocalAzure, name: str) -> tuple[str, str]:
    _, row = await azure.api("GET", f"/api/vms?vm={name}")
    return row["decision"], row["reason"]


# A size that takes premium disks and a VM that has none yet: only the list of sizes can tell.
GOES_PREMIUM = Odd(
    Reason.WANTED,
    vm={"properties": {"storageProfile": {"osDisk": {"managedDisk": {"storageAccountType": "StandardSSD_LRS"}}}}},
)


async def swept(azure: LocalAzure) -> None:
    await azure.fire("sweep")
    await azure.settled()


def test_whatever_is_odd_is_refused_and_nothing_is_written() -> None:
    """Every odd pair is refused by its own reason without one write; those beside them that fit are swapped."""

    async def story(azure: LocalAzure) -> None:
        await swept(azure)
        refused = {name: await seen(azure, name) for name in ODD}
        assert refused == {name: ("refuse", str(odd.reason)) for name, odd in ODD.items()}
        for name in good:
            assert await azure.os_disk(vm_id(name)) == f"{name}-new"
        assert {line.split("/virtualMachines/")[1].split("/")[0] for line in writes(azure)} == set(good)

    good = {"fits": Odd(Reason.WANTED), "goespremium": GOES_PREMIUM}
    play(story, [body for name, odd in {**ODD, **good}.items() for body in pair(name, odd)])


def test_what_preflight_refuses_azure_refuses_in_the_middle() -> None:
    """The same disks, put in by the app's own call on a stopped VM: Azure's code is the one the check forestalls."""
    known = {name: odd for name, odd in ODD.items() if odd.azure_code}

    async def story(azure: LocalAzure) -> None:
        said = {}
        for name in known:
            with pytest.raises(GatewayError) as refusal:
                await wiring.gateways().compute.begin_os_disk(vm_id(name), disk_id(f"{name}-new"), f"{name}-new")
            said[name] = refusal.value.code
        assert said == {name: odd.azure_code for name, odd in known.items()}

    bodies = [body for name, odd in known.items() for body in pair(name, odd)]
    play(story, [body | {"_power": "deallocated"} if "_power" in body else body for body in bodies], events=False)


FITS = pair("web01", Odd(Reason.WANTED))
READER = {"scope": "/", "actions": ["*/read"]}
VM = "Microsoft.Compute/virtualMachines"
LEAST = [
    *(f"{VM}/read", f"{VM}/write", f"{VM}/start/action", f"{VM}/deallocate/action"),
    *("Microsoft.Compute/disks/read", "Microsoft.Compute/disks/write", "Microsoft.Resources/tags/write"),
]


def role(scope: str, actions: list[str], *without: str) -> dict[str, Any]:
    return {"scope": scope, "actions": actions, "notActions": list(without)}


@pytest.mark.parametrize(
    ("roles", "named"),
    [
        ([role(GROUP, ["Microsoft.Compute/*"])], "tags/write"),
        ([role(GROUP, ["*"], f"{VM}/start/action")], "virtualMachines/start/action"),
        ([role(GROUP, ["*"], f"{VM}/deallocate/action")], "virtualMachines/deallocate/action"),
        ([role(GROUP, ["*"], f"{VM}/write")], "virtualMachines/write"),
        ([role(GROUP, ["*"], "*/disks/write")], "disks/write"),
        ([role(GROUP, ["*"], "*/disks/write"), role(disk_id("web01-new"), ["*"])], "disks/web01-old"),
    ],
)
def test_a_right_that_is_missing_is_found_before_the_stop(roles: list[dict[str, Any]], named: str) -> None:
    """A role without one of the rights that a swap or its way back needs: refused, named, nothing written."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.roles.replace([READER, *roles])
        await swept(azure)
        _, row = await azure.api("GET", "/api/vms?vm=web01")
        assert (row["decision"], row["reason"]) == ("refuse", str(Reason.RIGHTS_MISSING))
        assert named in row["message"]
        assert writes(azure) == []

    play(story, FITS)


@pytest.mark.parametrize(
    "roles",
    [
        [role(GROUP, LEAST)],
        [role(GROUP, ["*"], f"{VM}/powerOff/action", "*/delete")],
        [role(VM_ID, LEAST), role(disk_id("web01-new"), LEAST), role(disk_id("web01-old"), LEAST)],
    ],
)
def test_the_least_rights_do(roles: list[dict[str, Any]]) -> None:
    """The rights that preflight asks for are all that Azure asks for, on the group or on each resource alone."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.roles.replace([READER, *roles])
        await swept(azure)
        assert await azure.os_disk(VM_ID) == "web01-new"
        assert await azure.power(VM_ID) == "running"

    play(story, FITS)


SUBSCRIPTION_SCOPE = GROUP.rpartition("/resourceGroups/")[0]


def lock_body(scope: str, level: str) -> dict[str, Any]:
    return {"id": f"{scope}/providers/Microsoft.Authorization/locks/freeze", "properties": {"level": level}}


@pytest.mark.parametrize("scope", [VM_ID, disk_id("web01-new"), disk_id("web01-old"), GROUP, SUBSCRIPTION_SCOPE])
def test_a_read_only_lock_is_found_before_the_stop(scope: str) -> None:
    """Locked on the VM, a disk or above: refused by name, nothing written; a lock on deletes is no obstacle."""

    async def story(azure: LocalAzure) -> None:
        await swept(azure)
        _, row = await azure.api("GET", "/api/vms?vm=web01")
        assert (row["decision"], row["reason"]) == ("refuse", str(Reason.LOCKED))
        assert "freeze" in row["message"]
        assert writes(azure) == []
        azure.simulator.upsert([lock_body(scope, "CanNotDelete")])
        await swept(azure)
        assert await azure.os_disk(VM_ID) == "web01-new"

    play(story, [*FITS, lock_body(scope, "ReadOnly")])


def test_a_disk_that_two_vms_ask_for_goes_to_neither() -> None:
    """Two tags name one free disk: nobody can say whose it is, so both are refused by name and nothing is stopped."""

    async def story(azure: LocalAzure) -> None:
        await swept(azure)
        assert {name: await seen(azure, name) for name in ("web01", "web02")} == {
            "web01": ("refuse", str(Reason.DISK_OF_ANOTHER)),
            "web02": ("refuse", str(Reason.DISK_OF_ANOTHER)),
        }
        assert writes(azure) == []

    second = laid_over(vm_body("web02"), {"tags": {"OsDiskName": "web01-new"}})
    play(story, [*FITS, second])


def test_a_batch_of_looks_asks_for_what_vms_share_once() -> None:
    """Ten VMs of a group cost three GETs each and three in all for rights, locks and the other VMs' wishes."""

    async def story(azure: LocalAzure) -> None:
        bad = [f"vm{n}" for n in range(10)]
        await azure.fire("sweep")
        await azure.settled()
        before = len(reads(azure))
        await azure.api("POST", "/api/swap", {"vms": bad, "dryRun": True})
        asked = reads(azure)[before:]
        about = [path for path in asked if "/virtualMachines/" in path or "/disks/" in path]
        assert len(about) == 30
        shared = [path for path in asked if path.endswith(("/permissions", "/locks", "/virtualMachines"))]
        assert sum("permissions" in path for path in shared) == 1
        assert sum("locks" in path for path in shared) == 1

    odd = Odd(Reason.OTHER_ZONE, disk={"zones": ["2"]})
    play(story, [body for n in range(10) for body in pair(f"vm{n}", odd)])


def reads(azure: LocalAzure) -> list[str]:
    rows = azure.simulator.journal.to_json(azure.clock.now())["requests"]
    return [row["path"] for row in rows if row["method"] == "GET"]


def test_a_dry_run_shows_every_check_and_every_warning() -> None:
    """A refused VM's plan has all checks, failed or not, each with what it rests on, and the warnings beside them."""

    async def story(azure: LocalAzure) -> None:
        _, answer = await azure.api("POST", "/api/swap", {"vms": ["web01"], "disk": "web01-new", "dryRun": True})
        (row,) = answer["plan"]
        assert [check["name"] for check in row["checks"]] == [promise.name for promise in PROMISES]
        assert {check["reason"] for check in row["checks"] if not check["ok"]} == {"other-zone", "other-generation"}
        assert all(check["evidence"] for check in row["checks"])
        assert [warning["name"] for warning in row["warnings"]] == ["disk-deleted-with-vm", "spot-vm"]
        assert writes(azure) == []

    spot = {"properties": {"priority": "Spot", "storageProfile": {"osDisk": {"deleteOption": "Delete"}}}}
    wrong = {"zones": ["2"], "properties": {"hyperVGeneration": "V1"}}
    play(story, pair("web01", Odd(Reason.OTHER_ZONE, vm=spot, disk=wrong)), events=False)
