"""Rollbacks, repeated requests, pauses, resumes in any order: a VM ends on its disk before the run, or untouched."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import pytest

from tests.e2e.test_rollback import run
from tests.support.chaos.boundaries import EverythingTwice
from tests.support.worlds.builders import VM_ID
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body

NAMES = ("web01", "web02", "web03")
ACTIONS = ("vms", "all", "run", "at-once", "pause", "resume", "sweep", "wait")
REQUESTS = 10
ONCE = -1.0


def vm_id(name: str) -> str:
    return VM_ID.replace("web01", name)


def body_of(action: str, chance: Random, given: str) -> dict[str, Any]:
    if action == "vms":
        return {"vms": chance.sample(NAMES, chance.randint(1, len(NAMES)))}
    return {"all": True} if action == "all" else {"run": given}


async def act(azure: LocalAzure, chance: Random, given: str) -> set[str]:
    """One action of a person, or of a client that sends its request again; the VMs that it asks back."""
    action = chance.choice(ACTIONS)
    if action in ("pause", "resume"):
        await azure.api("POST", f"/api/{action}", {})
    elif action == "sweep":
        await azure.fire("sweep")
    elif action == "wait":
        await asyncio.sleep(chance.choice((1, 20, 90)))
    else:
        body = body_of(chance.choice(("vms", "all", "run")), chance, given)
        times = 3 if action == "at-once" else 1
        answers = await asyncio.gather(*(azure.api("POST", "/api/rollback", body) for _ in range(times)))
        assert {status for status, _ in answers} <= {202, 409}, answers
        return set(body.get("vms", NAMES))
    return set()


@pytest.mark.parametrize(("seed", "twice_after_s"), [(1, ONCE), (2, ONCE), (3, None), (4, 0), (5, 120)])
def test_any_rollbacks_lead_to_the_disk_before_the_run_and_no_further(seed: int, twice_after_s: float | None) -> None:
    """Of a running VM, a stopped one, one swapped twice and one never swapped; deliveries may come twice."""

    async def story(azure: LocalAzure) -> None:
        chance = Random(f"rollbacks {seed}")  # noqa: S311 # fixed seeds
        await run(azure, "/api/swap", {"vms": ["web03"], "disk": "web03-first"})
        await azure.settled()
        before = {name: await azure.os_disk(vm_id(name)) for name in NAMES}
        for name in NAMES[1:]:
            await azure.tag(vm_id(name), OsDiskName=f"{name}-new")
        given = await run(azure, "/api/swap", {"vms": list(NAMES)})
        await azure.settled()
        after = {name: await azure.os_disk(vm_id(name)) for name in NAMES}
        assert [before[name] != after[name] for name in NAMES] == [False, True, True]
        if twice_after_s != ONCE:
            azure.hub.interruptions = EverythingTwice(twice_after_s)
        asked: set[str] = set()
        for _ in range(REQUESTS):
            asked |= await act(azure, chance, given["id"])
        await azure.api("POST", "/api/resume", {})
        await azure.settled()
        await asyncio.sleep(max(twice_after_s or 0, 0))
        await azure.settled()
        for name in NAMES:
            assert await azure.os_disk(vm_id(name)) == (before if name in asked else after)[name], name
        assert [azure.journal(vm_id(name))["stops"] for name in NAMES] == [0, 0, 3 if "web03" in asked else 2]

    fleet = [vm_body("web01"), vm_body("web02", power="deallocated"), vm_body("web03")]
    disks = [disk_body(f"{name}-{part}") for name in NAMES for part in ("first", "new")]
    play(story, [*fleet, *disks])
