"""Locks: blocked requests, scopes, lists."""

from __future__ import annotations

import pytest

from tests.unit.simulator.arm.azure import COMPUTE, GROUP, SUB, VM1, Azure, free_disk, linux_vm, run_story

TAGS = f"{VM1}/providers/Microsoft.Resources/tags/default"
MERGE = {"operation": "Merge", "properties": {"tags": {"a": "1"}}}
SCOPES = {"resource": VM1, "group": GROUP, "subscription": f"/subscriptions/{SUB}"}


def lock(scope: str, name: str = "keep") -> str:
    return f"{scope}/providers/Microsoft.Authorization/locks/{name}"


def level(name: str) -> dict[str, object]:
    return {"properties": {"level": name}}


@pytest.mark.parametrize("where", SCOPES)
def test_a_read_only_lock_stops_writes_posts_tags_and_deletes(where: str) -> None:
    """A lock on the VM, its group or its subscription gives 409 ScopeLocked, which names both scopes."""
    scope = SCOPES[where]

    async def story(azure: Azure) -> None:
        assert (await azure.arm("PUT", lock(scope), level("ReadOnly"))).status == 201
        for method, path, body in (
            ("POST", f"{VM1}/deallocate", None),
            ("POST", f"{VM1}/start", None),
            ("PATCH", VM1, {"tags": {}}),
            ("PATCH", TAGS, MERGE),
            ("DELETE", VM1, None),
        ):
            refused = await azure.arm(method, path, body)
            assert (refused.status, refused.code) == (409, "ScopeLocked")
            verb = "delete" if method == "DELETE" else "write"
            target = path.removesuffix("/deallocate").removesuffix("/start")
            assert refused.message == (
                f"The scope '{target}' cannot perform {verb} operation because following scope(s) are locked: "
                f"'{scope}'. Please remove the lock and try again."
            )
        assert (await azure.vm())["tags"] == {}
        assert (await azure.arm("DELETE", lock(scope))).status == 200
        assert (await azure.arm("POST", f"{VM1}/deallocate")).status == 202

    run_story(story, [linux_vm()])


def test_a_delete_lock_blocks_only_deletes() -> None:
    """Writes, tags and POSTs pass; deletes of the resource and of its group are refused."""

    async def story(azure: Azure) -> None:
        await azure.arm("PUT", lock(f"{COMPUTE}/disks/next"), level("CanNotDelete"))
        assert (await azure.arm("DELETE", f"{COMPUTE}/disks/next")).code == "ScopeLocked"
        assert (await azure.arm("DELETE", GROUP)).code == "ScopeLocked"
        tags = f"{COMPUTE}/disks/next/providers/Microsoft.Resources/tags/default"
        assert (await azure.arm("PATCH", tags, MERGE)).status == 200
        assert (await azure.arm("POST", f"{VM1}/powerOff")).status == 202
        assert (await azure.arm("GET", f"{COMPUTE}/disks/next")).status == 200

    run_story(story, [linux_vm(), free_disk("next")])


def test_a_scope_lists_its_own_locks_and_those_above_and_below() -> None:
    """A list has locks of the scope, above and below; `$filter=atScope()` omits those below."""

    async def story(azure: Azure) -> None:
        for name, scope in SCOPES.items():
            await azure.arm("PUT", lock(scope, name), level("CanNotDelete"))
        await azure.arm("PUT", lock(f"{COMPUTE}/disks/next", "disk"), level("ReadOnly"))

        async def listed(scope: str, query: str = "") -> set[str]:
            path = f"{scope}/providers/Microsoft.Authorization/locks{query}"
            return {each["name"] for each in (await azure.arm("GET", path)).body["value"]}

        assert await listed(VM1) == {"resource", "group", "subscription"}
        assert await listed(GROUP) == {"resource", "group", "subscription", "disk"}
        assert await listed(GROUP, "?$filter=atScope()") == {"group", "subscription"}
        assert (await azure.arm("GET", lock(VM1, "resource"))).body["properties"]["level"] == "CanNotDelete"
        assert (await azure.arm("GET", lock(VM1, "none"))).status == 404

    run_story(story, [linux_vm(), free_disk("next")])


def test_an_unknown_lock_level_is_refused() -> None:
    """An unknown level gives 400 over ARM and in a scenario."""

    async def story(azure: Azure) -> None:
        assert (await azure.arm("PUT", lock(VM1), level("Sometimes"))).status == 400
        put = await azure.sim("PUT", "resources", [{"id": lock(VM1), "properties": {"level": "Sometimes"}}])
        assert (put.status, "Sometimes" in put.message) == (400, True)
        assert (await azure.arm("DELETE", lock(VM1))).status == 204

    run_story(story, [linux_vm()])


def test_a_scenario_may_hold_a_lock() -> None:
    """A lock of a scenario blocks requests like one made over ARM."""

    async def story(azure: Azure) -> None:
        assert (await azure.arm("POST", f"{VM1}/start")).code == "ScopeLocked"

    run_story(story, [linux_vm(), {"id": lock(GROUP), "properties": {"level": "readonly"}}])
