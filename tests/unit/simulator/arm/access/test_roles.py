"""Roles: granted actions, the permissions API, Azure's refusals."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.identity import object_id
from tests.unit.simulator.arm.azure import (
    COMPUTE,
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

CALLER = object_id("11111111-1111-4111-8111-111111111111")
TAGS = f"{VM1}/providers/Microsoft.Resources/tags/default"
MERGE = {"operation": "Merge", "properties": {"tags": {"a": "1"}}}
PROVIDERS = f"/subscriptions/{SUB}/providers"
SETS = f"{COMPUTE}/diskEncryptionSets"


def role(*actions: str, scope: str = f"/subscriptions/{SUB}", **more: Any) -> Json:
    return {"scope": scope, "actions": list(actions), **more}


async def permissions(azure: Azure, scope: str = VM1) -> Any:
    return (await azure.arm("GET", f"{scope}/providers/Microsoft.Authorization/permissions")).body["value"]


def test_without_a_role_every_caller_has_all_rights() -> None:
    """The permissions API returns all actions and no request is refused."""

    async def story(azure: Azure) -> None:
        (everything,) = await permissions(azure)
        assert (everything["actions"], everything["notActions"]) == (["*"], [])
        assert (await azure.arm("POST", f"{VM1}/start")).status == 202

    run_story(story, [linux_vm()])


REQUESTS: dict[str, tuple[str, str, Any]] = {
    "Microsoft.Compute/virtualMachines/read": ("GET", VM1, None),
    "Microsoft.Compute/virtualMachines/instanceView/read": ("GET", f"{VM1}/instanceView", None),
    "Microsoft.Compute/virtualMachines/start/action": ("POST", f"{VM1}/start", None),
    "Microsoft.Compute/virtualMachines/write": ("PATCH", VM1, {"tags": {}}),
    "Microsoft.Compute/virtualMachines/delete": ("DELETE", VM1, None),
    "Microsoft.Compute/disks/read": ("GET", f"{COMPUTE}/disks", None),
    "Microsoft.Resources/tags/write": ("PATCH", TAGS, MERGE),
    "Microsoft.Resources/tags/read": ("GET", TAGS, None),
    "Microsoft.Resources/subscriptions/resourceGroups/read": ("GET", GROUP, None),
    "Microsoft.Resources/subscriptions/providers/read": ("GET", f"{PROVIDERS}/Microsoft.ResourceHealth", None),
    "Microsoft.ResourceHealth/register/action": ("POST", f"{PROVIDERS}/Microsoft.ResourceHealth/register", None),
    "Microsoft.Authorization/locks/read": ("GET", f"{VM1}/providers/Microsoft.Authorization/locks", None),
    "Microsoft.Authorization/permissions/read": ("GET", f"{VM1}/providers/Microsoft.Authorization/permissions", None),
}


@pytest.mark.parametrize("action", REQUESTS)
def test_each_request_needs_the_right_to_its_action(action: str) -> None:
    """A caller without the action gets ARM's 403; a grant works in any casing and with a wildcard."""
    method, path, body = REQUESTS[action]

    async def story(azure: Azure) -> None:
        await azure.sim("PUT", "roles", [role("*", notActions=[action])])
        refused = await azure.arm(method, path, body)
        assert (refused.status, refused.code) == (403, "AuthorizationFailed")
        assert refused.message.startswith(
            f"The client '{CALLER}' with object id '{CALLER}' does not have authorization to perform action "
            f"'{action}' over scope '/subscriptions/"
        )
        assert refused.message.endswith("If access was recently granted, please refresh your credentials.")
        await azure.sim("PUT", "roles", [role(action.upper())])
        assert (await azure.arm(method, path, body)).status < 300
        await azure.sim("PUT", "roles", [role(f"*/{action.rsplit('/', 1)[-1]}")])
        assert (await azure.arm(method, path, body)).status != 403

    run_story(story, [linux_vm()])


def test_the_permissions_api_returns_the_enforced_roles() -> None:
    """Each role of the caller at the scope or above is one entry."""

    async def story(azure: Azure) -> None:
        roles = [
            role("*/read"),
            role("Microsoft.Compute/virtualMachines/*", scope=GROUP, notActions=["*/start/action"]),
            role("*", principal="22222222-2222-4222-8222-222222222222"),
            role("*", scope="/subscriptions/other"),
        ]
        assert (await azure.sim("PUT", "roles", roles)).body == {"roles": 4}
        assert [each["actions"] for each in await permissions(azure)] == [
            ["*/read"],
            ["Microsoft.Compute/virtualMachines/*"],
        ]
        assert (await azure.arm("POST", f"{VM1}/deallocate")).status == 202
        assert (await azure.arm("POST", f"{VM1}/start")).code == "AuthorizationFailed"
        assert len((await azure.sim("GET", "roles")).body) == 4
        assert (await azure.sim("DELETE", "roles")).status == 204
        assert (await permissions(azure))[0]["actions"] == ["*"]

    run_story(story, [linux_vm()])


