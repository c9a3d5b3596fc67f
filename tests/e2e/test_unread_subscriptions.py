"""One subscription of three that cannot be read delays no VM of the others, and every answer names it."""

from __future__ import annotations

import logging

import pytest

from tests.support.worlds.builders import SUBSCRIPTION, VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body
from tests.support.worlds.three_subscriptions import (
    ALL,
    DENIED,
    FAULTS,
    SECOND,
    SETTINGS,
    THIRD,
    break_lists,
    fleet,
    lists,
    months,
)


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("kind", FAULTS)
def test_a_sweep_finds_the_edits_of_every_other_subscription(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """With one of three subscriptions unreadable, the VMs of both others are swapped; the log names the one."""

    async def story(azure: LocalAzure) -> None:
        break_lists(azure, kind)
        await azure.fire("sweep")
        await azure.until(lambda: len(azure.outcomes()) == 2, within_s=300)
        assert {row["vm"].split("/")[2] for row in azure.outcomes()} == {SUBSCRIPTION, THIRD}
        await azure.until(lambda: any(SECOND in line for line in errors(caplog)), within_s=300)

    play(story, fleet({"OsDiskName": "web01-new"}), settings=SETTINGS, events=False)
    (line,) = [line for line in errors(caplog) if "sweep" in line]
    assert SECOND in line
    assert SUBSCRIPTION not in line
    assert THIRD not in line


@pytest.mark.parametrize("kind", ["refused", "hanging", "broken"])
def test_a_sweep_takes_the_time_from_any_answer(kind: str) -> None:
    """A sweep recovers claims and finds edits although ARM's clock cannot be read from any subscription."""

    async def story(azure: LocalAzure) -> None:
        match = {"method": "GET", "path": r"/subscriptions/[^/]+$"}
        azure.simulator.services.faults.add([{"match": match, **FAULTS[kind]}])
        await azure.fire("sweep")
        await azure.until(lambda: bool(azure.dispatcher_state().get("swept")), within_s=120)
        await azure.until(lambda: len(azure.outcomes()) == 3, within_s=600)

    play(story, fleet({"OsDiskName": "web01-new"}), settings=SETTINGS, events=False)


def test_a_sweep_recovers_before_it_waits_for_a_list() -> None:
    """A list that hangs does not delay `recover`, which starts VMs that are down."""

    async def story(azure: LocalAzure) -> None:
        for subscription in ALL:
            azure.simulator.services.faults.add([{"match": lists("virtualMachines", subscription), "delay_s": 100_000}])
        await azure.fire("sweep")
        await azure.until(lambda: bool(azure.dispatcher_state().get("swept")), within_s=10)

    play(story, fleet(), settings=SETTINGS, events=False)


def test_a_sweep_hints_at_vms_on_the_pages_before_one_that_fails() -> None:
    """Edits on the good pages of a list are found although a later page cannot be read."""
    count = 60

    async def story(azure: LocalAzure) -> None:
        first = {"method": "GET", "path": f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/virtualMachines$"}
        # The rule after the first page: a request that the first rule answers late and correctly counts as used.
        azure.simulator.services.faults.add(
            [{"match": first, "times": 1, "delay_s": 0.1}, {"match": first, "respond": DENIED}]
        )
        await azure.fire("sweep")
        await azure.until(lambda: len(azure.outcomes()) >= 1, within_s=600)

    names = [f"web{number:03}" for number in range(count)]
    bodies = [body for name in names for body in (disk_body(f"{name}-old"), vm_body(name, OsDiskName=f"{name}-new"))]
    bodies += [disk_body(f"{name}-new") for name in names]
    play(story, bodies, settings=SETTINGS, events=False)


@pytest.mark.parametrize("what", ["virtualMachines", "disks"])
@pytest.mark.parametrize("kind", FAULTS)
def test_the_list_of_vms_names_the_subscription_it_lacks(kind: str, what: str) -> None:
    """`GET /api/vms` lists VMs of readable subscriptions, and the unread one with the reason, within 200 seconds."""

    async def story(azure: LocalAzure) -> None:
        break_lists(azure, kind, (what,))
        began = azure.clock.time()
        status, page = await azure.api("GET", "/api/vms")
        assert azure.clock.time() - began < 200, "the Functions front end gives up after 230 seconds"
        assert status == 200
        assert {row["vm"].split("/")[2] for row in page["value"]} == {SUBSCRIPTION, THIRD}
        (unread,) = page["unread"]
        assert unread["subscription"] == SECOND
        assert unread["message"]

    play(story, fleet({"OsDiskName": "web01-new"}), settings=SETTINGS, events=False)


def test_a_list_that_is_complete_names_no_subscription() -> None:
    """`unread` is empty when every subscription was read."""

    async def story(azure: LocalAzure) -> None:
        status, page = await azure.api("GET", "/api/vms")
        assert (status, len(page["value"]), page["unread"]) == (200, 3, [])

    play(story, fleet(), settings=SETTINGS, events=False)


def test_swaps_of_all_vms_name_the_unread_subscription() -> None:
    """The 202 of swaps for all VMs names the subscription whose VMs are not among them."""

    async def story(azure: LocalAzure) -> None:
        break_lists(azure, "refused")
        match = {"path": "/providers/Microsoft.ResourceGraph/resources"}
        azure.simulator.services.faults.add([{"match": match, "respond": {"status": 503}}])
        status, page = await azure.api("POST", "/api/swap", {"all": True})
        assert status == 202, page
        assert [row["subscription"] for row in page["unread"]] == [SECOND]

    play(story, fleet(), settings=SETTINGS, events=False)


def test_a_full_id_is_found_beside_an_unread_subscription() -> None:
    """Full ids of readable subscriptions are accepted; a name could also be of the unread one and is not."""

    async def story(azure: LocalAzure) -> None:
        break_lists(azure, "refused")
        ids = [VM_ID.replace("web01", f"web{number:03}") for number in range(25)]
        status, page = await azure.api("POST", "/api/swap", {"vms": ids, "dryRun": True})
        assert status == 200, page
        status, page = await azure.api("POST", "/api/swap", {"vms": ["web000"], "dryRun": True})
        assert status >= 400
        assert SECOND in page["detail"]

    names = [f"web{number:03}" for number in range(25)]
    bodies = [body for name in names for body in (disk_body(f"{name}-old"), vm_body(name))]
    play(story, bodies, settings=SETTINGS, events=False)


def test_orphans_are_listed_without_the_unread_subscription() -> None:
    """`GET /api/orphans` names the subscription whose disks it could not list."""

    async def story(azure: LocalAzure) -> None:
        break_lists(azure, "refused")
        status, page = await azure.api("GET", "/api/orphans")
        assert status == 200, page
        assert [row["subscription"] for row in page["unread"]] == [SECOND]

    play(story, months(), settings=SETTINGS, events=False)


def test_retention_deletes_nothing_and_names_the_unread_subscription() -> None:
    """An unread VM's tag could name any disk, so nothing is deleted; the message names the subscription."""

    async def story(azure: LocalAzure) -> None:
        break_lists(azure, "refused")
        status, page = await azure.api("POST", "/api/retention", {"dryRun": True})
        assert SECOND in str(page), (status, page)

    play(story, months(), settings=SETTINGS, events=False)
