"""Entities in the durable hub, with the toy app."""

import asyncio
from datetime import timedelta

from simulator.durable.records import Operate
from tests.support.worlds.toy import JOURNAL, Toy, with_toy


def test_signals_are_run_in_the_order_they_came() -> None:
    """A hundred signals end up in the state in order, in few batches."""

    async def story(toy: Toy) -> tuple[object, int]:
        for n in range(100):
            toy.hub.signal(JOURNAL, "add", str(n))
        await asyncio.sleep(1)
        batches = [entry for entry in toy.hub.trace if entry.kind == "entity" and entry.what == "dispatched"]
        return toy.hub.entity_state(JOURNAL), len(batches)

    state, batches = with_toy(story)
    assert state == [str(n) for n in range(100)]
    assert batches < 5


def test_what_an_orchestration_sends_in_one_turn_arrives_in_any_order() -> None:
    """Signals and a call of one turn reach the entity in another order than sent, each of them once."""
    texts = list("abcdefgh")

    async def story(toy: Toy) -> tuple[object, object]:
        return await toy.run("tell", texts), toy.hub.entity_state(JOURNAL)

    answer, state = with_toy(story)
    assert isinstance(answer, dict)
    assert isinstance(state, list)
    assert set(answer["kept"]) < set(texts)
    assert state != texts
    assert sorted(state) == texts


def test_a_refused_call_raises_with_the_entitys_message() -> None:
    """The calling orchestration catches the entity's exception."""
    answer = with_toy(lambda toy: toy.run("tell", ["a"]))
    assert isinstance(answer, dict)
    assert "no" in answer["refusal"]


def test_an_operation_that_raises_changes_nothing_and_the_others_count() -> None:
    """The state is rolled back for the failing operation only."""

    async def story(toy: Toy) -> object:
        toy.hub.signal(JOURNAL, "add", "before")
        toy.hub.signal(JOURNAL, "refuse", "no")
        toy.hub.signal(JOURNAL, "add", "after")
        await asyncio.sleep(1)
        return toy.hub.entity_state(JOURNAL)

    assert with_toy(story) == ["before", "after"]


def test_a_delayed_signal_waits_for_its_simulated_date() -> None:
    """A scheduled signal is not delivered before its time."""

    async def story(toy: Toy) -> tuple[object, object]:
        due = toy.clock.now() + timedelta(hours=1)
        toy.hub.send(Operate(JOURNAL, "r", "add", '"late"', at=due))
        await asyncio.sleep(3599)
        early = toy.hub.entity_state(JOURNAL)
        await asyncio.sleep(2)
        return early, toy.hub.entity_state(JOURNAL)

    assert with_toy(story) == (None, ["late"])


def test_an_entity_starts_an_orchestration() -> None:
    """The orchestration runs under the id that the entity gave."""

    async def story(toy: Toy) -> object:
        toy.hub.signal("@Journal@app", "start", "by-entity")
        await asyncio.sleep(60)
        return toy.hub.output("by-entity")

    assert with_toy(story) == "hello entity"


def test_an_entity_that_does_not_exist_loses_its_signals_only() -> None:
    """Signals to an unknown entity are dropped, as in Azure, and the hub continues."""

    async def story(toy: Toy) -> tuple[object, object]:
        toy.hub.signal("@missing@x", "add", "x")
        await asyncio.sleep(1)
        return toy.hub.entity_state("@missing@x"), await toy.run("greet", "still")

    assert with_toy(story) == (None, "hello still")
