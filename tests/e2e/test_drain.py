"""The step before a deployment pauses the local app and waits for its swaps; the step after it resumes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from simulator.clock import Clock, run
from tests.support.worlds.builders import VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, local_azure, vm_body
from tools import drain
from tools.shared.api_client import Api
from tools.shared.deployment_pause import WHY, DeploymentPause

OTHER = VM_ID.replace("web01", "web02")
FLEET = [vm_body(), disk_body("web01-new"), vm_body("web02"), disk_body("web02-new")]
HANGS = {"match": {"operation": "start"}, "hang": True}
NOTICE_S = "1200"
type Story = Callable[[LocalAzure], Awaitable[None]]


def play(story: Story, *, speed: float = 60, **settings: str) -> None:
    """Run a story on a fast real clock; a virtual clock does not notice that the command waits in a thread."""

    async def main(clock: Clock) -> None:
        async with local_azure(clock, FLEET, settings=settings) as azure:
            await story(azure)

    run(main, Clock("real", speed=speed))


def pause_of(address: str) -> DeploymentPause:
    return DeploymentPause(Api(address, dict), 2.0, print)


async def before(azure: LocalAzure, *, wait_s: float = 900, force: bool = False) -> int:
    return await drain.before(pause_of(azure.functions), wait_s=wait_s, force=force)


async def after(azure: LocalAzure) -> int:
    return await drain.after(pause_of(azure.functions))


async def queue(azure: LocalAzure) -> dict[str, Any]:
    return dict((await azure.api("GET", "/api/queue"))[1])


async def stopped(azure: LocalAzure, vm: str = VM_ID) -> None:
    """Request the VM's new disk and wait until the VM is stopped for it."""
    await azure.tag(vm, OsDiskName=f"{vm.rsplit('/', 1)[-1]}-new")
    await azure.until(lambda: azure.journal(vm)["stops"] > 0)


async def operator_pauses(azure: LocalAzure) -> dict[str, Any]:
    """Pause with another reason; the pause in the queue."""
    await azure.api("POST", "/api/pause", {"why": "change freeze"})
    await azure.until(lambda: bool(azure.dispatcher_state().get("paused")))
    return shown(await queue(azure))


def shown(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: answer[key] for key in ("paused", "paused_since", "paused_why")}


def test_a_deployment_waits_for_the_end_of_a_swap_with_a_stopped_vm(capsys: pytest.CaptureFixture[str]) -> None:
    """During the deployment no VM is down and no requested swap starts; afterwards swaps resume."""

    async def story(azure: LocalAzure) -> None:
        await stopped(azure)
        assert await azure.power(VM_ID) != "running"
        assert await before(azure) == 0
        assert [outcome["status"] for outcome in azure.outcomes()] == ["succeeded"]
        assert await azure.power(VM_ID) == "running"
        assert "waiting for web01" in capsys.readouterr().out
        assert (await queue(azure))["paused_why"] == WHY
        await azure.tag(OTHER, OsDiskName="web02-new")
        await azure.until(lambda: bool(azure.dispatcher_state().get("queue")))
        await asyncio.sleep(60)
        assert azure.journal(OTHER)["stops"] == 0
        assert await after(azure) == 0
        assert (await queue(azure))["paused"] is False
        await azure.until(lambda: len(azure.outcomes()) == 2)
        assert await azure.os_disk(OTHER) == "web02-new"

    play(story)


def test_a_deployment_waits_for_an_admitted_swap_before_its_stop() -> None:
    """An admitted swap stops its VM despite the pause, so the deployment starts only after the swap ends."""
    lines: list[str] = []

    async def story(azure: LocalAzure) -> None:
        faults = azure.simulator.services.faults
        faults.add([{"match": {"method": "GET", "path": "/virtualMachines/web01"}, "delay_s": 25}])
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: any(row.get("claimed") for row in azure.running_swaps()))

        def record(line: str) -> None:
            lines.append(line)
            faults.clear()

        held = DeploymentPause(Api(azure.functions, dict), 2.0, record)
        assert azure.journal(VM_ID)["stops"] == 0
        assert await drain.before(held, wait_s=900, force=False) == 0
        assert lines[0] == "waiting for web01 (preparing)"
        assert [outcome["status"] for outcome in azure.outcomes()] == ["succeeded"]
        assert (await queue(azure))["running"] == []

    play(story, speed=10)


