"""Marketplace plans: they stay with disks and images, and a VM's plan must be that of its OS disk."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.simulator.arm.azure import (
    COMPUTE,
    GALLERY,
    GROUP,
    SUB,
    VERSION1,
    VM1,
    Azure,
    Json,
    free_disk,
    gallery,
    linux_vm,
    run_story,
)

PLAN: Json = {"publisher": "resf", "product": "rockylinux-x86_64", "name": "9-base"}
OTHER: Json = {**PLAN, "name": "8-base"}
ROCKY: Json = {"publisher": "resf", "offer": "rockylinux-x86_64", "sku": "9-base", "version": "latest"}
DEBIAN: Json = {"publisher": "Debian", "offer": "debian-12", "sku": "12-gen2", "version": "latest"}
UNKNOWN: Json = {"publisher": "acme", "offer": "thing", "sku": "gen2", "version": "latest"}
REQUIRED, NOT_NEEDED = "requires Plan information in the request", "does not need Plan information"
NO_MATCH = "The purchase information does not match"
AGREEMENT = (
    f"/subscriptions/{SUB}/providers/Microsoft.MarketplaceOrdering/offerTypes/virtualmachine/publishers/resf"
    "/offers/rockylinux-x86_64/plans/9-base/agreements/current"
)


def vm_with_disk(plan: Json | None) -> Json:
    storage = {"storageProfile": {"osDisk": {"name": "old", "managedDisk": {"id": f"{COMPUTE}/disks/old"}}}}
    more: dict[str, Any] = {"plan": plan} if plan else {}
    return linux_vm(_power="deallocated", properties=storage, **more)


def new_vm(storage: Json, plan: Json | None) -> Json:
    body: Json = {"location": "westeurope", "properties": {"storageProfile": storage}}
    return body | ({"plan": plan} if plan else {})


def attached(name: str) -> Json:
    disk = {"id": f"{COMPUTE}/disks/{name}"}
    return {"osDisk": {"name": name, "createOption": "Attach", "osType": "Linux", "managedDisk": disk}}


def planned(name: str, plan: Json | None) -> Json:
    return free_disk(name, {"purchasePlan": plan} if plan else {})


@pytest.mark.parametrize(
    ("vm", "old", "new", "refusal"),
    [
        (None, None, None, None),
        (PLAN, PLAN, PLAN, None),
        (PLAN, None, None, None),
        (PLAN, None, PLAN, None),
        (None, None, PLAN, REQUIRED),
        (PLAN, PLAN, None, NOT_NEEDED),
        (PLAN, PLAN, OTHER, NO_MATCH),
        (PLAN, PLAN, {**PLAN, "name": "9-BASE"}, NO_MATCH),
    ],
)
def test_a_swap_needs_the_vms_plan(vm: Json | None, old: Json | None, new: Json | None, refusal: str | None) -> None:
    """The plan of the new disk must be the VM's; disks that show none are not compared."""

    async def story(azure: Azure) -> None:
        reply = await azure.swap("next")
        if refusal is None:
            assert reply.status == 200, reply.body
            return
        assert (reply.status, reply.code) == (400, "VMMarketplaceInvalidInput")
        assert refusal in reply.message and reply.message.endswith("OS disk name is 'next'.")
        assert (await azure.disk("next"))["properties"]["diskState"] == "Unattached"

    run_story(story, [vm_with_disk(vm), planned("old", old), planned("next", new)])


@pytest.mark.parametrize(
    ("storage", "plan", "refusal"),
    [
        ({"imageReference": ROCKY}, None, REQUIRED),
        ({"imageReference": ROCKY}, OTHER, NO_MATCH),
        ({"imageReference": ROCKY}, PLAN, None),
        ({"imageReference": DEBIAN}, PLAN, NOT_NEEDED),
        ({"imageReference": DEBIAN}, None, None),
        ({"imageReference": UNKNOWN}, PLAN, None),
        ({"imageReference": UNKNOWN}, None, None),
        (attached("paid"), None, REQUIRED),
        (attached("paid"), PLAN, None),
        (attached("free"), PLAN, NOT_NEEDED),
        ({"imageReference": {"id": VERSION1}}, None, REQUIRED),
        ({"imageReference": {"id": VERSION1}}, PLAN, None),
    ],
)
def test_a_new_vm_names_the_plan_of_its_image_or_disk(storage: Json, plan: Json | None, refusal: str | None) -> None:
    """Without it, with another, or with one where there is none: 400 VMMarketplaceInvalidInput."""

    async def story(azure: Azure) -> None:
        reply = await azure.arm("PUT", VM1, new_vm(storage, plan))
        if refusal is not None:
            assert (reply.status, reply.code) == (400, "VMMarketplaceInvalidInput"), reply.body
            assert refusal in reply.message
            return
        await azure.finish(reply)
        vm = await azure.vm()
        assert vm.get("plan") == plan
        disk = await azure.disk(vm["properties"]["storageProfile"]["osDisk"]["name"])
        assert disk["properties"].get("purchasePlan") == plan

    bodies = gallery()
    bodies[1]["properties"]["purchasePlan"] = PLAN
    run_story(story, [*bodies, planned("paid", PLAN), planned("free", None)])


