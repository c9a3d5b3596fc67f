"""A self-check ends within a minute and names the part that hangs; one that cannot end is reported as stuck."""

from __future__ import annotations

import asyncio
import json

import pytest

from simulator.clock import Clock, run
from tests.support.worlds.builders import SUBSCRIPTION
from tests.support.worlds.hanging import Hanging, hanging
from tests.support.worlds.local_azure import LocalAzure, disk_body, local_azure, play, vm_body
from tools import selfcheck

FLEET = [vm_body(), disk_body("web01-new")]
ARM = f"arm {SUBSCRIPTION}"


async def begun(azure: LocalAzure) -> str:
    """Start a self-check; the id of its run."""
    status, answer = await azure.api("POST", "/api/selfcheck")
    assert status == 202, answer
    return str(answer["id"])


@pytest.mark.parametrize(
    ("part", "failed"),
    [
        ("begin_selfcheck", ["activity"]),
        ("timers", ["timer"]),
        ("claim", ["claim", "dispatcher", "result"]),
        ("probe", ["claim", "dispatcher", "result"]),
        ("answer_selfcheck", ["dispatcher"]),
        ("check_instances", ["instances"]),
        ("check_subscription", [ARM]),
        ("selfchecked", ["result"]),
        ("activities", ["activity", "instances"]),
    ],
)
def test_a_part_that_hangs_is_named_within_a_minute(part: str, failed: list[str]) -> None:
    """Only the part that hangs and its dependents fail, with a cure; GET shows it even without the dispatcher."""

    async def story(azure: LocalAzure) -> None:
        azure.hub.wrap_worker(hanging(part))
        began, run_id = azure.clock.time(), await begun(azure)
        await azure.hub.completed(run_id)
        assert azure.clock.time() - began < 60
        _, record = await azure.api("GET", f"/api/runs/{run_id}")
        rows = {row["name"]: row for row in record["checks"] if not row["ok"]}
        assert (record["status"], list(rows)) == ("failed", failed)
        assert all(row["cure"] and "within" in row["message"] for row in rows.values()), rows
        _, view = await azure.api("GET", "/api/selfcheck")
        assert (view["ok"], view["passed"], view["running"]) == (False, False, None)
        assert [row["name"] for row in view["last"]["checks"] if not row["ok"]] == failed

    play(story, FLEET)


def test_a_selfcheck_that_cannot_end_is_reported_as_stuck_and_replaced() -> None:
    """Without timers and activities GET shows after a minute what it waits for, and POST starts another one."""

    async def story(azure: LocalAzure) -> None:
        azure.hub.wrap_worker(hanging("timers", "activities"))
        stuck = await begun(azure)
        await asyncio.sleep(30)
        _, young = await azure.api("GET", "/api/selfcheck")
        assert all(row["ok"] for row in young["standing"])
        assert young["running"]["run"] == stuck
        assert (await azure.api("POST", "/api/selfcheck"))[0] == 409
        await asyncio.sleep(40)
        _, view = await azure.api("GET", "/api/selfcheck")
        (row,) = [row for row in view["standing"] if not row["ok"]]
        assert (view["ok"], row["name"], row["ok"]) == (False, "selfcheck", False)
        assert row["message"].endswith("has not ended within 60 s and waits for activity, timer, instances")
        assert "POST /api/selfcheck" in row["cure"]
        azure.hub.wrap_worker(lambda worker: worker.inner)  # type: ignore[attr-defined]
        again = await begun(azure)
        await azure.hub.completed(again)
        ended = azure.hub.orchestrations.instances[stuck]
        assert (ended.ended, json.loads(str(ended.output))) == (True, "it was stuck; another one was begun")
        _, after = await azure.api("GET", "/api/selfcheck")
        assert (after["ok"], after["passed"], after["running"], after["last"]["run"]) == (True, True, None, again)

    play(story, FLEET)


def test_the_sweep_replaces_a_stuck_selfcheck() -> None:
    """A stuck self-check does not keep swaps waiting longer than until the next sweep."""

    async def story(azure: LocalAzure) -> None:
        azure.hub.wrap_worker(hanging("selfcheck"))
        await azure.fire("sweep")
        await asyncio.sleep(90)
        azure.hub.wrap_worker(lambda worker: worker.inner)  # type: ignore[attr-defined]
        await azure.fire("sweep")
        await azure.until(lambda: bool(azure.dispatcher_state().get("selfcheck", {}).get("ok")), within_s=60)

    play(story, FLEET, settings={"REFRESH_SELFCHECK": "required"})


def test_very_many_subscriptions_do_not_take_longer() -> None:
    """With 200 slow subscriptions some are skipped with a message, and the next runs start with these."""
    many = [f"{n:08}-1111-1111-1111-111111111111" for n in range(200)]

    class Slow(Hanging):
        async def act(self, name: str, payload: str | None) -> str | None:
            if name == "begin_selfcheck":
                return json.dumps({**json.loads(await super().act(name, payload) or "{}"), "subscriptions": many})
            if name == "check_subscription":
                await asyncio.sleep(4)
                subscription = json.loads(str(payload))["subscription"]
                return json.dumps({"checks": [{"name": f"arm {subscription}", "ok": True, "message": "listed"}]})
            return await super().act(name, payload)

    async def story(azure: LocalAzure) -> None:
        azure.hub.wrap_worker(lambda worker: Slow(worker, ()))
        reached: set[str] = set()
        for _ in range(3):
            began, run_id = azure.clock.time(), await begun(azure)
            await azure.hub.completed(run_id)
            assert azure.clock.time() - began < 60
            _, record = await azure.api("GET", f"/api/runs/{run_id}")
            rows = [row for row in record["checks"] if row["name"].startswith("arm ")]
            assert sorted(row["name"].removeprefix("arm ") for row in rows) == many
            skipped = [row for row in rows if row.get("skipped")]
            assert 100 <= len(skipped) <= 140
            assert all("not reached within 45 s" in row["message"] for row in skipped)
            assert record["status"] == "succeeded"
            reached |= {row["name"] for row in rows if not row.get("skipped")}
        assert len(reached) == len(many)

    play(story, FLEET)


def test_the_deployment_ends_with_a_message_when_the_self_check_does_not_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The page names the parts that it waits for, and the exit code is 1."""

    async def main(clock: Clock) -> None:
        async with local_azure(clock, FLEET) as azure:
            azure.hub.wrap_worker(hanging("timers", "activities"))
            env = {"FUNCTION_APP_URL": azure.functions}
            assert await selfcheck.ask(env, wait_s=2, pause_s=2) == 1
            page = capsys.readouterr().out
            assert "waits for activity, timer, instances" in page
            assert "| failed |" in page

    run(main, Clock("real", speed=60))
