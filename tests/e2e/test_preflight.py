"""Preflight checks refuse a swap before downtime, and nothing is written."""

from __future__ import annotations

from typing import Any

import pytest

from refresh.domain.preflight.all_checks import CONDITIONS
from refresh.domain.terms.swap_reason import Reason
from tests.support.faults.preflight_row import laid_over
from tests.support.worlds.builders import GROUP, VM_ID, disk_id
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body

type Json = dict[str, Any]


def pair(name: str, *, vm: Json | None = None, disk: Json | None = None, **tags: str) -> list[Json]:
    """A VM and the disk that its tag names, each with changes merged into its body."""
    vm_with_tag = laid_over(vm_body(name), {"tags": {"OsDiskName": f"{name}-new", **tags}})
    return [laid_over(vm_with_tag, vm or {}), laid_over(disk_body(f"{name}-new"), disk or {})]


def vm_id(name: str) -> str:
    return VM_ID.replace("web01", name)


def writes(azure: LocalAzure) -> list[str]:
    rows = azure.simulator.journal.to_json(azure.clock.now())["requests"]
    changed = [row for row in rows if row["method"] not in ("GET", "HEAD") and "ResourceGraph" not in row["path"]]
    return [f"{row['method']} {row['path']}" for row in changed]


async def seen(azure: LocalAzure, name: str) -> tuple[str, str]:
    _, row = await azure.api("GET", f"/api/vms?vm={name}")
    return row["decision"], row["reason"]


async def swept(azure: LocalAzure) -> None:
    await azure.fire("sweep")
    await azure.settled()


FITS = pair("web01")
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
        ([role(GROUP, ["*"], "*/disks/write"), role(disk_id("web01-new"), ["*"])], "disks/web01-old"),
    ],
)
def test_a_right_that_is_missing_is_found_before_the_stop(roles: list[dict[str, Any]], named: str) -> None:
    """A role without a right that a swap or its rollback needs: refused, the right is named, nothing is written."""

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
def test_the_minimal_rights_are_enough(roles: list[dict[str, Any]]) -> None:
    """The rights that preflight checks are all that Azure requires, on the group or on each resource."""

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
    """A read-only lock on the VM, a disk or above is named and refused without a write; a delete lock is allowed."""

    async def story(azure: LocalAzure) -> None:
        await swept(azure)
        _, row = await azure.api("GET", "/api/vms?vm=web01")
        assert (row["decision"], row["reason"]) == ("refuse", str(Reason.LOCKED))
        assert "freeze" in row["message"]
        assert writes(azure) == []
        azure.simulator.put_resources([lock_body(scope, "CanNotDelete")])
        await swept(azure)
        assert await azure.os_disk(VM_ID) == "web01-new"

    play(story, [*FITS, lock_body(scope, "ReadOnly")])


def test_a_disk_that_two_vms_request_goes_to_neither() -> None:
    """Two tags that name the same free disk are both refused, and nothing is written."""

    async def story(azure: LocalAzure) -> None:
        await swept(azure)
        assert {name: await seen(azure, name) for name in ("web01", "web02")} == {
            "web01": ("refuse", str(Reason.DISK_OF_ANOTHER)),
            "web02": ("refuse", str(Reason.DISK_OF_ANOTHER)),
        }
        assert writes(azure) == []

    second = laid_over(vm_body("web02"), {"tags": {"OsDiskName": "web01-new"}})
    play(story, [*FITS, second])


def test_a_batch_of_looks_reads_shared_facts_once() -> None:
    """Ten VMs of a group cost three GETs each, and one GET each for rights and locks of the group."""

    async def story(azure: LocalAzure) -> None:
        bad = [f"vm{n}" for n in range(10)]
        await azure.fire("sweep")
        await azure.settled()
        before = len(reads(azure))
        await azure.api("POST", "/api/swap", {"vms": bad, "dryRun": True})
        made = reads(azure)[before:]
        about = [path for path in made if "/virtualMachines/" in path or "/disks/" in path]
        assert len(about) == 30
        shared = [path for path in made if path.endswith(("/permissions", "/locks", "/virtualMachines"))]
        assert sum("permissions" in path for path in shared) == 1
        assert sum("locks" in path for path in shared) == 1

    play(story, [body for n in range(10) for body in pair(f"vm{n}", disk={"zones": ["2"]})])


def reads(azure: LocalAzure) -> list[str]:
    rows = azure.simulator.journal.to_json(azure.clock.now())["requests"]
    return [row["path"] for row in rows if row["method"] == "GET"]


def by_result(row: Json, result: str) -> list[str]:
    return [check["reason"] for check in row["checks"] if check["result"] == result]