@pytest.mark.parametrize("in_definition", [True, False])
def test_a_plan_stays_with_disks_snapshots_and_versions(in_definition: bool) -> None:
    """A disk from a version has the plan of the definition or, where that shows none, of the VM that was captured."""

    async def make(azure: Azure, path: str, creation: Json, **properties: Any) -> Json:
        body = {"location": "westeurope", "properties": {"creationData": creation, **properties}}
        await azure.finish(await azure.arm("PUT", path, body))
        made: Json = (await azure.arm("GET", path)).body
        return made

    async def story(azure: Azure) -> None:
        storage = {"source": {"virtualMachineId": f"{COMPUTE}/virtualMachines/golden"}}
        profile = {"targetRegions": [{"name": "westeurope"}]}
        body = {"location": "westeurope", "properties": {"storageProfile": storage, "publishingProfile": profile}}
        version = f"{GALLERY}/images/ubuntu/versions/2.0.0"
        await azure.finish(await azure.arm("PUT", version, body))
        creation = {"createOption": "FromImage", "galleryImageReference": {"id": version}}
        disk = await make(azure, f"{COMPUTE}/disks/made", creation, purchasePlan=OTHER)
        assert disk["properties"]["purchasePlan"] == PLAN
        shot = await make(azure, f"{COMPUTE}/snapshots/shot", {"createOption": "Copy", "sourceResourceId": disk["id"]})
        assert shot["properties"]["purchasePlan"] == PLAN
        copy = await make(azure, f"{COMPUTE}/disks/copy", {"createOption": "Copy", "sourceResourceId": shot["id"]})
        assert copy["properties"]["purchasePlan"] == PLAN

    bodies = gallery()
    golden = linux_vm("golden", plan=PLAN)
    if in_definition:
        bodies[1]["properties"]["purchasePlan"] = PLAN
        golden.pop("plan")
    run_story(story, [*bodies, golden])


def test_the_plan_of_a_vm_never_changes() -> None:
    """A VM without a plan gets none, and one with a plan keeps it; the same plan is no change."""

    async def story(azure: Azure) -> None:
        refused = await azure.arm("PATCH", VM1, {"plan": PLAN})
        assert (refused.status, refused.code) == (400, "CannotSetPlanOnUpdate")
        paid = f"{COMPUTE}/virtualMachines/paid"
        refused = await azure.arm("PATCH", paid, {"plan": OTHER})
        assert (refused.status, refused.code) == (409, "PropertyChangeNotAllowed")
        same = await azure.arm("PATCH", paid, {"plan": PLAN, "tags": {"a": "1"}})
        assert (same.status, "Azure-AsyncOperation" in same.headers) == (200, False)
        model = await azure.vm("paid")
        del model["plan"]
        model["properties"]["licenseType"] = "RHEL_BYOS"
        await azure.finish(await azure.arm("PUT", paid, model))
        assert (await azure.vm("paid"))["plan"] == PLAN

    run_story(story, [linux_vm(), linux_vm("paid", plan=PLAN)])


def test_terms_that_are_not_accepted_refuse_a_new_vm() -> None:
    """A subscription whose agreement is not accepted cannot make the VM; after the agreement is accepted it can."""

    async def story(azure: Azure) -> None:
        refused = await azure.arm("PUT", VM1, new_vm({"imageReference": ROCKY}, PLAN))
        assert (refused.status, refused.code) == (400, "ResourcePurchaseValidationFailed")
        assert "accept the legal terms" in refused.message
        accepted = await azure.arm("PUT", AGREEMENT, {"properties": {"accepted": True}})
        assert accepted.status == 200
        await azure.finish(await azure.arm("PUT", VM1, new_vm({"imageReference": ROCKY}, PLAN)))

    run_story(story, [{"id": GROUP, "location": "westeurope"}, {"id": AGREEMENT, "properties": {"accepted": False}}])
