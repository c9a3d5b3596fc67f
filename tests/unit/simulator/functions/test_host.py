"""The local Functions host with the toy app."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from simulator.clock import Clock, run
from simulator.functions import FunctionsHost, IndexingFailed, index_app
from simulator.functions.timers import BadTimers
from tests.support.worlds.toy import JOURNAL, TOY_APP, TOY_SETTINGS, Toy, hosted, with_toy


async def send(toy: Toy, method: str, path: str, **how: Any) -> tuple[int, str, dict[str, str]]:
    """Send one request; returns status, text, and headers with lower-case names."""
    async with aiohttp.ClientSession() as session, session.request(method, toy.url + path, **how) as answer:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return answer.status, await answer.text(), headers


def test_an_http_function_starts_and_waits_with_a_durable_client() -> None:
    """The function gets route parameters, query, body, headers and client binding; its answer is returned unchanged."""

    async def story(toy: Toy) -> tuple[tuple[int, str, dict[str, str]], tuple[int, str, dict[str, str]]]:
        started = await send(toy, "POST", "/toy/start/greet?id=web", json="web")
        return started, await send(toy, "GET", "/toy/wait/web")

    started, waited = with_toy(story)
    assert started[0] == 202
    assert json.loads(started[1])["id"] == "web"
    assert waited[:2] == (200, '"hello web"')
    assert waited[2]["x-status"] == "done"
    assert waited[2]["content-type"].startswith("application/json")


def test_the_durable_clients_own_answer_carries_a_system_key_as_in_azure() -> None:
    """A test can therefore see when an app leaks the key by returning that answer."""

    async def story(toy: Toy) -> str:
        return (await send(toy, "POST", "/toy/start/greet", json="x"))[1]

    assert "code=" in with_toy(story)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/toy/nothing", 404),
        ("GET", "/toy/start/greet", 405),
        ("GET", "/raise", 404),
        ("GET", "/toy/raise", 500),
    ],
)
def test_http_errors_carry_no_stack_trace(method: str, path: str, status: int) -> None:
    """An unknown route is 404, a wrong method 405, an exception in a function 500; no answer contains the exception."""

    async def story(toy: Toy) -> tuple[int, str, dict[str, str]]:
        return await send(toy, method, path)

    answer = with_toy(story)
    assert answer[0] == status
    assert "secret" not in answer[1]
    assert "Traceback" not in answer[1]


def event(subject: str) -> dict[str, Any]:
    """An Event Grid event."""
    return {
        "id": "1",
        "topic": "/subscriptions/s",
        "subject": subject,
        "eventType": "Microsoft.Resources.ResourceWriteSuccess",
        "eventTime": "2026-01-01T00:00:00Z",
        "data": {},
        "dataVersion": "2",
        "metadataVersion": "1",
    }


WEBHOOK = "/runtime/webhooks/eventgrid?functionName=on_event"


def test_the_event_grid_webhook_answers_the_validation_handshake() -> None:
    """The validation code is returned; an unknown function is 404."""

    async def story(toy: Toy) -> tuple[int, str, int]:
        headers = {"aeg-event-type": "SubscriptionValidation"}
        body = [{"eventType": "Microsoft.EventGrid.SubscriptionValidationEvent", "data": {"validationCode": "abc"}}]
        status, text, _ = await send(toy, "POST", WEBHOOK, json=body, headers=headers)
        unknown, _, _ = await send(toy, "POST", WEBHOOK + "x", json=body, headers=headers)
        return status, text, unknown

    status, text, unknown = with_toy(story)
    assert (status, json.loads(text), unknown) == (200, {"validationResponse": "abc"}, 404)


def test_event_grid_events_reach_the_function_one_by_one() -> None:
    """A delivery of two events calls the function twice and is accepted."""

    async def story(toy: Toy) -> tuple[int, Any]:
        headers = {"aeg-event-type": "Notification"}
        status, _, _ = await send(toy, "POST", WEBHOOK, json=[event("a"), event("b")], headers=headers)
        await asyncio.sleep(1)
        return status, toy.hub.entity_state(JOURNAL)

    status, state = with_toy(story)
    assert status == 202
    assert sorted(state) == ["a", "b"]


def test_a_function_that_fails_on_an_event_makes_event_grid_try_again() -> None:
    """The answer to the delivery is 500, without the function's exception."""

    async def story(toy: Toy) -> tuple[int, str]:
        headers = {"aeg-event-type": "Notification"}
        status, text, _ = await send(toy, "POST", WEBHOOK, json=[event("fail")], headers=headers)
        return status, text

    assert with_toy(story) == (500, "Exception while executing function: on_event")


