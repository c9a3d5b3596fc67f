"""A start of a swap that arrives once more after the swap has ended, as a start that an entity has sent may."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.worlds.builders import VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body

SERIAL = {"diagnosticsProfile": {"bootDiagnostics": {"enabled": True}}}
NEVER = 10_000


async def swapped(azure: LocalAzure, disk: str) -> dict[str, Any]:
    """The outcome of a swap to `disk`."""
    azure.simulator.services.faults.add([{"disk": "web01-bad", "boots": False, "serial": "panic"}])
    await azure.tag(VM_ID, OsDiskName=disk)
    await azure.settled()
    return azure.outcomes()[-1]


async def read(azure: LocalAzure, path: str) -> Any:
    status, answer = await azure.api("GET", f"/api/{path}")
    assert status == 200, answer
    return answer


async def started_again(azure: LocalAzure, run: str, n: int) -> Any:
    """The output of a second start of a swap."""
    azure.hub.start("swap_vm", {"vm": VM_ID, "n": n, "bounded": True}, run)
    await azure.hub.completed(run)
    return azure.hub.output(run)


@pytest.mark.parametrize("disk", ["web01-new", "web01-bad"])
def test_the_outcome_stays_the_output_of_the_run(disk: str) -> None:
    """The second run returns the outcome of the first with all its evidence, and touches, publishes, sends nothing."""

    async def story(azure: LocalAzure) -> None:
        outcome = await swapped(azure, disk)
        run = outcome["run"]
        assert azure.hub.output(run) == outcome
        record = await read(azure, f"runs/{run}")
        assert record["evidence"] == outcome["evidence"] != []
        published, stops = len(azure.simulator.published()), azure.journal(VM_ID)["stops"]
        assert await started_again(azure, run, int(run.rpartition("-")[2])) == outcome
        await azure.settled()
        assert await read(azure, f"runs/{run}") == record
        assert [row["run"] for row in azure.outcomes()] == [run]
        assert (len(azure.simulator.published()), azure.journal(VM_ID)["stops"]) == (published, stops)

    vm = vm_body()
    vm["properties"] |= SERIAL
    play(story, [vm, disk_body("web01-new"), disk_body("web01-bad")])


def test_an_outcome_without_its_instance_is_shown_as_before() -> None:
    """The second run of a number that the dispatcher never gave finds nothing; the record has the whole outcome."""

    async def story(azure: LocalAzure) -> None:
        run = (await swapped(azure, "web01-bad"))["run"]
        record = await read(azure, f"runs/{run}")
        assert record["evidence"]
        output = await started_again(azure, run, NEVER)
        assert (output["status"], output["reason"]) == ("skipped", "not-claimed")
        assert await read(azure, f"runs/{run}") == record
        (listed,) = [one for one in (await read(azure, "runs?kind=swap"))["value"] if one["id"] == run]
        assert listed == record

    play(story, [vm_body(), disk_body("web01-bad")])


def test_a_number_of_another_run_ends_as_before() -> None:
    """A run whose number was a look's asks twice, finds nothing and ends as not claimed."""

    async def story(azure: LocalAzure) -> None:
        await swapped(azure, "web01-new")
        output = await started_again(azure, "swap-0-1", 1)
        assert (output["status"], output["reason"]) == ("skipped", "not-claimed")

    play(story, [vm_body(), disk_body("web01-new")])
