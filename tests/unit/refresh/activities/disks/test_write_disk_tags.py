"""The month's tags, written on the local Azure over HTTP."""

from __future__ import annotations

from refresh.activities.disks.make_disks import make_batch
from refresh.activities.disks.write_disk_tags import write_batch
from refresh.reading.disks.tag_plans import plan_tags
from refresh.records.month import BatchInput
from simulator.arm.core.store import Json
from tests.support.worlds.builders import VERSION_ID, disk_id, recall_nothing
from tests.support.worlds.month_world import PERIOD, World, gallery_bodies, on_arm, version_body, vm_bodies, vm_id

READY = [*gallery_bodies(), version_body()]


def batch(*names: str, force: bool = False) -> BatchInput:
    return BatchInput(tuple(vm_id(name) for name in names), PERIOD, force)


async def make(world: World, *names: str) -> None:
    await make_batch(world.gateways, world.settings, batch(*names), recall_nothing)


async def write(world: World, *names: str, force: bool = False) -> list[tuple[str, str]]:
    rows = await write_batch(world.gateways, world.settings, batch(*names, force=force))
    return [(row["decision"], row["reason"]) for row in rows]


def tags_of(world: World, name: str) -> Json:
    body = world.resource(vm_id(name))
    assert body is not None
    tags: Json = body["tags"]
    return tags


def test_the_tag_of_a_vm_names_its_new_disk() -> None:
    """The tag is merged, read back, and not written a second time."""

    async def story(world: World) -> None:
        assert await write(world, "web01") == [("refuse", "no-disk")]
        await make(world, "web01")
        planned = await plan_tags(world.gateways, world.settings, [vm_id("web01")], PERIOD)
        assert (planned[0]["decision"], planned[0]["next"], planned[0]["wanted"]) == ("create", "web01-202611", "x")
        assert "web01-202611" not in tags_of(world, "web01").values()
        assert await write(world, "web01") == [("create", "made")]
        assert tags_of(world, "web01") == {"AutoRefresh": "true", "osdiskname": "web01-202611", "team": "a"}
        assert await write(world, "web01") == [("skip", "already-tagged")]

    on_arm([*READY, *vm_bodies("web01", {"AutoRefresh": "true", "osdiskname": "x", "team": "a"})], story)


def test_a_vm_without_a_written_tag_has_a_reason() -> None:
    """A VM on hold, with an unbuilt or rejected disk, or on the version already, has a row with the reason."""

    async def story(world: World) -> None:
        names = ("held", "ring", "fresh", "rejected", "ok")
        await make(world, *names)
        assert await write(world, *names) == [
            ("skip", "on-hold"),
            ("refuse", "tag-not-built"),
            ("skip", "already-there"),
            ("skip", "rejected-before"),
            ("create", "made"),
        ]
        assert await write(world, "rejected", force=True) == [("create", "made")]
        assert "OsDiskName" not in tags_of(world, "held")

    fleet = [
        *vm_bodies("held", {"AutoRefresh": "hold"}),
        *vm_bodies("ring", {"AutoRefresh": "true", "RefreshRing": "1"}),
        *vm_bodies("fresh", version=VERSION_ID),
        *vm_bodies("rejected", {"AutoRefresh": "true", "OsDiskRejected": "rejected-202611"}),
        *vm_bodies("ok"),
    ]
    on_arm([*READY, *fleet], story)


def test_only_a_free_disk_is_requested() -> None:
    """A disk that is attached to another VM is not requested."""

    async def story(world: World) -> None:
        await make(world, "web01")
        thief = vm_bodies("thief", {})[1]
        thief["properties"]["storageProfile"]["osDisk"] |= {
            "name": "web01-202611",
            "managedDisk": {"id": disk_id("web01-202611")},
        }
        world.simulator.put_resources([thief])
        assert await write(world, "web01") == [("refuse", "no-disk")]

    on_arm([*READY, *vm_bodies("web01")], story)


def test_a_refused_write_is_a_row() -> None:
    """A refusal has Azure's error, and the other tags are written."""

    async def story(world: World) -> None:
        await make(world, "web01", "web02")
        answer = {"status": 409, "body": {"error": {"code": "ScopeLocked", "message": "locked"}}}
        match = {"method": "PATCH", "path": ".*/web01/.*tags.*"}
        world.simulator.services.faults.add([{"match": match, "respond": answer}])
        assert await write(world, "web01", "web02") == [("failed", "azure-said-no"), ("create", "made")]

    on_arm([*READY, *vm_bodies("web01"), *vm_bodies("web02")], story)
