"""Every preflight check fails with a wrong fact and passes with a right one, without requests to Azure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from refresh.domain.azure.data_disks import DataDisk, data_disks_of
from refresh.domain.azure.plans import Plan
from refresh.domain.azure.vms import Power
from refresh.domain.preflight.all_checks import CONDITIONS, check_facts
from refresh.domain.preflight.check import Evidence
from refresh.domain.preflight.provenance import Policy
from refresh.domain.preflight.rights import Grant, missing, needed_on
from refresh.domain.terms import tags
from refresh.domain.terms.resource_id import id_hash
from refresh.domain.terms.swap_reason import Reason
from refresh.domain.vm.facts import Facts
from refresh.domain.vm.reservation import Reservation
from refresh.domain.vm.wish import choose_wish
from tests.support.worlds.builders import (
    GROUP,
    VERSION_ID,
    VM_ID,
    disk_id,
    make_vm,
)
from tests.unit.refresh.domain.preflight.cases import (
    NOTHING_MISSING,
    OTHER_VM,
    SET,
    WITH_SET,
    facts_of,
    failures,
    lock,
    preflight,
    with_tags,
)

PLAN = Plan("publisher", "product", "name")
LONG = disk_id("d" * 80, f"{GROUP}-{'g' * 70}")

# Facts with which each condition fails, and no other condition.
WRONG: dict[str, list[dict[str, Any]]] = {
    "no unsupported tag": [with_tags(**{name: "1"}) for name in tags.NOT_BUILT_YET],
    "stop mode can be read": [with_tags(RefreshStopMode="gently")],
    "probe can be read": [with_tags(RefreshProbe="ssh")],
    "health timeout can be read": [with_tags(RefreshHealthTimeoutS="5m")],
    "OsDiskName is a disk": [with_tags(OsDiskName="no/such thing")],
    "@previous has a disk": [with_tags(OsDiskName="@previous")],
    "disk is in an allowed resource group": [with_tags(OsDiskName=disk_id("x", f"{GROUP}-other"))],
    "disk was not rejected on this VM before": [
        {"rejected": frozenset({disk_id("web01-202611").lower()})},
        {"rejected": frozenset({VERSION_ID.lower()})},
    ],
    "VM has room for the app's tags": [
        with_tags(**{f"team{number}": "x" for number in range(47)}),
        with_tags(**{f"team{number}": "x" for number in range(46)}, OsDiskPrevious="web01-older"),
        {"vm": {"os_disk_id": LONG}, "preflight": {"gaps": {**NOTHING_MISSING, LONG.lower(): ()}}},
    ],
    "OS disk is managed": [{"vm": {"os_disk_id": None}}],
    "OS disk is not ephemeral": [{"vm": {"ephemeral_os_disk": True}}],
    "VM is in no scale set": [{"vm": {"scale_set": f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/s"}}],
    "VM is not hibernated": [{"vm": {"hibernated": True, "power": Power.DEALLOCATED}}],
    "VM has no operation under way": [
        {"vm": {"power": Power.STARTING}},
        {"vm": {"provisioning_state": "Updating"}},
    ],
    "disk is ready": [{"wanted": {"provisioning_state": "Creating"}}],
    "disk is free": [{"wanted": {"managed_by": OTHER_VM, "disk_state": "Reserved"}}],
    "no other VM's tag names the disk": [{"preflight": {"named_by": OTHER_VM}}],
    "disk is no other VM's way back": [{"preflight": {"reserved": Reservation(OTHER_VM, "for 7 days")}}],
    "same region": [{"wanted": {"location": "northeurope"}}],
    "same zone": [{"wanted": {"zones": ("2",)}}],
    "same edge zone": [
        {"wanted": {"edge_zone": "attatlanta1"}},
        {"vm": {"edge_zone": "attatlanta1"}},
        {"vm": {"edge_zone": "attatlanta1"}, "wanted": {"edge_zone": "attdallas1"}},
    ],
    "same OS type": [{"wanted": {"os_type": "Windows"}}],
    "same Hyper-V generation": [{"wanted": {"generation": "V1"}}],
    "same CPU architecture": [{"wanted": {"architecture": "Arm64"}}, {"current": {"architecture": "Arm64"}}],
    "same disk controller": [
        {"vm": {"disk_controller": "NVMe"}},
        {"vm": {"disk_controller": "NVMe"}, "wanted": {"disk_controllers": "SCSI"}},
    ],
    "same security type": [
        {"wanted": {"security_type": "TrustedLaunch"}},
        {"vm": {"security_type": "TrustedLaunch"}},
        {"vm": {"security_type": "ConfidentialVM"}, "wanted": {"security_type": "TrustedLaunch"}},
    ],
    "same encryption set": [
        {"current": {"encryption": WITH_SET}},
        {
            "wanted": {"encryption": {**WITH_SET, "diskEncryptionSetId": f"{SET}2"}},
            "current": {"encryption": WITH_SET},
            "preflight": {"gaps": {**NOTHING_MISSING, f"{SET}2".lower(): ()}},
        },
    ],
    "no Azure Disk Encryption": [
        {"vm": {"encrypted_inside": True}},
        {"wanted": {"encrypted_inside": True}},
        {"current": {"encrypted_inside": True}},
    ],
    "disk is not smaller": [{"current": {"size_gb": 64}}, {"wanted": {"size_gb": None}}],
    "disk supports the VM's hibernation": [{"vm": {"hibernates": True}}],
    "same marketplace plan": [
        {"wanted": {"plan": PLAN}},
        {"vm": {"plan": PLAN}, "current": {"plan": PLAN}},
        {"vm": {"plan": PLAN}, "wanted": {"plan": replace(PLAN, name="other")}},
        {"vm": {"plan": PLAN}, "wanted": {"plan": replace(PLAN, name="NAME")}},
    ],
    "VM size supports the disk's SKU": [
        {"current": {"sku": "Standard_LRS"}},
        {"current": {"sku": "StandardSSD_LRS"}, "preflight": {"takes_premium": False}},
    ],
    "disk is trusted": [
        {"policy": Policy(trust="gallery"), "ran": frozenset()},
    ],
    "not a generalised Windows disk": [
        {
            "vm": {"os_type": "Windows"},
            "wanted": {"os_type": "Windows"},
            "definition": {"os_type": "Windows", "os_state": "Generalized"},
        }
    ],
    "disk becomes this VM": [{"definition": {"tags": {}}}],
    "image version is not quarantined": [{"version": {"tags": {"refreshquarantined": "rolled back on 2 VMs"}}}],
    "image version exists": [{"has_version": False}],
    "app has the rights it needs on the VM": [
        {
            "preflight": {
                "gaps": {**NOTHING_MISSING, VM_ID.lower(): ("Microsoft.Compute/virtualMachines/start/action",)}
            }
        },
        {"preflight": {"gaps": {disk: () for disk in NOTHING_MISSING if "/disks/" in disk}}},
    ],
    "app has the rights it needs on both disks": [
        {"preflight": {"gaps": {**NOTHING_MISSING, disk_id("web01-old").lower(): ("Microsoft.Compute/disks/write",)}}},
        {
            "preflight": {
                "gaps": {**NOTHING_MISSING, disk_id("web01-202611").lower(): ("Microsoft.Compute/disks/write",)}
            }
        },
    ],
    "app has the rights it needs on the encryption set": [
        {"wanted": {"encryption": WITH_SET}, "current": {"encryption": WITH_SET}},
    ],
    "no read-only lock": [
        {"preflight": {"locks": (lock(VM_ID),)}},
        {"preflight": {"locks": (lock(disk_id("web01-202611").upper()),)}},
        {"preflight": {"locks": (lock(disk_id("web01-old")),)}},
        {"preflight": {"locks": (lock(GROUP), lock(VM_ID, "CanNotDelete"))}},
        {"preflight": {"locks": (lock(GROUP.rpartition("/resourceGroups/")[0]),)}},
        {"preflight": {"locks": (lock(VM_ID, "SomethingNew"),)}},
    ],
}


def test_every_check_has_a_case_that_fails_it() -> None:
    """Every check has a case that fails it, and every name of a check is unique."""
    assert sorted([*WRONG, "disk exists"]) == sorted(condition.name for condition in CONDITIONS)
    assert all(condition.source or condition.evidence is Evidence.OUR_RULE for condition in CONDITIONS)


def test_without_the_disk_only_the_tags_are_checked() -> None:
    """A disk that does not exist fails its own check; one that could not be read fails none."""
    vm = make_vm({"OsDiskName": "gone"})
    facts = Facts(vm, choose_wish(vm, ()))
    assert failures(check_facts(facts, Policy())) == ["disk exists"]
    assert failures(check_facts(replace(facts, unreadable="unknown"), Policy())) == []


@pytest.mark.parametrize(("name", "wrong"), [(name, case) for name, cases in WRONG.items() for case in cases])
def test_one_wrong_property_fails_one_check(name: str, wrong: dict[str, Any]) -> None:
    """One wrong property fails one check, whose message has the cure; all other checks are still reported."""
    checks = preflight(**wrong)
    assert failures(checks) == [name]
    assert [one.name for one in checks] == [condition.name for condition in CONDITIONS]
    (failed,) = (one for one in checks if not one.ok)
    assert len(failed.message) > 20
    assert all(one.message == "" for one in checks if one.ok)


@pytest.mark.parametrize(
    "fits",
    [
        {},
        {"wanted": {"architecture": "x64", "disk_controllers": "SCSI, NVMe"}, "vm": {"disk_controller": "SCSI"}},
        {"wanted": {"disk_controllers": "SCSI, NVME"}, "vm": {"disk_controller": "NVMe"}},
        {"wanted": {"architecture": "Arm64"}, "current": {"architecture": "Arm64"}},
        {"vm": {"security_type": "Standard"}},
        {"vm": {"security_type": "TrustedLaunch"}, "wanted": {"security_type": "TrustedLaunch"}},
        {"vm": {"security_type": "ConfidentialVM"}, "wanted": {"security_type": "ConfidentialVM_NonPersistedTPM"}},
        {
            "wanted": {"encryption": WITH_SET},
            "current": {"encryption": {**WITH_SET, "diskEncryptionSetId": SET.upper()}},
            "preflight": {"gaps": {**NOTHING_MISSING, SET.lower(): ()}},
        },
        {"wanted": {"size_gb": 64}},
        {"current": {"sku": "Standard_LRS"}, "preflight": {"takes_premium": True}},
        {"wanted": {"sku": "StandardSSD_LRS"}},
        {"preflight": {"locks": (lock(VM_ID, "CanNotDelete"), lock(GROUP, "CanNotDelete"))}},
        {"preflight": {"locks": (lock(OTHER_VM), lock(f"{GROUP}2"), lock(f"{VM_ID}/extensions/agent"))}},
        {"wanted": {"zones": (), "sku": "Premium_ZRS"}},
    ],
)
def test_what_fits_passes_every_check(fits: dict[str, Any]) -> None:
    """Azure's documented defaults stand for missing values; locks against deletion do not count."""
    assert failures(preflight(**fits)) == []


