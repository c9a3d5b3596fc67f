"""Planned and random faults: broken connections, operations that hang, successes without an effect."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from simulator.arm.core.fault_plans import KINDS, NAMED_KINDS, BootFault, OperationFault, RequestFault
from simulator.arm.core.faults import Faults
from tests.unit.simulator.arm.azure import VM1, Azure, Json, free_disk, linux_vm, run_story

TAGS = f"{VM1}/providers/Microsoft.Resources/tags/default"


def os_disk(vm: Json) -> str:
    return str(vm["properties"]["storageProfile"]["osDisk"]["name"])


@pytest.mark.parametrize(("reset", "power"), [(True, "running"), ("before", "running"), ("after", "stopping")])
def test_a_connection_breaks_before_or_after_the_effect(reset: Any, power: str) -> None:
    """The client gets no answer; `after` has the effect, `before` has not; the journal records status 0."""

    async def story(azure: Azure) -> None:
        match = {"method": "POST", "path": "/powerOff$"}
        await azure.sim("POST", "faults", [{"match": match, "times": 1, "reset": reset}])
        with pytest.raises(aiohttp.ClientError):
            await azure.arm("POST", f"{VM1}/powerOff")
        assert await azure.power() == f"PowerState/{power}"
        journal = (await azure.sim("GET", "journal")).body["requests"]
        assert [each["status"] for each in journal if each["method"] == "POST"] == [0]

    run_story(story, [linux_vm()])


def test_an_operation_hangs_until_the_faults_are_cleared() -> None:
    """It is still in progress after a day and ends when the faults are cleared."""

    async def story(azure: Azure) -> None:
        await azure.sim("POST", "faults", [{"match": {"operation": "deallocate"}, "hang": True}])
        reply = await azure.arm("POST", f"{VM1}/deallocate")
        await asyncio.sleep(86400)
        status = reply.headers["Azure-AsyncOperation"]
        assert (await azure.arm("GET", status)).body["status"] == "InProgress"
        assert await azure.power() == "PowerState/deallocating"
        await azure.sim("DELETE", "faults")
        await asyncio.sleep(1)
        assert (await azure.arm("GET", status)).body["status"] == "Succeeded"
        assert await azure.power() == "PowerState/deallocated"

    run_story(story, [linux_vm()])


@pytest.mark.parametrize("match", [{"operation": "update"}, {"method": "PATCH"}])
def test_a_patch_succeeds_and_changes_nothing(match: Json) -> None:
    """A `nothing` rule for the request or the operation gives 200 and Succeeded; the VM keeps its old disk."""

    async def story(azure: Azure) -> None:
        await azure.finish(await azure.arm("POST", f"{VM1}/deallocate"))
        old = os_disk(await azure.vm())
        await azure.sim("POST", "faults", [{"match": match, "times": 1, "nothing": True}])
        reply = await azure.swap("next")
        assert reply.status == 200
        assert (await azure.finish(reply))["status"] == "Succeeded"
        vm = await azure.vm()
        assert (os_disk(vm), vm["properties"]["provisioningState"]) == (old, "Succeeded")
        assert (await azure.disk("next"))["properties"]["diskState"] == "Unattached"

    run_story(story, [linux_vm(), free_disk("next")])


def test_a_tag_write_succeeds_and_changes_nothing() -> None:
    """The answer has the new tag, the resource does not."""

    async def story(azure: Azure) -> None:
        await azure.sim("POST", "faults", [{"match": {"path": "/tags/default"}, "times": 1, "nothing": True}])
        body = {"operation": "Merge", "properties": {"tags": {"a": "1"}}}
        assert (await azure.arm("PATCH", TAGS, body)).body["properties"]["tags"] == {"a": "1"}
        assert (await azure.arm("GET", TAGS)).body["properties"]["tags"] == {}

    run_story(story, [linux_vm()])


def test_a_slow_read_returns_the_state_at_its_begin() -> None:
    """The answer is late and has the state from the time of the request."""

    async def story(azure: Azure) -> None:
        rule = {"match": {"method": "GET", "path": "/vm1"}, "times": 1, "delay_s": 30}
        await azure.sim("POST", "faults", [rule])
        begun = azure.clock.time()
        read = asyncio.ensure_future(azure.vm())
        await asyncio.sleep(1)
        await azure.arm("POST", f"{VM1}/powerOff")
        statuses = (await read)["properties"]["instanceView"]["statuses"]
        assert statuses[-1]["code"] == "PowerState/running"
        assert azure.clock.time() - begun >= 30

    run_story(story, [linux_vm()])


type Fault = RequestFault | OperationFault | BootFault


def draw_faults(seed: int, rate: float, kinds: list[str] | None = None) -> list[Fault]:
    faults = Faults()
    faults.plan(seed, rate, kinds)
    requests = [faults.request_fault(method, VM1) for method in ("GET", "PATCH", "POST") * 40]
    return [*requests, *(faults.operation_fault("start", VM1) for _ in range(60))]


def draw_boots(seed: int, kinds: list[str]) -> list[Fault]:
    faults = Faults()
    faults.plan(seed, 1, kinds)
    return [faults.boot(VM1) for _ in range(20)]


def test_the_same_seed_gives_the_same_faults() -> None:
    """Another seed gives other faults; rate 0 gives none, rate 1 gives one for every request and operation."""
    assert draw_faults(1, 0.5) == draw_faults(1, 0.5) != draw_faults(2, 0.5)
    quiet: list[Fault] = [RequestFault(), OperationFault()]
    assert all(fault in quiet for fault in draw_faults(1, 0))
    assert not any(fault in quiet for fault in draw_faults(1, 1))


def test_a_plan_is_not_disturbed_by_other_requests() -> None:
    """The faults of one path do not depend on requests to another."""
    alone, beside = Faults(), Faults()
    for faults in (alone, beside):
        faults.plan(3, 0.5)
    drawn = []
    for _ in range(50):
        beside.request_fault("GET", "/other")
        drawn.append((alone.request_fault("GET", VM1), beside.request_fault("GET", VM1)))
    assert all(one == other for one, other in drawn)


@pytest.mark.parametrize("kind", KINDS)
def test_a_plan_uses_only_its_kinds(kind: str) -> None:
    """A plan with one kind gives faults of that kind and no others."""
    quiet = (RequestFault(), OperationFault(), BootFault())
    drawn: list[Any] = [fault for fault in (*draw_faults(1, 1, [kind]), *draw_boots(1, [kind])) if fault not in quiet]
    shapes: dict[str, Callable[[Any], Any]] = {
        "failed": lambda fault: fault.error,
        "slow": lambda fault: fault.slower > 1,
        "hang": lambda fault: fault.hangs,
        "reset": lambda fault: fault.reset,
        "nothing": lambda fault: fault.nothing,
        "slowRead": lambda fault: fault.delay_s,
        "refused": lambda fault: fault.respond["status"] == 409,
        "throttled": lambda fault: fault.respond["status"] == 429 and fault.respond["headers"]["Retry-After"],
        "error500": lambda fault: fault.respond["status"] == 500,
        "error503": lambda fault: fault.respond["status"] == 503,
        "staleRead": lambda fault: 1 <= fault.stale_s <= 20,
        "preempted": lambda fault: fault.error["code"] == "OperationPreempted",
        "extension": lambda fault: fault.held_s >= 60,
        "guestReboot": lambda fault: fault.reboots_after_s >= 1,
    }
    assert drawn
    assert all(shapes[kind](fault) for fault in drawn)


def test_the_kinds_that_a_plan_has_to_name_change_no_other_draw() -> None:
    """A plan without kinds has none of them; with them, the same requests and operations have the same other faults."""
    usual = [kind for kind in KINDS if kind not in NAMED_KINDS]
    assert draw_faults(5, 0.3) == draw_faults(5, 0.3, usual)
    both = draw_faults(5, 0.3, list(KINDS))
    assert any(each.stale_s for each in both if isinstance(each, RequestFault))
    assert any(each.held_s for each in both if isinstance(each, OperationFault))
    for alone, beside in zip(draw_faults(5, 0.3, usual), both, strict=True):
        assert alone == beside or alone in (RequestFault(), OperationFault())


@pytest.mark.parametrize("path", ["operations", "DiskOperations", "capsOperations"])
def test_the_status_of_an_operation_is_never_stale(path: str) -> None:
    """Neither a plan nor a rule makes the status URL of an operation stale, nor a write."""
    status = f"/subscriptions/s/providers/Microsoft.Compute/locations/westeurope/{path}/1"
    by_rule, by_plan = Faults(), Faults()
    by_rule.add([{"match": {"path": "."}, "stale_s": 8}])
    by_plan.plan(1, 1, ["staleRead"])
    for faults in (by_rule, by_plan):
        assert not faults.request_fault("GET", status).stale_s
        assert not faults.request_fault("PATCH", VM1).stale_s
        assert faults.request_fault("GET", VM1).stale_s


def test_clearing_a_plan_ends_its_faults() -> None:
    """DELETE ends a plan with rate 1, and operations that hang continue."""

    async def story(azure: Azure) -> None:
        plan = {"seed": 1, "rate": 1, "kinds": ["hang"]}
        assert (await azure.sim("POST", "faults/plan", plan)).status == 204
        reply = await azure.arm("POST", f"{VM1}/powerOff")
        await azure.sim("DELETE", "faults")
        assert (await azure.finish(reply))["status"] == "Succeeded"
        assert (await azure.finish(await azure.arm("POST", f"{VM1}/start")))["status"] == "Succeeded"

    run_story(story, [linux_vm()])


BAD: dict[str, tuple[str, Any, str]] = {
    "an unknown reset": ("faults", [{"match": {}, "reset": "sometimes"}], "sometimes"),
    "an unknown console": ("faults", [{"disk": "x", "boots": False, "serial": "loud"}], "loud"),
    "takes_s without a boot": ("faults", [{"disk": "x", "boots": False, "takes_s": 3}], "'takes_s'"),
    "a hanging request": ("faults", [{"match": {"path": "x"}, "hang": True}], "'path'"),
    "a reset operation": ("faults", [{"match": {"operation": "start"}, "reset": True}], "'operation'"),
    "a flag that is no boolean": ("faults", [{"match": {"operation": "start"}, "hang": "yes"}], "'hang'"),
    "a negative delay": ("faults", [{"match": {}, "delay_s": -1}], "'delay_s'"),
    "a stale write": ("faults", [{"match": {"method": "PATCH"}, "stale_s": 3}], "'stale_s'"),
    "content of long ago": ("faults", [{"match": {}, "stale_s": 301}], "300"),
    "a held request": ("faults", [{"match": {"path": "x"}, "held_s": 3}], "'path'"),
    "a reboot without a boot": ("faults", [{"disk": "x", "boots": False, "reboots_after_s": 3}], "'reboots_after_s'"),
    "a plan without seed": ("faults/plan", {"rate": 0.1}, "'seed'"),
    "a rate of two": ("faults/plan", {"seed": 1, "rate": 2}, "'rate'"),
    "an unknown kind": ("faults/plan", {"seed": 1, "rate": 0.1, "kinds": ["flood"]}, "'flood'"),
    "an unknown key": ("faults/plan", {"seed": 1, "rate": 0.1, "mood": 1}, "'mood'"),
}


@pytest.mark.parametrize("case", BAD)
def test_an_invalid_fault_is_named(case: str) -> None:
    """The answer is 400 with the invalid key or value, and no fault is active."""
    path, body, named = BAD[case]

    async def story(azure: Azure) -> None:
        reply = await azure.sim("POST", path, body)
        assert (reply.status, named in reply.message) == (400, True), reply.body
        assert (await azure.finish(await azure.arm("POST", f"{VM1}/powerOff")))["status"] == "Succeeded"

    run_story(story, [linux_vm()])
