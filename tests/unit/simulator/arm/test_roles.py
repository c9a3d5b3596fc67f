"""Roles: who may do what, what the permissions API says of it, and Azure's words when it is not enough."""

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
    told,
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


def test_without_a_role_everybody_may_do_everything() -> None:
    """The permissions API says so and nothing is refused."""

    async def story(azure: Azure) -> None:
        (everything,) = await permissions(azure)
        assert (everything["actions"], everything["notActions"]) == (["*"], [])
        assert (await azure.arm("POST", f"{VM1}/start")).status == 202

    told(story, [linux_vm()])


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
def test_each_request_asks_for_its_action(action: str) -> None:
    """403 in ARM's words for everybody but whom the action was granted, in any case and by wildcard."""
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

    told(story, [linux_vm()])


def test_the_permissions_api_tells_what_is_enforced() -> None:
    """Each role at the scope or above is one entry; another principal's role is not."""

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

    told(story, [linux_vm()])


def test_a_role_is_its_principals_by_object_id_or_client_id() -> None:
    """Either id names the caller."""

    async def story(azure: Azure) -> None:
        for principal in (CALLER, "11111111-1111-4111-8111-111111111111"):
            await azure.sim("PUT", "roles", [role("*/read", principal=principal)])
            assert (await azure.arm("GET", VM1)).status == 200

    told(story, [linux_vm()])


def test_a_swap_asks_for_rights_on_the_disk_and_its_encryption_set() -> None:
    """403 LinkedAuthorizationFailed names action and linked scope; nothing has changed."""
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

    told(story, [linux_vm(), free_disk("next", encrypted)])


def test_a_disk_from_an_image_needs_to_read_the_image() -> None:
    """A disk's source and encryption set are asked about too."""

    async def story(azure: Azure) -> None:
        await azure.sim("PUT", "roles", [role("Microsoft.Compute/disks/*")])
        creation = {"createOption": "FromImage", "galleryImageReference": {"id": VERSION1}}
        body = {"location": "westeurope", "properties": {"creationData": creation}}
        refused = await azure.arm("PUT", f"{COMPUTE}/disks/new", body)
        assert refused.code == "LinkedAuthorizationFailed"
        assert "Microsoft.Compute/galleries/images/versions/read" in refused.message

    told(story, gallery())


def test_an_operation_may_be_followed_by_whoever_began_it() -> None:
    """The status of a start needs no role at the subscription."""

    async def story(azure: Azure) -> None:
        await azure.sim("PUT", "roles", [role("*/start/action", "*/read", scope=GROUP)])
        assert (await azure.finish(await azure.arm("POST", f"{VM1}/start")))["status"] == "Succeeded"

    told(story, [linux_vm()])


def test_nobody_is_shown_what_he_may_not_read() -> None:
    """Resource Graph leaves rows out, and refuses a caller without any right; so do the subscriptions."""
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

    told(story, [free_disk("next"), linux_vm()])


def test_a_scenario_may_hold_roles() -> None:
    """A role assignment with `_actions` is in force from the start, and comes back as it was written."""
    path = f"{GROUP}/providers/Microsoft.Authorization/roleAssignments/reader"

    async def story(azure: Azure) -> None:
        assert (await azure.arm("GET", VM1)).status == 200
        assert (await azure.arm("POST", f"{VM1}/start")).code == "AuthorizationFailed"
        (body,) = (await azure.sim("GET", f"resources?id={path}")).body
        assert (body["_actions"], body["_notActions"]) == (["*/read"], [])

    told(story, [linux_vm(), {"id": path, "_actions": ["*/read"]}])


@pytest.mark.parametrize(
    ("body", "named"),
    [({}, "list"), ([{"mood": 1}], "'mood'"), ([{"scope": "/", "actions": "*"}], "actions"), (["*"], "object")],
)
def test_a_role_nobody_understands_is_refused(body: Any, named: str) -> None:
    """400 naming the fault; the roles in force stay."""

    async def story(azure: Azure) -> None:
        reply = await azure.sim("PUT", "roles", body)
        assert (reply.status, named in reply.message) == (400, True), reply.body
        assert (await azure.arm("POST", f"{VM1}/start")).status == 202

    told(story, [linux_vm()])
