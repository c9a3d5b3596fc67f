"""Events reach a webhook at least once, in the real schema, at simulated times."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from aiohttp import web

from simulator import clock as clocks
from simulator.clock import Clock
from simulator.eventgrid import Chaos, EventGrid, Filters
from simulator.eventgrid.delivery import retry_after_s
from tests.unit.simulator.eventgrid.deliveries import VM, Webhook, _serve, story, tags_write


def test_a_tags_write_becomes_the_documented_event() -> None:
    """A tags write arrives with every documented field, personal claims, and not one tag."""

    async def steps(grid: EventGrid, webhook: Webhook) -> None:
        write = tags_write(webhook.clock.now())
        grid.on_write(write)
        await asyncio.sleep(1)
        ((_, event),) = webhook.received
        claims = event["data"].pop("claims")
        assert "example.com" in str(claims)
        assert event == {
            "id": event["id"],
            "topic": "/subscriptions/S1",
            "subject": VM,
            "eventType": "Microsoft.Resources.ResourceWriteSuccess",
            "eventTime": write.at.isoformat().replace("+00:00", "Z"),
            "dataVersion": "2",
            "metadataVersion": "1",
            "data": {
                "authorization": {
                    "scope": write.scope,
                    "action": "Microsoft.Resources/tags/write",
                    "evidence": {"role": "Subscription Admin"},
                },
                "correlationId": write.correlation_id,
                "httpRequest": {
                    "clientRequestId": "client-1",
                    "clientIpAddress": "203.0.113.7",
                    "method": "PATCH",
                    "url": write.url,
                },
                "resourceProvider": "Microsoft.Resources",
                "resourceUri": VM,
                "operationName": "Microsoft.Resources/tags/write",
                "status": "Succeeded",
                "subscriptionId": "S1",
                "tenantId": "T1",
            },
        }
        assert webhook.headers[0]["aeg-delivery-count"] == "0"

    story(steps)


@pytest.mark.parametrize(
    ("changes", "event_type"),
    [
        ({"kind": "delete", "method": "DELETE"}, "Microsoft.Resources.ResourceDeleteSuccess"),
        ({"kind": "action", "method": "POST"}, "Microsoft.Resources.ResourceActionSuccess"),
        ({"kind": "write", "method": "PUT", "status": "Failed"}, "Microsoft.Resources.ResourceWriteFailure"),
    ],
)
def test_kinds_of_writes_have_their_event_types(changes: dict[str, Any], event_type: str) -> None:
    """Deletes, actions and failures are events of their own; a creation carries no httpRequest."""

    async def steps(grid: EventGrid, webhook: Webhook) -> None:
        grid.on_write(replace(tags_write(webhook.clock.now()), **changes))
        await asyncio.sleep(1)
        ((_, event),) = webhook.received
        assert event["eventType"] == event_type
        assert ("httpRequest" in event["data"]) == (changes["method"] != "PUT")

    story(steps, filters=Filters())


def test_only_events_that_pass_the_filter_are_delivered_and_all_are_logged() -> None:
    """The default filter passes tag and VM writes on VMs in any casing; the log holds the rest with no delivery."""

    async def steps(grid: EventGrid, webhook: Webhook) -> None:
        write = tags_write(webhook.clock.now())
        grid.on_write(replace(write, resource_id=VM.lower()))
        grid.on_write(replace(write, operation_name="MICROSOFT.COMPUTE/virtualMachines/write"))
        grid.on_write(replace(write, operation_name="Microsoft.Compute/virtualMachines/extensions/write"))
        grid.on_write(replace(write, resource_id="/subscriptions/S1/resourceGroups/Rg"))
        grid.on_write(replace(write, kind="action"))
        await asyncio.sleep(1)
        log = grid.log()
        assert [len(entry["deliveries"]) for entry in log] == [1, 1, 0, 0, 0]
        assert list(log[0]) == ["id", "t", "subject", "eventType", "operationName", "deliveries"]
        assert log[0]["deliveries"][0]["status"] == 200

    story(steps)


def test_a_failing_endpoint_is_tried_again_on_azures_schedule() -> None:
    """Retries come 10 s, 30 s, 1 min … after each failure and carry the number of failures."""

    async def steps(grid: EventGrid, webhook: Webhook) -> None:
        grid.on_write(tags_write(webhook.clock.now()))
        await asyncio.sleep(3600)
        times = [round(t) for t, _ in webhook.received]
        assert [later - earlier for earlier, later in pairwise(times)] == [10, 30, 60, 300]
        assert [h["aeg-delivery-count"] for h in webhook.headers] == ["0", "1", "2", "3", "4"]
        assert [d["status"] for d in grid.log()[0]["deliveries"]] == [500, 503, 404, 429, 200]
        assert grid.dead_letters == []

    story(steps, script=[500, 503, 404, 429])


@pytest.mark.parametrize("status", [400, 401, 413])
def test_a_refusal_is_final(status: int) -> None:
    """400, 401 and 413 are never retried: the event becomes a dead letter."""

    async def steps(grid: EventGrid, webhook: Webhook) -> None:
        grid.on_write(tags_write(webhook.clock.now()))
        await asyncio.sleep(86400)
        (letter,) = grid.dead_letters
        assert (letter.reason, letter.attempts, letter.status) == ("NonRetryableStatus", 1, status)
        assert len(webhook.received) == 1

    story(steps, script=[status])


def test_an_event_is_given_up_after_a_day() -> None:
    """An event that an endpoint refuses for 24 hours becomes a dead letter."""

    async def steps(grid: EventGrid, webhook: Webhook) -> None:
        grid.on_write(tags_write(webhook.clock.now()))
        await asyncio.sleep(3 * 86400)
        (letter,) = grid.dead_letters
        assert letter.reason == "TimeToLiveExceeded"
        assert webhook.received[-1][0] < timedelta(days=1).total_seconds()

    story(steps, script=[500] * 40)


def test_the_retry_schedule_ends_in_half_days() -> None:
    """After the ninth failure a retry comes every 12 hours."""
    assert [retry_after_s(n) for n in (1, 2, 9, 10, 29)] == [10, 30, 21600, 43200, 43200]


def test_nothing_is_lost_while_the_endpoint_is_down() -> None:
    """Events written while the endpoint is down arrive once it is up; the failed attempts have no status."""

    async def main(clock: Clock) -> None:
        webhook = Webhook(clock)
        grid = EventGrid(clock)
        port = 0

        async def up_once(url: str) -> None:
            nonlocal port
            port = int(url.split(":")[2].split("/")[0])
            await grid.subscribe(url)

        await _serve(webhook, up_once)
        for number in range(5):
            grid.on_write(tags_write(clock.now(), f"{VM}{number}"))
        await asyncio.sleep(20)
        assert webhook.received == []

        app = web.Application()
        app.router.add_post("/hook", webhook.handle)
        runner = web.AppRunner(app, keepalive_timeout=1e9)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await asyncio.sleep(60)
        assert sorted(event["subject"] for _, event in webhook.received) == [f"{VM}{number}" for number in range(5)]
        assert [d["status"] for d in grid.log()[0]["deliveries"]] == [None, None, 200]
        await grid.close()
        await runner.cleanup()

    clocks.run(main, Clock("virtual"))


def test_chaos_delays_duplicates_and_reorders_repeatably() -> None:
    """A seed repeats the same chaos: events late, some twice, out of order, in mixed casing, none lost."""

    async def steps(grid: EventGrid, webhook: Webhook) -> None:
        for number in range(40):
            grid.on_write(tags_write(webhook.clock.now(), f"{VM}{number:02}"))
            await asyncio.sleep(0.1)
        await asyncio.sleep(60)

    def storm() -> list[str]:
        chaos = Chaos(delay_s=5, duplicates=0.3, reorder=0.3, seed=7)
        return [event["subject"] for _, event in story(steps, chaos=chaos).received]

    first = storm()
    lowered = [subject.lower() for subject in first]
    assert set(lowered) == {f"{VM}{number:02}".lower() for number in range(40)}
    assert 45 < len(first) < 60
    assert lowered != sorted(lowered)
    assert {"/resourcegroups/" in subject for subject in first} == {True, False}
    assert storm() == first


def test_without_chaos_events_come_once_in_order() -> None:
    """By default every event is delivered once, immediately, with ids as stored."""

    async def steps(grid: EventGrid, webhook: Webhook) -> None:
        for number in range(10):
            grid.on_write(tags_write(webhook.clock.now(), f"{VM}{number}"))
            await asyncio.sleep(0.1)
        assert [event["subject"] for _, event in webhook.received] == [f"{VM}{n}" for n in range(10)]
        assert len(set(webhook.ids())) == 10

    story(steps)


@pytest.mark.parametrize("values", [{"duplicates": 1.5}, {"reorder": -0.1}, {"delay_s": -1}])
def test_impossible_chaos_is_refused(values: dict[str, float]) -> None:
    """A probability outside 0 to 1 or a negative delay is an error that names the field."""
    with pytest.raises(ValueError, match=next(iter(values))):
        Chaos(**values)  # type: ignore[arg-type]


def test_a_webhook_that_fails_the_handshake_is_not_subscribed() -> None:
    """After a wrong code, an error or no connection, subscribing fails with the reason and nothing is delivered."""

    async def main(clock: Clock) -> None:
        webhook = Webhook(clock, echo=False)
        grid = EventGrid(clock)

        async def body(url: str) -> None:
            with pytest.raises(RuntimeError, match="validationResponse"):
                await grid.subscribe(url)
            with pytest.raises(RuntimeError, match="404"):
                await grid.subscribe(url + "/nowhere")
            grid.on_write(tags_write(clock.now()))
            await asyncio.sleep(60)
            assert webhook.received == []

        await _serve(webhook, body)
        with pytest.raises(RuntimeError, match="handshake failed"):
            await grid.subscribe("http://127.0.0.1:1/hook")
        await grid.close()

    clocks.run(main, Clock("virtual"))


def test_clearing_forgets_events_and_keeps_subscriptions() -> None:
    """After `clear` the log is empty, nothing under way arrives, and new writes are delivered."""

    async def steps(grid: EventGrid, webhook: Webhook) -> None:
        grid.on_write(tags_write(webhook.clock.now()))
        await grid.clear()
        await asyncio.sleep(60)
        assert (grid.log(), webhook.received) == ([], [])
        grid.on_write(tags_write(webhook.clock.now()))
        await asyncio.sleep(1)
        assert len(webhook.received) == 1

    story(steps)


def test_events_of_the_same_moment_share_requests() -> None:
    """Events that wait at the same time arrive in order, in requests of at most 64 kB; one alone is not late."""

    async def steps(grid: EventGrid, webhook: Webhook) -> None:
        vms = [f"{VM}-{number:03}" for number in range(150)]
        for vm in vms:
            grid.on_write(tags_write(webhook.clock.now(), vm))
        await asyncio.sleep(1)
        grid.on_write(tags_write(webhook.clock.now()))
        await asyncio.sleep(1)
        assert [event["subject"] for _, event in webhook.received] == [*vms, VM]
        assert 3 <= len(webhook.headers) - 1 <= 10
        assert all(int(headers["Content-Length"]) <= 64 * 1024 + 200 for headers in webhook.headers)
        assert webhook.received[-1][0] == 1.0

    story(steps)


def test_a_batch_that_is_refused_is_sent_again_as_a_whole() -> None:
    """The answer to a request is that of all its events: after a 500 each of them comes again."""

    async def steps(grid: EventGrid, webhook: Webhook) -> None:
        vms = [f"{VM}-{number}" for number in range(5)]
        for vm in vms:
            grid.on_write(tags_write(webhook.clock.now(), vm))
        await asyncio.sleep(20)
        assert sorted(event["subject"] for _, event in webhook.received) == sorted([*vms, *vms])
        assert [headers["aeg-delivery-count"] for headers in webhook.headers] == ["0", "1"]
        assert all([one["status"] for one in entry["deliveries"]] == [500, 200] for entry in grid.log())

    story(steps, script=[500])