def test_a_rollback_to_a_smaller_disk_is_allowed() -> None:
    """A disk that this VM ran before may be smaller than its current one."""
    smaller: dict[str, Any] = {"wanted": {"size_gb": 20}}
    assert failures(preflight(**smaller)) == ["disk is not smaller"]
    assert failures(preflight(**smaller, ran=frozenset({id_hash(disk_id("web01-202611"))}))) == []


def test_facts_from_lists_check_only_the_vm_and_its_disks() -> None:
    """On facts from lists the checks of rights, locks and other VMs' tags are left out."""
    checks = check_facts(replace(facts_of(), preflight=None), Policy())
    left_out = {condition.name for condition in CONDITIONS} - {one.name for one in checks}
    assert left_out == {
        "no other VM's tag names the disk",
        "disk is no other VM's way back",
        "VM size supports the disk's SKU",
        "app has the rights it needs on the VM",
        "app has the rights it needs on both disks",
        "app has the rights it needs on the encryption set",
        "no read-only lock",
    }


@pytest.mark.parametrize(
    ("grants", "lacking"),
    [
        ([Grant(("*",))], set()),
        ([Grant(("microsoft.compute/*", "*/tags/write"))], set()),
        ([], {"read", "write", "start/action", "tags/write", "deallocate/action"}),
        ([Grant(("*/read",)), Grant(("Microsoft.Resources/tags/*",))], {"write", "start/action", "deallocate/action"}),
        ([Grant(("*",), ("*/start/action",))], {"start/action"}),
        ([Grant(("*",), ("*/start/action",)), Grant(("Microsoft.Compute/virtualMachines/*",))], set()),
        (
            [Grant(("Microsoft.Compute/virtualMachines/",))],
            {"read", "write", "start/action", "tags/write", "deallocate/action"},
        ),
    ],
)
def test_a_missing_right_is_found_before_the_stop(grants: list[Grant], lacking: set[str]) -> None:
    """Wildcards grant, notActions exclude within their own role only, and actions compare without case."""
    found = missing(needed_on(VM_ID, "deallocate"), grants)
    short = {
        action.removeprefix("Microsoft.Compute/virtualMachines/").removeprefix("Microsoft.Resources/")
        for action in found
    }
    assert short == lacking


