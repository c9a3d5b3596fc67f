"""Updates of a VM: which need an operation, and what Azure adds to the model."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.simulator.arm.azure import COMPUTE, VM1, Azure, Json, free_disk, linux_vm, run_story

NEWEST = "?api-version=2024-07-01"
OLDER = "?api-version=2022-11-01"


async def changed(azure: Azure, change: Any) -> Json:
    """The VM's own model with `change` applied, as a client sends it back."""
    model: Json = (await azure.arm("GET", VM1 + NEWEST)).body
    change(model)
    return model


@pytest.mark.parametrize("sent", ["patch", "put", "same"])
def test_an_update_of_tags_or_of_nothing_needs_no_operation(sent: str) -> None:
    """It answers 200, Updating, without Azure-AsyncOperation; the next read shows Succeeded, and there is an event."""
    tags = {} if sent == "same" else {"a": "b"}

    async def story(azure: Azure) -> None:
        before = await azure.arm("GET", VM1 + NEWEST)
        body: Json = {"tags": tags} if sent == "patch" else {**before.body, "tags": tags}
        reply = await azure.arm("PATCH" if sent == "patch" else "PUT", VM1 + NEWEST, body)
        assert (reply.status, reply.body["properties"]["provisioningState"]) == (200, "Updating")
        assert not reply.headers.keys() & {"Azure-AsyncOperation", "Location", "Retry-After"}
        assert reply.body["tags"] == tags
        after = await azure.arm("GET", VM1 + NEWEST)
        assert (after.body["tags"], after.body["properties"]) == (tags, before.body["properties"])
        assert (after.body["etag"] == before.body["etag"]) == (sent == "same")
        (event,) = (await azure.sim("GET", "events")).body
        assert event["operationName"] == "Microsoft.Compute/virtualMachines/write"

    run_story(story, [linux_vm()])


@pytest.mark.parametrize(
    "properties",
    [
        {"licenseType": "RHEL_BYOS"},
        {"userData": "aGVsbG8="},
        {"diagnosticsProfile": {"bootDiagnostics": {"enabled": True}}},
        {"storageProfile": {"dataDisks": [{"lun": 0, "createOption": "Empty", "diskSizeGB": 1}]}},
    ],
)
def test_any_other_change_is_an_operation(properties: Json) -> None:
    """A change of the model answers with an operation, also together with tags."""

    async def story(azure: Azure) -> None:
        reply = await azure.arm("PATCH", VM1 + NEWEST, {"tags": {"a": "b"}, "properties": properties})
        assert (await azure.finish(reply))["status"] == "Succeeded"
        assert (await azure.vm())["tags"] == {"a": "b"}

    run_story(story, [linux_vm()])


def test_faults_of_updates_apply_without_an_operation() -> None:
    """A planned failure refuses the write of tags with its target; one that does nothing answers success."""

    async def story(azure: Azure) -> None:
        error = {"code": "Conflict", "message": "m", "target": "tags"}
        await azure.sim("POST", "faults", [{"match": {"operation": "update"}, "times": 1, "fail": error}])
        reply = await azure.arm("PATCH", VM1 + NEWEST, {"tags": {"a": "b"}})
        assert (reply.status, reply.body["error"]) == (409, error)
        await azure.sim("POST", "faults", [{"match": {"method": "PATCH"}, "times": 1, "nothing": True}])
        assert (await azure.arm("PATCH", VM1 + NEWEST, {"tags": {"a": "b"}})).body["tags"] == {"a": "b"}
        assert (await azure.vm())["tags"] == {}
        assert (await azure.sim("GET", "events")).body == []

    run_story(story, [linux_vm()])


def test_nothing_preempts_an_update_without_an_operation() -> None:
    """A random plan whose every update is preempted lets a write of tags succeed, and the swap after it fail."""

    async def story(azure: Azure) -> None:
        await azure.sim("POST", "faults/plan", {"seed": 1, "rate": 1, "kinds": ["preempted"]})
        reply = await azure.arm("PATCH", VM1 + NEWEST, {"tags": {"a": "b"}})
        assert (reply.status, (await azure.vm())["tags"]) == (200, {"a": "b"})
        assert (await azure.finish(await azure.swap("next")))["error"]["code"] == "OperationPreempted"

    run_story(story, [linux_vm(), free_disk("next")])


def test_a_preempted_update_puts_on_no_data_disk() -> None:
    """A deallocate ends it: the VM has the old disks, and no new disk is made."""

    async def story(azure: Azure) -> None:
        await azure.sim("POST", "faults", [{"match": {"operation": "update"}, "duration_s": 60}])
        before = (await azure.vm())["properties"]["storageProfile"]
        change = {
            "storageProfile": {"dataDisks": [{"lun": 0, "name": "made", "createOption": "Empty", "diskSizeGB": 4}]}
        }
        update = await azure.arm("PATCH", VM1 + NEWEST, {"properties": change})
        assert update.body["properties"]["storageProfile"]["dataDisks"]
        await azure.finish(await azure.arm("POST", f"{VM1}/deallocate"))
        assert (await azure.finish(update))["error"]["code"] == "OperationPreempted"
        assert (await azure.vm())["properties"]["storageProfile"]["dataDisks"] == before["dataDisks"] == []
        assert (await azure.arm("GET", f"{COMPUTE}/disks/made")).status == 404

    run_story(story, [linux_vm()])