def test_a_deployment_does_not_wait_for_a_swap_in_its_notice() -> None:
    """The deployment starts at once; after the notice the VM is not stopped, and it is swapped after the resume."""

    async def story(azure: LocalAzure) -> None:
        await azure.tag(VM_ID, OsDiskName="web01-new")
        await azure.until(lambda: any(row.get("step") == "notice" for row in azure.running_swaps()))
        begun = azure.clock.time()
        assert await before(azure) == 0
        assert azure.clock.time() - begun < float(NOTICE_S) / 2
        await azure.until(lambda: bool(azure.outcomes()))
        assert (azure.outcomes()[0]["reason"], azure.journal(VM_ID)["stops"]) == ("paused", 0)
        assert await after(azure) == 0
        await azure.until(lambda: azure.outcomes()[-1]["status"] == "succeeded")
        assert azure.journal(VM_ID)["stops"] == 1

    play(story, REFRESH_NOTICE_S=NOTICE_S)


def test_a_swap_that_hangs_stops_the_deployment(capsys: pytest.CaptureFixture[str]) -> None:
    """After the time limit the message names the VM, its run and DEPLOY_FORCE, and the app is not paused any more."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([HANGS])
        await stopped(azure)
        begun = azure.clock.time()
        assert await before(azure, wait_s=240) == 1
        assert 240 <= azure.clock.time() - begun < drain.WAIT_S
        printed = capsys.readouterr().err
        (row,) = (await queue(azure))["running"]
        assert f"{VM_ID}: start" in printed
        assert f"/api/runs/{row['run']}" in printed
        assert "after 4 minutes" in printed
        assert "DEPLOY_FORCE=yes" in printed
        await azure.until(lambda: not azure.dispatcher_state().get("paused"))

    play(story)


def test_an_operators_pause_outlives_the_deployment(capsys: pytest.CaptureFixture[str]) -> None:
    """The pause keeps its reason and its time, whether the deployment goes on or fails."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([HANGS])
        await stopped(azure)
        paused = await operator_pauses(azure)
        assert paused["paused_why"] == "change freeze"
        assert await before(azure, wait_s=60) == 1
        assert shown(await queue(azure)) == paused
        assert await before(azure, force=True) == 0
        assert await after(azure) == 0
        assert shown(await queue(azure)) == paused
        assert "stays paused, because a person paused it: change freeze" in capsys.readouterr().out

    play(story)


def test_a_pause_during_the_deployment_stays(capsys: pytest.CaptureFixture[str]) -> None:
    """A pause that an operator makes during the deployment is not resumed."""

    async def story(azure: LocalAzure) -> None:
        assert await before(azure) == 0
        await operator_pauses(azure)
        await azure.until(lambda: bool(azure.dispatcher_state()["paused"].get("also")))
        assert await after(azure) == 0
        left = await queue(azure)
        assert (left["paused"], [one["why"] for one in left["paused_also"]]) == (True, ["change freeze"])
        assert "stays paused, because a person paused it: change freeze" in capsys.readouterr().out

    play(story)


def test_force_goes_on_in_the_middle_of_a_swap(capsys: pytest.CaptureFixture[str]) -> None:
    """With force the deployment does not wait, the VMs are named, and no other swap starts until it ends."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([HANGS])
        await stopped(azure)
        begun = azure.clock.time()
        assert await before(azure, force=True) == 0
        assert azure.clock.time() - begun < drain.WAIT_S
        assert f"in the middle of 1 swap(s):\n  {VM_ID}: " in capsys.readouterr().out
        assert shown(await queue(azure))["paused_why"] == WHY
        assert await after(azure) == 0
        assert (await queue(azure))["paused"] is False

    play(story)


def test_an_aborted_deployment_leaves_a_pause_that_the_next_one_ends() -> None:
    """The next deployment recognizes the pause by its reason and treats it as its own."""

    async def story(azure: LocalAzure) -> None:
        assert await before(azure) == 0
        left = shown(await queue(azure))
        assert await before(azure) == 0
        assert shown(await queue(azure)) == left
        assert await after(azure) == 0
        assert (await queue(azure))["paused"] is False

    play(story)


def test_a_deployment_that_is_cancelled_while_it_waits_ends_its_pause() -> None:
    """Ctrl-C during the wait leaves no pause."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([HANGS])
        await stopped(azure)
        waiting = asyncio.create_task(before(azure))
        await azure.until(lambda: bool(azure.dispatcher_state().get("paused")))
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await azure.until(lambda: not azure.dispatcher_state().get("paused"))

    play(story)
