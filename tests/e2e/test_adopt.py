"""`POST /api/adopt` writes the disk that a VM runs into its tag, and stops nothing."""

from __future__ import annotations

from tests.support.worlds.builders import VM_ID
from tests.support.worlds.local_azure import LocalAzure
from tests.support.worlds.restored_vm import restore, restored
from tests.support.worlds.swap_world import assert_well, sweep_for


def test_adopt_writes_the_tag_to_the_disk_that_runs() -> None:
    """A dry run writes nothing; after the run the tag names the disk, and later edits and changes start from there."""

    async def story(azure: LocalAzure) -> None:
        await azure.settled()
        _, plan = await azure.api("POST", "/api/adopt", {"vms": ["web01"], "dryRun": True})
        (row,) = plan["plan"]
        assert (row["decision"], row["reason"], row["wanted"], row["steps"]) == (
            "skip",
            "adopted",
            "web01-restored",
            ["write-tag"],
        )
        assert (await azure.vm(VM_ID))["tags"]["OsDiskName"] == "web01-new"
        status, begun = await azure.api("POST", "/api/adopt", {"vms": ["web01"]})
        assert status == 202, begun
        await azure.settled()
        _, run = await azure.api("GET", f"/api/runs/{begun['id']}")
        assert (run["status"], run["kind"]) == ("succeeded", "adopt")
        assert [(one["status"], one["reason"]) for one in run["vms"]] == [("succeeded", "adopted")]
        assert (await azure.vm(VM_ID))["tags"]["OsDiskName"] == "web01-restored"
        await assert_well(azure, "web01-restored", stops=2)

        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.settled()
        await assert_well(azure, "web01-new", stops=3)

    restored(story)


def test_a_restore_after_an_adoption_stays_too() -> None:
    """What was adopted counts as fulfilled."""

    async def story(azure: LocalAzure) -> None:
        await azure.api("POST", "/api/adopt", {"vms": ["web01"]})
        await azure.settled()
        await restore(azure, "web01-next")
        await azure.settled()
        await sweep_for(azure, 2)
        await assert_well(azure, "web01-next", stops=3)

    restored(story)


def test_adoption_by_hand_counts_as_well() -> None:
    """A person writes the tag to the disk that runs; the value from before is an edit from then on."""

    async def story(azure: LocalAzure) -> None:
        await azure.settled()
        for disk, stops in (("web01-restored", 2), ("web01-new", 3)):
            await azure.tag(VM_ID, OsDiskName=disk)
            await azure.settled()
            await assert_well(azure, disk, stops=stops)

    restored(story)


def test_a_vm_on_hold_and_one_in_its_swap_are_not_adopted() -> None:
    """The rows say why; the tags stay."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, AutoRefresh="hold")
        _, begun = await azure.api("POST", "/api/adopt", {"vms": ["web01"]})
        await azure.settled()
        _, run = await azure.api("GET", f"/api/runs/{begun['id']}")
        assert [(one["status"], one["reason"]) for one in run["vms"]] == [("skipped", "on-hold")]
        await azure.tag(VM_ID, AutoRefresh="true", OsDiskName="web01-next")
        await azure.until(lambda: bool(azure.running_swaps()) and azure.running_swaps()[0].get("step") == "stop")
        _, begun = await azure.api("POST", "/api/adopt", {"vms": ["web01"]})
        await azure.settled()
        _, run = await azure.api("GET", f"/api/runs/{begun['id']}")
        assert [(one["status"], one["reason"]) for one in run["vms"]] == [("refused", "vm-busy")]
        await assert_well(azure, "web01-next", stops=3)

    restored(story)