def test_a_failed_operation_shows_the_target_of_its_error() -> None:
    """The status and the result of the operation have code, message and target."""

    async def story(azure: Azure) -> None:
        error = {"code": "VMExtensionProvisioningError", "message": "m", "target": "0"}
        await azure.sim("POST", "faults", [{"match": {"operation": "powerOff"}, "fail": error}])
        reply = await azure.arm("POST", f"{VM1}/powerOff")
        assert (await azure.finish(reply))["error"] == error
        assert (await azure.arm("GET", reply.headers["Location"])).body["error"] == error

    run_story(story, [linux_vm()])


def test_data_disks_are_put_on_and_taken_off() -> None:
    """A new disk has no id before the end of the update; one that is taken off is shown until then, toBeDetached."""

    async def story(azure: Azure) -> None:
        attached = {"lun": 1, "createOption": "Attach", "managedDisk": {"id": f"{COMPUTE}/disks/data"}}
        made = {"lun": 0, "name": "made", "createOption": "Empty", "diskSizeGB": 4, "caching": "ReadOnly"}
        body = await changed(
            azure, lambda model: model["properties"]["storageProfile"].update(dataDisks=[made, attached])
        )
        reply = await azure.arm("PUT", VM1 + NEWEST, body)
        first, second = reply.body["properties"]["storageProfile"]["dataDisks"]
        added = {"deleteOption": "Detach", "toBeDetached": False}
        assert first == {**made, **added, "managedDisk": {"storageAccountType": "Premium_LRS"}}
        assert second.items() >= {**added, "name": "data", "caching": "None", "diskSizeGB": 30}.items()
        await azure.finish(reply)
        first, second = (await azure.vm())["properties"]["storageProfile"]["dataDisks"]
        assert first["managedDisk"]["id"] == f"{COMPUTE}/disks/made"
        assert (await azure.disk("made"))["properties"]["diskSizeGB"] == 4
        assert (await azure.disk("data"))["managedBy"] == VM1

        body = await changed(azure, lambda model: model["properties"]["storageProfile"]["dataDisks"].pop(0))
        reply = await azure.arm("PUT", VM1 + NEWEST, body)
        shown = reply.body["properties"]["storageProfile"]["dataDisks"]
        assert [(each["lun"], each["toBeDetached"]) for each in shown] == [(0, True), (1, False)]
        await azure.finish(reply)
        assert [each["lun"] for each in (await azure.vm())["properties"]["storageProfile"]["dataDisks"]] == [1]
        assert (await azure.disk("made"))["properties"]["diskState"] == "Unattached"

    run_story(story, [linux_vm(), free_disk("data")])


def test_the_image_keeps_its_exact_version() -> None:
    """A PUT whose image has no exactVersion does not lose it."""

    async def story(azure: Azure) -> None:
        def change(model: Json) -> None:
            del model["properties"]["storageProfile"]["imageReference"]["exactVersion"]
            model["properties"]["licenseType"] = "None"

        await azure.finish(await azure.arm("PUT", VM1 + NEWEST, await changed(azure, change)))
        assert (await azure.vm())["properties"]["storageProfile"]["imageReference"]["exactVersion"]

    run_story(story, [linux_vm()])


def test_identities_get_their_ids() -> None:
    """A system-assigned one has a principal and a tenant, a user-assigned one a principal and a client; they stay."""
    assigned = f"{COMPUTE.rsplit('/', 1)[0]}/Microsoft.ManagedIdentity/userAssignedIdentities/me"

    async def story(azure: Azure) -> None:
        identity: Json = {"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": {assigned: {}}}
        await azure.finish(await azure.arm("PATCH", VM1 + NEWEST, {"identity": identity}))
        shown = (await azure.vm())["identity"]
        assert shown.keys() == {"type", "principalId", "tenantId", "userAssignedIdentities"}
        assert shown["userAssignedIdentities"][assigned].keys() == {"principalId", "clientId"}
        assert "Azure-AsyncOperation" not in (await azure.arm("PATCH", VM1 + NEWEST, {"identity": identity})).headers
        assert (await azure.vm())["identity"] == shown

    run_story(story, [linux_vm()])


def test_user_data_is_shown_only_on_request() -> None:
    """`$expand=userData` shows it; no other answer has it, and a PUT without it keeps it."""

    async def story(azure: Azure) -> None:
        reply = await azure.arm("PATCH", VM1 + NEWEST, {"properties": {"userData": "aGVsbG8="}})
        assert "userData" not in reply.body["properties"]
        await azure.finish(reply)
        body = (await azure.arm("GET", VM1 + NEWEST)).body
        assert "userData" not in body["properties"]
        assert "Azure-AsyncOperation" not in (await azure.arm("PUT", VM1 + NEWEST, body)).headers
        shown = (await azure.arm("GET", f"{VM1}{NEWEST}&$expand=userData")).body
        assert shown["properties"]["userData"] == "aGVsbG8="

    run_story(story, [linux_vm()])


def test_an_older_api_version_shows_no_etag() -> None:
    """The etag is in bodies and headers since 2023-09-01."""

    async def story(azure: Azure) -> None:
        for version, has_etag in ((OLDER, False), ("?api-version=2023-09-01", True), (NEWEST, True)):
            for reply in (
                await azure.arm("GET", VM1 + version),
                await azure.arm("PATCH", VM1 + version, {"tags": {"v": version}}),
            ):
                assert {key.lower() for key in reply.headers}.issuperset({"etag"}) == has_etag
                assert ("etag" in reply.body) == has_etag
            listed = (await azure.arm("GET", f"{COMPUTE}/virtualMachines{version}")).body["value"]
            assert ("etag" in listed[0]) == has_etag

    run_story(story, [linux_vm()])