def test_a_role_names_its_principal_by_object_id_or_client_id() -> None:
    """Both ids select the caller."""

    async def story(azure: Azure) -> None:
        for principal in (CALLER, "11111111-1111-4111-8111-111111111111"):
            await azure.sim("PUT", "roles", [role("*/read", principal=principal)])
            assert (await azure.arm("GET", VM1)).status == 200

    run_story(story, [linux_vm()])


def test_a_swap_needs_rights_on_the_disk_and_its_encryption_set() -> None:
    """Without them the swap gives 403 LinkedAuthorizationFailed, which names action and linked scope."""
    encrypted = {"encryption": {"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": f"{SETS}/des"}}
    granted = ["*/read", "Microsoft.Compute/virtualMachines/*"]

    async def story(azure: Azure) -> None:
        await azure.finish(await azure.arm("POST", f"{VM1}/deallocate"))
        await azure.sim("PUT", "roles", [role(*granted)])
        refused = await azure.swap("next")
        assert (refused.status, refused.code) == (403, "LinkedAuthorizationFailed")
        assert refused.message == (
            f"The client '{CALLER}' with object id '{CALLER}' has permission to perform action "
            f"'Microsoft.Compute/virtualMachines/write' on scope '{VM1}'; however, it does not have permission to "
            f"perform action(s) 'Microsoft.Compute/disks/write' on the linked scope(s) '{COMPUTE}/disks/next' "
            "(respectively) or the linked scope(s) are invalid."
        )
        lacking = ["Microsoft.Compute/diskEncryptionSets/read"]
        await azure.sim("PUT", "roles", [role(*granted, "Microsoft.Compute/disks/write", notActions=lacking)])
        refused = await azure.swap("next")
        assert f"'{SETS}/des'" in refused.message
        await azure.sim("PUT", "roles", [role(*granted, "Microsoft.Compute/disks/write")])
        assert "Authorization" not in (await azure.swap("next")).body.get("error", {}).get("code", "")

    run_story(story, [linux_vm(), free_disk("next", encrypted)])


def test_a_disk_from_an_image_needs_to_read_the_image() -> None:
    """A disk from an image version needs the right to read that version."""

    async def story(azure: Azure) -> None:
        await azure.sim("PUT", "roles", [role("Microsoft.Compute/disks/*")])
        creation = {"createOption": "FromImage", "galleryImageReference": {"id": VERSION1}}
        body = {"location": "westeurope", "properties": {"creationData": creation}}
        refused = await azure.arm("PUT", f"{COMPUTE}/disks/new", body)
        assert refused.code == "LinkedAuthorizationFailed"
        assert "Microsoft.Compute/galleries/images/versions/read" in refused.message

    run_story(story, gallery())


def test_the_status_of_an_operation_needs_no_role() -> None:
    """The status of a start is readable without a role at the subscription."""

    async def story(azure: Azure) -> None:
        await azure.sim("PUT", "roles", [role("*/start/action", "*/read", scope=GROUP)])
        assert (await azure.finish(await azure.arm("POST", f"{VM1}/start")))["status"] == "Succeeded"

    run_story(story, [linux_vm()])


def test_resources_without_a_read_right_are_left_out() -> None:
    """Resource Graph omits such rows and refuses a caller without rights; the list of subscriptions omits them too."""
    query = {"subscriptions": [SUB], "query": "resources | project id"}
    path = "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01"

    async def story(azure: Azure) -> None:
        await azure.sim("PUT", "roles", [role("Microsoft.Compute/disks/read", scope=GROUP)])
        rows = (await azure.arm("POST", path, query)).body["data"]
        assert {row["id"].split("/")[-2] for row in rows} == {"disks"}
        assert len((await azure.arm("GET", "/subscriptions")).body["value"]) == 1
        await azure.sim("PUT", "roles", [role("*", scope="/subscriptions/other")])
        assert (await azure.arm("POST", path, query)).status == 403
        assert (await azure.arm("GET", "/subscriptions")).body["value"] == []

    run_story(story, [free_disk("next"), linux_vm()])


def test_a_scenario_may_hold_roles() -> None:
    """A role assignment with `_actions` applies from the start and is returned as written."""
    path = f"{GROUP}/providers/Microsoft.Authorization/roleAssignments/reader"

    async def story(azure: Azure) -> None:
        assert (await azure.arm("GET", VM1)).status == 200
        assert (await azure.arm("POST", f"{VM1}/start")).code == "AuthorizationFailed"
        (body,) = (await azure.sim("GET", f"resources?id={path}")).body
        assert (body["_actions"], body["_notActions"]) == (["*/read"], [])

    run_story(story, [linux_vm(), {"id": path, "_actions": ["*/read"]}])


@pytest.mark.parametrize(
    ("body", "named"),
    [({}, "list"), ([{"mood": 1}], "'mood'"), ([{"scope": "/", "actions": "*"}], "actions"), (["*"], "object")],
)
def test_an_invalid_role_is_refused(body: Any, named: str) -> None:
    """The answer is 400 and names the error; the active roles stay."""

    async def story(azure: Azure) -> None:
        reply = await azure.sim("PUT", "roles", body)
        assert (reply.status, named in reply.message) == (400, True), reply.body
        assert (await azure.arm("POST", f"{VM1}/start")).status == 202

    run_story(story, [linux_vm()])