def test_a_timer_fires_when_its_schedule_comes_due_on_the_simulated_clock() -> None:
    """A monthly timer fires once a month, with the schedule from an app setting."""

    async def story(toy: Toy) -> tuple[Any, Any]:
        await asyncio.sleep(3 * 31 * 86_400)
        three_months = toy.hub.entity_state(JOURNAL)
        await asyncio.sleep(31 * 86_400)
        return three_months, toy.hub.entity_state(JOURNAL)

    first, second = with_toy(story)
    assert first[0] == "timer toy"
    assert len(first) in (3, 4)
    assert len(second) == len(first) + 1


@pytest.mark.parametrize(("name", "status"), [("on_timer", 202), ("missing", 404), ("http_raise", 400)])
def test_the_admin_endpoint_starts_a_function_without_an_http_trigger(name: str, status: int) -> None:
    """A timer runs at once; unknown functions and HTTP functions are refused."""

    async def story(toy: Toy) -> tuple[int, Any]:
        answer = await send(toy, "POST", f"/admin/functions/{name}", json={"input": ""})
        await asyncio.sleep(1)
        return answer[0], toy.hub.entity_state(JOURNAL)

    assert with_toy(story) == (status, ["timer toy"] if status == 202 else None)


def timer_runs(schedule: str, days: int) -> int:
    """How often the toy's timer fires in `days` days when its setting is `schedule`."""

    async def main(clock: Clock) -> int:
        host = FunctionsHost(TOY_APP, clock, settings={**TOY_SETTINGS, "TOY_SCHEDULE": schedule}, port=0)
        await host.start()
        try:
            await asyncio.sleep(days * 86_400)
            return len(host.hub.entity_state(JOURNAL) or [])
        finally:
            await host.stop()

    return run(main, Clock("virtual"))


@pytest.mark.parametrize(
    ("schedule", "runs"), [("0 0 2 * * Mon-Fri", 20), ("0 0 2 * * sun", 4), ("0 0 2 1 J *", 0), ("0 0 0 31 Feb *", 0)]
)
def test_a_timer_reads_names_of_months_and_weekdays(schedule: str, runs: int) -> None:
    """In four weeks that begin on no 1 January, it fires on the named days; a schedule that is never due is idle."""
    assert timer_runs(schedule, 28) == runs


@pytest.mark.parametrize("schedule", ["0 0 2 * * 7", "0 0 2 * * Mon#1", "00:30:00", "0 2 * * *"])
def test_a_timer_with_a_bad_schedule_is_named_and_stops_the_start(schedule: str) -> None:
    """As in Azure, the host does not index the function."""
    with pytest.raises(BadTimers, match="on_timer"):
        timer_runs(schedule, 0)


def test_a_timer_without_its_setting_is_named_and_stops_the_start() -> None:
    """The error names function and setting, and no app stays loaded."""

    async def main(clock: Clock) -> None:
        with pytest.raises(BadTimers, match=r"on_timer.*TOY_SCHEDULE"):
            await FunctionsHost(TOY_APP, clock, settings={}, port=0).start()
        async with hosted(clock) as toy:
            assert toy.host.functions

    run(main, Clock("virtual"))


