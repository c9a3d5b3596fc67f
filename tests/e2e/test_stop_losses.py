"""Warnings name what a stop loses before it, and the stop mode `auto` avoids the loss."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.test_preflight import addressed, pair, role, vm_id
from tests.support.worlds.builders import GROUP, VM_ID
from tests.support.worlds.local_azure import LocalAzure, play

type Json = dict[str, Any]

COMPUTE = f"{GROUP}/providers/Microsoft.Compute"


def sized(size: str, **properties: Any) -> Json:
    return {"properties": {"hardwareProfile": {"vmSize": size}, **properties}}


def placed(**properties: Any) -> Json:
    return {"properties": properties}


FLEET: dict[str, tuple[Json, list[str], str]] = {
    "nvme": (sized("Standard_L8s_v4"), ["local-disk-lost"], "power-off"),
    "temporary": (sized("Standard_E2bds_v5"), ["local-disk-lost"], "power-off"),
    "restricted": (sized("Standard_NC24ads_A100_v4"), ["size-restricted", "local-disk-lost"], "power-off"),
    "retired": (sized("Standard_G5"), ["size-restricted", "local-disk-lost"], "power-off"),
    "host": (placed(host={"id": f"{COMPUTE}/hostGroups/racks/hosts/rack7"}), ["dedicated-host"], "power-off"),
    "hostgroup": (placed(hostGroup={"id": f"{COMPUTE}/hostGroups/racks"}), ["dedicated-host"], "power-off"),
    "reserved": (
        placed(capacityReservation={"capacityReservationGroup": {"id": f"{COMPUTE}/capacityReservationGroups/ours"}}),
        ["capacity-reservation"],
        "power-off",
    ),
    "address": ({}, ["dynamic-public-ip"], "power-off"),
    "spot": (placed(priority="Spot"), ["spot-vm"], "deallocate"),
    "near": (
        placed(proximityPlacementGroup={"id": f"{COMPUTE}/proximityPlacementGroups/near"}),
        ["proximity-placement-group"],
        "deallocate",
    ),
    "plain": ({}, [], "deallocate"),
}
"""By VM: its body, the warnings when it is deallocated, and the stop mode that `auto` becomes."""


def fleet(mode: str = "") -> list[Json]:
    bodies = [body for name, (vm, _, _) in FLEET.items() for body in pair(name, vm=vm, RefreshStopMode=mode)]
    for body in bodies:
        if body.get("properties", {}).get("hardwareProfile", {}).get("vmSize") in ("Standard_L8s_v4",):
            body["properties"]["storageProfile"]["diskControllerType"] = "NVMe"
        if body["id"].endswith("/disks/nvme-new"):
            body["properties"]["supportedCapabilities"] = {"diskControllerTypes": "SCSI, NVMe"}
    return [*addressed("address", "Dynamic"), *bodies]


def of_swap(row: Json) -> list[str]:
    return [one["code"] for one in row["warnings"]]


@pytest.mark.parametrize("mode", ["deallocate", "power-off"])
def test_the_plan_the_record_and_the_outcome_warn_of_what_the_stop_loses(mode: str) -> None:
    """With `deallocate` each loss is named; with `power-off` nothing is lost, and nothing is warned of."""

    async def story(azure: LocalAzure) -> None:
        vms = [vm_id(name) for name in FLEET]
        _, answer = await azure.api("POST", "/api/swap", {"vms": vms, "dryRun": True})
        plans = {row["vm"].rpartition("/")[2]: row for row in answer["plan"]}
        assert {row["decision"] for row in plans.values()} == {"swap"}, answer
        _, answer = await azure.api("GET", "/api/vms")
        listed = {row["vm"].rpartition("/")[2]: row for row in answer["value"]}
        await azure.fire("sweep")
        await azure.settled()
        outcomes = {one["vm"].rpartition("/")[2]: one for one in azure.outcomes()}
        for name, (_, codes, _) in FLEET.items():
            expected = codes if mode == "deallocate" else []
            assert of_swap(plans[name]) == expected, plans[name]
            # Public addresses are listed only for an `auto`.
            assert of_swap(listed[name]) == [code for code in expected if code != "dynamic-public-ip"], listed[name]
            assert of_swap(outcomes[name]) == expected, outcomes[name]
            for row in (plans[name], listed[name], outcomes[name]):
                assert (row["stop_mode"], row["stop_why"]) == (mode, f"REFRESH_STOP_MODE is {mode}"), row
        _, one = await azure.api("GET", "/api/vms?vm=address")
        assert of_swap(one) == (["dynamic-public-ip"] if mode == "deallocate" else [])

    play(story, fleet(), settings={"REFRESH_STOP_MODE": mode, "REFRESH_MAX_SWAPS": "20"}, events=False)


def test_auto_powers_off_where_deallocating_would_lose_something() -> None:
    """Plan, record, outcome and Azure agree on the mode, which is chosen once, and the reason names the loss."""

    async def story(azure: LocalAzure) -> None:
        vms = [vm_id(name) for name in FLEET]
        _, answer = await azure.api("POST", "/api/swap", {"vms": vms, "dryRun": True})
        plans = {row["vm"].rpartition("/")[2]: row for row in answer["plan"]}
        _, answer = await azure.api("GET", "/api/vms")
        listed = {row["vm"].rpartition("/")[2]: row for row in answer["value"]}
        await azure.fire("sweep")
        await azure.settled()
        outcomes = {one["vm"].rpartition("/")[2]: one for one in azure.outcomes()}
        requests = azure.simulator.journal.to_json(azure.clock.now())["requests"]
        for name, (_, codes, mode) in FLEET.items():
            assert plans[name]["stop_mode"] == outcomes[name]["stop_mode"] == mode, (plans[name], outcomes[name])
            assert plans[name]["stop_why"] == outcomes[name]["stop_why"]
            assert (listed[name]["stop_mode"], listed[name]["stop_why"]) == (mode, plans[name]["stop_why"])
            assert of_swap(outcomes[name]) == (codes if mode == "deallocate" else [])
            verb = {"power-off": "powerOff", "deallocate": "deallocate"}[mode]
            stops = [row["path"].rpartition("/")[2] for row in requests if _is_stop(row, name)]
            assert stops == [verb], (name, stops)
        assert "local NVMe disks (1788 GiB)" in outcomes["nvme"]["stop_why"]
        assert "dynamic public address address-ip" in outcomes["address"]["stop_why"]

    play(story, fleet("auto"), events=False)


def _is_stop(row: Json, name: str) -> bool:
    stops = (f"/virtualMachines/{name}/deallocate", f"/virtualMachines/{name}/powerOff")
    return row["method"] == "POST" and str(row["path"]).endswith(stops)


def test_a_rollback_keeps_the_mode_that_was_chosen() -> None:
    """The VM is powered off for the undo too, although its tag has changed, and its local disk keeps its data."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([{"disk": "web01-new", "boots": False}])
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: azure.journal(VM_ID)["stops"] == 1)
        await azure.tag(VM_ID, RefreshStopMode="deallocate")
        await azure.settled()
        (outcome,) = azure.outcomes()
        assert (outcome["status"], outcome["stop_mode"]) == ("rolled-back", "power-off"), outcome
        requests = azure.simulator.journal.to_json(azure.clock.now())["requests"]
        stops = [row["path"].rpartition("/")[2] for row in requests if _is_stop(row, "web01")]
        assert stops == ["powerOff", "powerOff"]
        (guest,) = azure.simulator.guests.listing()
        assert guest["localDisks"]["data"] == "a database", guest

    vm = {**sized("Standard_D4ds_v5"), "_local_data": "a database"}
    play(story, [*pair("web01", vm=vm, RefreshStopMode="auto", OsDiskName="")])