def test_a_dry_run_shows_every_check_not_only_the_first() -> None:
    """The plan has every failed check of tags and disk with its evidence, and the checks without the needed facts."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.roles.replace([role("/", ["*"], "Microsoft.Authorization/locks/read")])
        _, answer = await azure.api("POST", "/api/swap", {"vms": ["web02"], "dryRun": True})
        (row,) = answer["plan"]
        assert (row["reason"], "locks/read" in row["message"]) == ("rights-missing", True)
        assert by_result(row, "failed") == ["other-generation"]
        assert by_result(row, "not-checked") == [
            *("disk-of-another-vm", "disk-reserved", "sku-not-allowed"),
            *("rights-missing", "rights-missing", "rights-missing", "locked"),
        ]
        azure.simulator.roles.replace([])
        _, answer = await azure.api("POST", "/api/swap", {"vms": ["web01"], "dryRun": True})
        (row,) = answer["plan"]
        assert [check["name"] for check in row["checks"]] == [condition.name for condition in CONDITIONS]
        assert by_result(row, "failed") == ["tag-not-built", "bad-stop-mode", "other-zone", "other-generation"]
        assert by_result(row, "not-checked") == []
        (zone,) = (check for check in row["checks"] if check["reason"] == "other-zone")
        assert zone == {
            "name": "same zone",
            "result": "failed",
            "ok": False,
            "reason": "other-zone",
            "message": "disk web01-new is in zone 2, the VM in zone 1; make the disk in the VM's zone",
            "evidence": "reported",
            "source": "https://github.com/jenkins-infra/azure/pull/1406",
            "azure_code": "BadRequest",
        }
        assert row["reason"] == "tag-not-built"
        assert writes(azure) == []

    wrong = {"zones": ["2"], "properties": {"hyperVGeneration": "V1"}}
    first = pair("web01", disk=wrong, RefreshWindow="Sat", RefreshStopMode="gently")
    play(story, [*first, *pair("web02", disk={"properties": {"hyperVGeneration": "V1"}})], events=False)


NETWORK = f"{GROUP}/providers/Microsoft.Network"


def addressed(name: str, method: str) -> list[Json]:
    """The network interface of VM `name` with a public address that is assigned by `method`."""
    address = f"{NETWORK}/publicIPAddresses/{name}-ip"
    settings = {"privateIPAddress": "10.0.0.4", "primary": True, "publicIPAddress": {"id": address}}
    configuration = {"name": "ipconfig1", "properties": settings}
    return [
        {"id": address, "location": "westeurope", "properties": {"publicIPAllocationMethod": method}},
        {
            "id": f"{NETWORK}/networkInterfaces/{name}-nic",
            "location": "westeurope",
            "properties": {"ipConfigurations": [configuration]},
        },
    ]


def test_warnings_are_in_the_plan_and_in_the_outcome() -> None:
    """Warnings refuse no swap, and a warning whose facts cannot be read names the reason."""
    nic_read, ip_read = "Microsoft.Network/networkInterfaces/read", "Microsoft.Network/publicIPAddresses/read"
    boot_log, resource_health = f"{VM}/retrieveBootDiagnosticsData/action", "*/availabilityStatuses/read"
    inherited = ["disk-deleted-with-vm", "spot-vm"]
    expected = {
        "web01": [*inherited, "dynamic-public-ip"],
        "web02": [],
        "web03": [],
        "web04": ["dynamic-public-ip"],
        "slow01": ["dynamic-public-ip"],
        "web05": ["dynamic-public-ip", "health-rung-lost", "health-rung-lost", "health-rung-lost"],
    }

    async def story(azure: LocalAzure) -> None:
        lesser = role(GROUP, ["*"], ip_read, nic_read, boot_log, resource_health)
        seeing = [
            role(scope, ["*"])
            for name in ("web01", "web02", "web03", "web04", "slow01")
            for scope in (vm_id(name), f"{NETWORK}/networkInterfaces/{name}-nic")
        ]
        addresses = [role(f"{NETWORK}/publicIPAddresses/{name}-ip", ["*"]) for name in ("web01", "web02", "web03")]
        lists = [f"{VM}/read", "Microsoft.Compute/disks/read", "Microsoft.Compute/skus/read"]
        lists += ["Microsoft.Resources/*", "Microsoft.ResourceGraph/*"]
        root = role("/", ["Microsoft.Authorization/*", *lists])
        azure.simulator.roles.replace([root, lesser, *seeing, *addresses])
        azure.simulator.services.faults.add([{"match": {"path": "slow01-nic$"}, "delay_s": 3600}])
        _, answer = await azure.api("POST", "/api/swap", {"vms": list(expected), "dryRun": True})
        plans = {row["vm"].rpartition("/")[2]: row for row in answer["plan"]}
        assert {name: [one["code"] for one in row["warnings"]] for name, row in plans.items()} == expected
        assert {row["decision"] for row in plans.values()} == {"swap"}
        await swept(azure)
        outcomes = {one["vm"].rpartition("/")[2]: one for one in azure.outcomes()}
        assert {name: [one["code"] for one in outcome["warnings"]] for name, outcome in outcomes.items()} == expected
        assert {outcome["status"] for outcome in outcomes.values()} == {"succeeded"}
        assert "web01-ip" in outcomes["web01"]["warnings"][-1]["message"]
        assert "AuthorizationFailed" in outcomes["web04"]["warnings"][0]["message"]
        assert "no answer in time" in outcomes["slow01"]["warnings"][0]["message"]
        lost = " ".join(one["message"] for one in outcomes["web05"]["warnings"])
        assert all(rung in lost for rung in ("boot-log", "resource-health", "rung probe", nic_read)), lost
        _, run = await azure.api("GET", f"/api/runs/{outcomes['web01']['run']}")
        assert run["warnings"] == outcomes["web01"]["warnings"]

    spot = {"properties": {"priority": "Spot", "storageProfile": {"osDisk": {"deleteOption": "Delete"}}}}
    fleet = [*pair("web01", vm=spot), *pair("web02"), *pair("web03", RefreshStopMode="power-off"), *pair("web04")]
    fleet += [*pair("slow01"), *pair("web05", RefreshProbe="tcp:22")]
    network = [
        body
        for name, method in (("web01", "Dynamic"), ("web02", "Static"), ("web03", "Dynamic"), ("web04", "Dynamic"))
        for body in addressed(name, method)
    ]
    play(story, [*network, *fleet], events=False)
