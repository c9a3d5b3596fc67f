"""Rate limits: always in headers, enforced when switched on, refilled by simulated time."""

from __future__ import annotations

import asyncio
import json

from simulator.arm.core.errors import ArmError
from simulator.arm.core.rate_limits import RateLimits
from simulator.clock import Clock, run
from simulator.identity import make_token
from simulator.world import Simulator
from tests.unit.simulator.arm.azure import GROUP, SUB, VM1, Azure, Reply, linux_vm, run_story

OTHER = make_token("tenant", "33333333-3333-4333-8333-333333333333", "arm", 0, 4_000_000_000)


async def until_refused(azure: Azure, method: str, path: str, at_most: int = 400) -> tuple[int, Reply]:
    """The number of requests that passed before the first refusal, and the refusal."""
    for passed in range(at_most):
        reply = await azure.arm(method, path)
        if reply.status == 429:
            return passed, reply
    raise AssertionError(f"{at_most} requests were not refused")


def test_by_default_counters_fall_and_no_request_is_refused() -> None:
    """Fifty reads of one VM empty its counter and all succeed."""

    async def story(azure: Azure) -> None:
        replies = [await azure.arm("GET", VM1) for _ in range(50)]
        assert {reply.status for reply in replies} == {200}
        assert replies[-1].headers["x-ms-ratelimit-remaining-resource"].endswith("LowCostGetResource;0")

    run_story(story, [linux_vm()])


def test_a_vm_is_read_36_times_then_12_times_a_minute() -> None:
    """The refusal has the reported form and a Retry-After; after that wait one more read passes."""

    async def story(azure: Azure) -> None:
        await azure.sim("POST", "throttling", {"on": True})
        passed, refused = await until_refused(azure, "GET", VM1)
        assert passed == 36
        assert (refused.code, refused.headers["Retry-After"]) == ("OperationNotAllowed", "5")
        assert refused.headers["x-ms-ratelimit-remaining-resource"] == "Microsoft.Compute/LowCostGetResource;0"
        (detail,) = refused.body["error"]["details"]
        assert (detail["code"], detail["target"]) == ("TooManyRequests", "LowCostGetResource")
        assert json.loads(detail["message"])["allowedRequestCount"] == 36
        await asyncio.sleep(5)
        assert (await azure.arm("GET", VM1)).status == 200
        assert (await azure.arm("GET", VM1)).status == 429

    run_story(story, [linux_vm()])


def test_start_and_deallocate_use_different_buckets() -> None:
    """The thirteenth start is refused; a deallocate is not throttled."""

    async def story(azure: Azure) -> None:
        await azure.sim("POST", "throttling", {"on": True})
        passed, refused = await until_refused(azure, "POST", f"{VM1}/start")
        assert (passed, refused.headers["Retry-After"]) == (12, "15")
        # Accepted: it preempts the start, and its bucket is full.
        assert (await azure.arm("POST", f"{VM1}/deallocate")).status == 202

    run_story(story, [linux_vm(_power="deallocated")])


def test_arm_counts_each_caller_in_a_subscription() -> None:
    """A caller has 250 reads, then 25 a second; another caller and writes have their own buckets."""

    async def story(azure: Azure) -> None:
        await azure.sim("POST", "throttling", {"on": True})
        passed, refused = await until_refused(azure, "GET", GROUP)
        assert passed == 250
        assert (refused.code, refused.headers["Retry-After"]) == ("SubscriptionRequestsThrottled", "1")
        assert f"Number of 'read' requests for subscription '{SUB}' actor '" in refused.message
        headers = {"Authorization": f"Bearer {OTHER}"}
        url = f"{azure.endpoints.arm}{GROUP}?api-version=2024-07-01"
        other = await azure.send("GET", url, None, headers)
        assert (other.status, other.headers["x-ms-ratelimit-remaining-subscription-reads"]) == (200, "249")
        assert (await azure.arm("POST", f"{VM1}/powerOff")).status == 202
        await asyncio.sleep(1)
        passed, _ = await until_refused(azure, "GET", GROUP)
        assert passed == 25

    run_story(story, [linux_vm()])


def test_resource_graph_takes_15_queries_in_5_seconds() -> None:
    """The sixteenth query is refused with the reported code; the next window accepts queries again."""
    query = {"subscriptions": [SUB], "query": "resources | count"}
    path = "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01"

    async def story(azure: Azure) -> None:
        await azure.sim("POST", "throttling", {"on": True})
        statuses = [(await azure.arm("POST", path, query)).status for _ in range(16)]
        assert statuses == [200] * 15 + [429]
        assert (await azure.arm("POST", path, query)).code == "RateLimiting"
        await asyncio.sleep(5)
        assert (await azure.arm("POST", path, query)).status == 200

    run_story(story, [linux_vm()])


def test_throttling_can_be_switched_and_a_reset_restores_it() -> None:
    """Switched off, no request is refused; a bad value gives 400; a reset restores the constructor's value."""

    async def story(azure: Azure) -> None:
        assert (await azure.sim("POST", "throttling", {"on": "yes"})).status == 400
        await azure.sim("POST", "throttling", {"on": True})
        await until_refused(azure, "GET", VM1)
        await azure.sim("POST", "throttling", {"on": False})
        assert (await azure.arm("GET", VM1)).status == 200
        await azure.sim("POST", "throttling", {"on": True})
        await azure.sim("POST", "reset", {})
        assert not azure.simulator.services.limits.enforced

    run_story(story, [linux_vm()])

    async def made_so(clock: Clock) -> bool:
        simulator = Simulator(clock, throttle=True)
        simulator.services.reset(0)
        return simulator.services.limits.enforced

    assert run(made_so, Clock("virtual"))


def test_the_retry_after_of_a_refusal_is_long_enough() -> None:
    """A request after the Retry-After of its refusal is never refused again."""

    async def story(clock: Clock) -> None:
        limits = RateLimits(clock, enforced=True)
        refused = 0
        for _ in range(600):
            try:
                limits.check_caller("DELETE", "sub", "me")
                limits.check_resource("POST", "microsoft.compute/virtualmachines", "deallocate", "sub", "vm")
            except ArmError as error:
                refused += 1
                await asyncio.sleep(int(error.headers["Retry-After"]))
                limits.check_caller("DELETE", "sub", "me")
                limits.check_resource("POST", "microsoft.compute/virtualmachines", "deallocate", "sub", "vm")
            limits.subscription_headers("DELETE", "sub", "me")
            limits.resource_header("POST", "microsoft.compute/virtualmachines", "deallocate", "sub", "vm")
        assert refused == 600 - 12

    run(story, Clock("virtual"))