def test_a_disabled_function_is_not_served() -> None:
    """An orchestration whose function is disabled by its app setting fails when it is started."""

    async def main(clock: Clock) -> str:
        async with hosted(clock, {**TOY_SETTINGS, "AzureWebJobs.greet.Disabled": "true"}) as toy:
            toy.hub.start("greet", "x", "g")
            return str((await toy.hub.completed("g")).output)

    assert "disabled" in run(main, Clock("virtual"))


def test_hosts_follow_one_another_in_one_process() -> None:
    """Each host loads the app again and leaves no modules or settings behind; two at once are refused."""

    async def main(clock: Clock) -> None:
        for _ in range(3):
            async with hosted(clock) as toy:
                assert await toy.run("greet", "x") == "hello x"
                assert "TOY_NAME" in os.environ
                with pytest.raises(IndexingFailed, match="one app at a time"):
                    await FunctionsHost(TOY_APP, clock, settings=TOY_SETTINGS, port=0).start()
            assert "function_app" not in sys.modules
            assert "TOY_NAME" not in os.environ
            assert str(TOY_APP) not in sys.path

    run(main, Clock("virtual"))


def test_the_host_listens_on_loopback_only() -> None:
    """Its address is on 127.0.0.1, and so is the durable client's."""

    async def story(toy: Toy) -> list[str]:
        return [toy.url, json.loads(toy.host.durable_client)["rpcBaseUrl"]]

    assert all(url.startswith("http://127.0.0.1:") for url in with_toy(story))


def test_an_app_is_indexed_with_names_routes_and_bindings() -> None:
    """The index has each function's trigger as in Azure, including durable bindings."""
    functions = {function.name: function for function in index_app(TOY_APP, TOY_SETTINGS)}
    assert functions["http_start"].trigger["route"] == "start/{name}"
    assert functions["http_start"].trigger["authLevel"] == "FUNCTION"
    assert functions["http_start"].durable_client == "client"
    assert functions["on_timer"].trigger["schedule"] == "%TOY_SCHEDULE%"
    assert functions["journal"].trigger["type"] == "entityTrigger"
    assert functions["greet"].trigger["name"] == "_durable_input"
    assert functions["hello"].durable_client is None


def test_an_app_that_the_worker_refuses_is_refused_with_its_reason(tmp_path: Path) -> None:
    """The worker's full validation runs: the error names a parameter without a binding."""
    (tmp_path / "function_app.py").write_text(
        "import azure.functions as func\n"
        "app = func.FunctionApp()\n"
        "@app.route('x')\n"
        "def handler(req: func.HttpRequest, stranger: str) -> str:\n"
        "    return 'x'\n"
    )
    with pytest.raises(IndexingFailed, match="stranger"):
        index_app(tmp_path)
    with pytest.raises(IndexingFailed, match=r"no function_app\.py"):
        index_app(tmp_path / "nowhere")


def test_a_real_clock_runs_the_same_story_faster() -> None:
    """At speed 600 ten minutes of durable timers take a second, including clients' calls."""

    async def main(clock: Clock) -> tuple[float, str]:
        async with hosted(clock) as toy:
            took_s = await toy.run("parent", 600)
            await send(toy, "POST", "/toy/start/greet?id=web", json="web")
            return took_s, (await send(toy, "GET", "/toy/wait/web"))[1]

    took_s, greeting = run(main, Clock("real", 600))
    assert 599 <= took_s < 1800
    assert greeting == '"hello web"'


def test_a_sync_function_gets_a_sync_client() -> None:
    """A function that is not a coroutine runs in a thread, where its durable client works."""

    async def story(toy: Toy) -> tuple[int, str, dict[str, str]]:
        toy.hub.signal(JOURNAL, "add", "kept")
        await asyncio.sleep(1)
        return await send(toy, "GET", "/toy/journal")

    assert with_toy(story)[:2] == (200, '["kept"]')
