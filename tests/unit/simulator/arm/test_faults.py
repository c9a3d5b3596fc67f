"""Planned and random misfortune: broken connections, operations that hang, successes that did nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from simulator.arm.core.fault_plans import KINDS, OperationFault, RequestFault
from simulator.arm.core.faults import Faults
from tests.unit.simulator.arm.azure import VM1, Azure, Json, free_disk, linux_vm, told

TAGS = f"{VM1}/providers/Microsoft.Resources/tags/default"


def os_disk(vm: Json) -> str:
    return str(vm["properties"]["storageProfile"]["osDisk"]["name"])


@pytest.mark.parametrize(("reset", "power"), [(True, "running"), ("before", "running"), ("after", "stopping")])
def test_a_connection_breaks_before_or_after_the_effect(reset: Any, power: str) -> None:
    """The client sees no answer either way; ARM did it or did not; the journal notes status 0."""

    async def story(azure: Azure) -> None:
        match = {"method": "POST", "path": "/powerOff$"}
        await azure.sim("POST", "faults", [{"match": match, "times": 1, "reset": reset}])
        with pytest.raises(aiohttp.ClientError):
            await azure.arm("POST", f"{VM1}/powerOff")
        assert await azure.power() == f"PowerState/{power}"
        journal = (await azure.sim("GET", "journal")).body["requests"]
        assert [each["status"] for each in journal if each["method"] == "POST"] == [0]

    told(story, [linux_vm()])


def test_an_operation_hangs_until_the_faults_are_cleared() -> None:
    """A day later it is still in progress; cleared, it ends."""

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

    told(story, [linux_vm()])


@pytest.mark.parametrize("match", [{"operation": "update"}, {"method": "PATCH"}])
def test_a_patch_succeeds_and_changes_nothing(match: Json) -> None:
    """200, Succeeded, and the VM keeps its old disk, whether a request or an operation was meant."""

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

    told(story, [linux_vm(), free_disk("next")])


def test_a_tag_write_succeeds_and_changes_nothing() -> None:
    """The answer shows the new tag, the resource does not have it."""

    async def story(azure: Azure) -> None:
        await azure.sim("POST", "faults", [{"match": {"path": "/tags/default"}, "times": 1, "nothing": True}])
        body = {"operation": "Merge", "properties": {"tags": {"a": "1"}}}
        assert (await azure.arm("PATCH", TAGS, body)).body["properties"]["tags"] == {"a": "1"}
        assert (await azure.arm("GET", TAGS)).body["properties"]["tags"] == {}

    told(story, [linux_vm()])


def test_a_slow_read_tells_what_was_true_when_it_began() -> None:
    """The answer comes late, with the state of before."""

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

    told(story, [linux_vm()])


def fates(seed: int, rate: float, kinds: list[str] | None = None) -> list[RequestFault | OperationFault]:
    faults = Faults()
    faults.plan(seed, rate, kinds)
    requests = [faults.request_fault(method, VM1) for method in ("GET", "PATCH", "POST") * 40]
    return [*requests, *(faults.operation_fault("start", VM1) for _ in range(60))]


def test_a_seed_deals_the_same_fates_again() -> None:
    """Same seed, same fates; another seed, others; rate 0 none, rate 1 always something."""
    assert fates(1, 0.5) == fates(1, 0.5) != fates(2, 0.5)
    quiet: list[RequestFault | OperationFault] = [RequestFault(), OperationFault()]
    assert all(fault in quiet for fault in fates(1, 0))
    assert not any(fault in quiet for fault in fates(1, 1))


def test_a_plan_is_not_disturbed_by_other_requests() -> None:
    """What befalls a path does not depend on what is asked of another."""
    alone, beside = Faults(), Faults()
    for faults in (alone, beside):
        faults.plan(3, 0.5)
    dealt = []
    for _ in range(50):
        beside.request_fault("GET", "/other")
        dealt.append((alone.request_fault("GET", VM1), beside.request_fault("GET", VM1)))
    assert all(one == other for one, other in dealt)


@pytest.mark.parametrize("kind", KINDS)
def test_a_plan_keeps_to_the_kinds_it_was_given(kind: str) -> None:
    """One kind: nothing else happens, and it does happen."""
    dealt = [fault for fault in fates(1, 1, [kind]) if fault not in (RequestFault(), OperationFault())]
    shapes = {
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
    }
    assert dealt
    assert all(shapes[kind](fault) for fault in dealt)


def test_after_a_plan_is_cleared_the_world_is_kind_again() -> None:
    """With rate 1 nothing goes well; DELETE ends it, what hung included."""

    async def story(azure: Azure) -> None:
        plan = {"seed": 1, "rate": 1, "kinds": ["hang"]}
        assert (await azure.sim("POST", "faults/plan", plan)).status == 204
        reply = await azure.arm("POST", f"{VM1}/powerOff")
        await azure.sim("DELETE", "faults")
        assert (await azure.finish(reply))["status"] == "Succeeded"
        assert (await azure.finish(await azure.arm("POST", f"{VM1}/start")))["status"] == "Succeeded"

    told(story, [linux_vm()])


BAD: dict[str, tuple[str, Any, str]] = {
    "a reset of no kind": ("faults", [{"match": {}, "reset": "sometimes"}], "sometimes"),
    "an unknown console": ("faults", [{"disk": "x", "boots": False, "serial": "loud"}], "loud"),
    "how long no boot takes": ("faults", [{"disk": "x", "boots": False, "takes_s": 3}], "'takes_s'"),
    "a hanging request": ("faults", [{"match": {"path": "x"}, "hang": True}], "'path'"),
    "a reset operation": ("faults", [{"match": {"operation": "start"}, "reset": True}], "'operation'"),
    "half a truth": ("faults", [{"match": {"operation": "start"}, "hang": "yes"}], "'hang'"),
    "time that goes back": ("faults", [{"match": {}, "delay_s": -1}], "'delay_s'"),
    "a plan without seed": ("faults/plan", {"rate": 0.1}, "'seed'"),
    "a rate of two": ("faults/plan", {"seed": 1, "rate": 2}, "'rate'"),
    "an unknown kind": ("faults/plan", {"seed": 1, "rate": 0.1, "kinds": ["flood"]}, "'flood'"),
    "an unknown key": ("faults/plan", {"seed": 1, "rate": 0.1, "mood": 1}, "'mood'"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_fault_nobody_understands_is_named(case: str) -> None:
    """400 with the word in question, and nothing is in force."""
    path, body, named = BAD[case]

    async def story(azure: Azure) -> None:
        reply = await azure.sim("POST", path, body)
        assert (reply.status, named in reply.message) == (400, True), reply.body
        assert (await azure.finish(await azure.arm("POST", f"{VM1}/powerOff")))["status"] == "Succeeded"

    told(story, [linux_vm()])
