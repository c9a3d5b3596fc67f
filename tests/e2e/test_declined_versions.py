"""After a rollback by a person a month does not give the VM the same image version again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.test_rollback import rows_of, run
from tests.support.worlds.local_azure import LocalAzure, play
from tests.support.worlds.month_world import gallery_bodies, vm_bodies, vm_id

MONTH = {"period": "202611", "rollout": "auto"}
NAMES = ("web01", "web02")


async def month(azure: LocalAzure, **body: Any) -> dict[str, Any]:
    record = await run(azure, "/api/refresh", {**MONTH, **body})
    await azure.settled()
    return record


async def disks(azure: LocalAzure) -> list[str]:
    return [await azure.os_disk(vm_id(name)) for name in NAMES]


async def first_month(azure: LocalAzure) -> list[str]:
    """Run a month; returns the disks that it gave."""
    record = await month(azure)
    assert set(rows_of(record).values()) == {("succeeded", "verified")}
    return await disks(azure)


@pytest.mark.parametrize("way", ["vms", "run", "tag"])
def test_a_month_leaves_out_a_vm_that_was_rolled_back_until_force(way: str) -> None:
    """The row says so, in the dry run too; the other VM is not concerned; with force the VM gets the version."""

    async def story(azure: LocalAzure) -> None:
        given = await first_month(azure)
        if way == "tag":
            await azure.tag(vm_id("web01"), OsDiskName="@previous")
            await azure.settled()
        elif way == "vms":
            await run(azure, "/api/rollback", {"vms": ["web01"]})
        else:
            _, runs = await azure.api("GET", "/api/runs?kind=month")
            await run(azure, "/api/rollback", {"run": runs["value"][0]["id"]})
        await azure.settled()
        back = await disks(azure)
        assert back[0] != given[0]
        _, plan = await azure.api("POST", "/api/refresh", {**MONTH, "dryRun": True})
        planned = {row["vm"].rsplit("/", 1)[-1]: row["reason"] for row in plan["plan"]}
        assert planned["web01"] == "rolled-back-before"
        record = await month(azure)
        rows = {row["vm"].rsplit("/", 1)[-1]: row["reason"] for row in record["vms"]}
        assert rows["web01"] == "rolled-back-before"
        assert await disks(azure) == back
        await month(azure, force=True)
        assert (await disks(azure))[0] == given[0]

    play(story, [*gallery_bodies(), *vm_bodies("web01"), *vm_bodies("web02")])


def test_a_newer_version_is_given_to_the_vm() -> None:
    """A rebuilt version of the same month is another version."""

    async def story(azure: LocalAzure) -> None:
        given = await first_month(azure)
        await run(azure, "/api/rollback", {"all": True})
        await azure.settled()
        record = await month(azure, rebuild=True)
        assert set(rows_of(record).values()) == {("succeeded", "verified")}
        assert all(new not in given for new in await disks(azure))

    play(story, [*gallery_bodies(), *vm_bodies("web01"), *vm_bodies("web02")])