def test_only_the_right_for_the_chosen_stop_is_needed() -> None:
    """Powering off needs no right to deallocate, and deallocating none to power off."""
    deallocates, powers_off = needed_on(VM_ID, "deallocate"), needed_on(VM_ID, "power-off")
    assert set(deallocates) ^ set(powers_off) == {
        "Microsoft.Compute/virtualMachines/deallocate/action",
        "Microsoft.Compute/virtualMachines/powerOff/action",
    }


def test_data_disks_are_recorded_by_lun() -> None:
    """The same disks in any order give the same texts; another LUN, name or caching gives others."""
    logs, data = DataDisk(1, "logs", "None"), DataDisk(0, "Data", "ReadOnly")
    assert data_disks_of([logs, data]) == data_disks_of([data, logs]) == ("0:data:ReadOnly", "1:logs:None")
    assert data_disks_of([replace(logs, caching="ReadWrite")]) != data_disks_of([logs])


def test_a_refusal_names_actions_and_locks_with_their_scopes() -> None:
    """Refusals name missing actions and locks with their scopes."""
    start = "Microsoft.Compute/virtualMachines/start/action"
    (failed,) = (
        one for one in preflight(preflight={"gaps": {**NOTHING_MISSING, VM_ID.lower(): (start,)}}) if not one.ok
    )
    assert start in failed.message
    assert VM_ID in failed.message
    (locked,) = (one for one in preflight(preflight={"locks": (lock(GROUP),)}) if not one.ok)
    assert "freeze" in locked.message
    assert GROUP in locked.message
    assert (failed.reason, locked.reason) == (Reason.RIGHTS_MISSING, Reason.LOCKED)


@pytest.mark.parametrize(
    "facts",
    [
        {"vm": {"edge_zone": "attatlanta1"}, "wanted": {"edge_zone": "ATTATLANTA1"}},
        {"vm": {"hibernates": True}, "wanted": {"supports_hibernation": True}},
        {"wanted": {"supports_hibernation": True}},
        {"vm": {"plan": PLAN}, "wanted": {"plan": PLAN}, "current": {"plan": PLAN}},
        {"vm": {"plan": PLAN}, "wanted": {"plan": PLAN}},
        {"vm": {"plan": PLAN}},
        {"current": {"plan": PLAN}, "vm": {"plan": PLAN}, "wanted": {"plan": PLAN}},
    ],
)
def test_a_disk_that_shares_what_the_vm_declares_passes(facts: dict[str, Any]) -> None:
    """The same edge zone in any case, hibernation, the same plan; a plan that no disk shows is not compared."""
    assert failures(preflight(**facts)) == []