def test_sizes_that_cannot_be_read_are_warned_of_and_auto_powers_off() -> None:
    """Without the right to read sizes a local disk counts as lost."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.roles.replace([role("/", ["*"], "Microsoft.Compute/skus/read")])
        _, answer = await azure.api("POST", "/api/swap", {"vms": ["web01", "web02"], "dryRun": True})
        first, second = answer["plan"]
        assert of_swap(first) == ["local-disk-lost"]
        assert "Microsoft.Compute/skus/read" in first["warnings"][0]["message"]
        assert (second["stop_mode"], second["warnings"]) == ("power-off", [])
        assert "could not be read" in second["stop_why"]

    play(story, [*pair("web01"), *pair("web02", RefreshStopMode="auto")], events=False)


def test_a_vm_that_does_not_run_loses_nothing() -> None:
    """It is not stopped, so there is no warning about the stop."""

    async def story(azure: LocalAzure) -> None:
        _, answer = await azure.api("POST", "/api/swap", {"vms": ["web01"], "dryRun": True})
        assert (answer["plan"][0]["decision"], answer["plan"][0]["warnings"]) == ("swap", [])

    vm = {**sized("Standard_D4ds_v5", priority="Spot"), "_power": "deallocated"}
    play(story, [*addressed("web01", "Dynamic"), *pair("web01", vm=vm)], events=False)
