"""Limits on concurrency, and the order of work."""

import asyncio

from tests.support.worlds.toy import Toy, with_toy


def test_no_more_activities_run_at_once_than_host_json_allows() -> None:
    """Forty activities of ten seconds, eight at a time, take fifty seconds."""

    async def story(toy: Toy) -> tuple[float, int]:
        await toy.run("fan_out", {"count": 40, "s": 10})
        running = most = 0
        for entry in toy.hub.trace:
            if entry.kind == "activity":
                running += {"dispatched": 1, "completed": -1}.get(entry.what, 0)
                most = max(most, running)
        return toy.clock.time(), most

    assert with_toy(story) == (50.0, 8)


def test_activities_are_handed_out_in_the_order_they_were_scheduled() -> None:
    """Activities of all orchestrations run in the order they were scheduled, as in one storage queue."""

    async def story(toy: Toy) -> dict[str, list[tuple[str, int | None]]]:
        toy.hub.start("fan_out", {"count": 30, "s": 10}, "many")
        await asyncio.sleep(1)
        toy.hub.start("greet", "later", "few")
        await toy.hub.completed("many")
        activities = [entry for entry in toy.hub.trace if entry.kind == "activity"]
        return {
            what: [(entry.instance_id, entry.task_id) for entry in activities if entry.what == what]
            for what in ("scheduled", "dispatched")
        }

    order = with_toy(story)
    assert len(order["scheduled"]) == 31
    assert order["dispatched"] == order["scheduled"]


def test_a_hundred_orchestrations_share_the_loop() -> None:
    """A hundred orchestrations at once all end, each with its own result."""

    async def story(toy: Toy) -> list[object]:
        ids = [toy.hub.start("greet", str(n)) for n in range(100)]
        await asyncio.gather(*(toy.hub.completed(one) for one in ids))
        return [toy.hub.output(one) for one in ids]

    assert with_toy(story) == [f"hello {n}" for n in range(100)]
