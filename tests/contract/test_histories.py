"""Orchestrations under way survive a deployment: today's code requests at every turn what the history has."""

from __future__ import annotations

from collections.abc import Generator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from durabletask.entities import EntityInstanceId
from durabletask.task import OrchestrationContext, Task

from simulator.functions.indexing import index_app
from tests.commands.histories import ORCHESTRATORS
from tests.support.histories.histories import FOLDER, History, Turn, kept, stored
from tests.support.histories.replay_orchestrations import Orchestrator, differences, fill_in
from tests.support.histories.swap_stories import STORIES

type Steps = Generator[Task[Any], Any, Any]
HISTORIES = tuple(stored())
ROOT = Path(__file__).parents[2]
# Every Functions app has it; an app setting disables it.
BUILT_IN = {"BuiltIn__HttpPollOrchestrator"}
DISPATCHER = EntityInstanceId("dispatcher", "app")


@pytest.mark.parametrize("history", [*HISTORIES, *kept()], ids=lambda history: history.file.stem)
def test_what_is_under_way_goes_on_after_a_deployment(history: History) -> None:
    """Today's code continues every stored history from any turn with the same actions."""
    found = differences(history, ORCHESTRATORS[history.orchestration])
    cure = "what is under way would break: see 'Changing an orchestration' in docs/development.md"
    assert not found, "\n".join([*found, cure])


def test_every_orchestration_and_every_story_has_a_history() -> None:
    """Every registered orchestration has a history, and the stored ones are those that `make histories` records."""
    recorded = {(name, story) for one in STORIES for name, kept in one.kept.items() for _, story in kept}
    assert {(history.orchestration, history.story) for history in HISTORIES} == recorded
    registered = {
        function.name
        for function in index_app(ROOT)
        if any(binding["type"] == "orchestrationTrigger" for binding in function.bindings)
    }
    assert {history.orchestration for history in HISTORIES} == set(ORCHESTRATORS) == registered - BUILT_IN
    ends = {turn.actions[-1][-1] for history in HISTORIES for turn in history.turns[-1:]}
    assert ends >= {"succeeded", "rolled-back", "refused", "needs-attention", "not-proven", "continued as new"}


def test_what_an_older_app_started_is_kept_apart() -> None:
    """Every story of `look` and `swap_vm` has a kept history from the app that had no bounded waits.

    Except the story of a question that this app did not ask.
    """
    old = {history.file.name: history for history in kept()}
    today = {one.file.name for one in HISTORIES if one.orchestration in ("look", "swap_vm")}
    assert set(old) == today - {"swap_vm.started-again.json"}
    assert not any("bounded" in history.turns[0].events[0][1] for history in old.values())


def test_stored_histories_are_small_and_stable() -> None:
    """No fractions of seconds, no ports, no tokens, at most 40 kB, and one spelling of the same content."""
    for path in FOLDER.rglob("*.json"):
        text = path.read_text(encoding="utf-8")
        assert len(text) < 40_000, path.name
        assert History.load(path).dump() == text, path.name
        assert "127.0.0.1:" not in text.replace("127.0.0.1:1/", ""), path.name


def toy(ctx: OrchestrationContext, data: dict[str, Any]) -> Steps:
    """An orchestration that uses every durable call of the app."""
    yield ctx.call_entity(DISPATCHER, "claim", data)
    yield ctx.call_activity("stop", input=data)
    ctx.signal_entity(DISPATCHER, "step", data)
    yield ctx.create_timer(timedelta(seconds=30))
    answer = yield ctx.wait_for_external_event("answer")
    child = yield ctx.call_sub_orchestrator("child", input=answer)
    ctx.send_event("waiting-swap", "outcome", data=child)
    return {"status": "done"}


def history_of_toy() -> History:
    began = datetime(2026, 11, 1, tzinfo=UTC)
    events: list[list[Any]] = [
        ["started", {"vm": "one"}],
        ["entity", 1, {"ok": True}],
        ["answered", 2, {"ok": True}],
        ["timer", 4],
        ["event", "answer", 1],
        ["child", 5, {"ok": True}],
    ]
    turns = [Turn(began + timedelta(minutes=number), [event]) for number, event in enumerate(events)]
    history = History("toy", "example", "toy-1", turns)
    fill_in(history, toy)
    return history


def renamed(ctx: OrchestrationContext, data: dict[str, Any]) -> Steps:
    yield ctx.call_entity(DISPATCHER, "claim", data)
    yield ctx.call_activity("halt", input=data)


def reordered(ctx: OrchestrationContext, data: dict[str, Any]) -> Steps:
    yield ctx.call_entity(DISPATCHER, "claim", data)
    ctx.signal_entity(DISPATCHER, "step", data)
    yield ctx.call_activity("stop", input=data)


def one_more_call(ctx: OrchestrationContext, data: dict[str, Any]) -> Steps:
    yield ctx.call_entity(DISPATCHER, "claim", data)
    yield ctx.call_activity("stop", input=data)
    yield ctx.call_activity("publish", input=data)


def other_timer(ctx: OrchestrationContext, data: dict[str, Any]) -> Steps:
    yield ctx.call_entity(DISPATCHER, "claim", data)
    yield ctx.call_activity("stop", input=data)
    ctx.signal_entity(DISPATCHER, "step", data)
    yield ctx.create_timer(timedelta(seconds=60))


def other_operation(ctx: OrchestrationContext, data: dict[str, Any]) -> Steps:
    yield ctx.call_entity(DISPATCHER, "take", data)


def raises(ctx: OrchestrationContext, data: dict[str, Any]) -> Steps:
    yield ctx.call_entity(DISPATCHER, "claim", data)
    raise KeyError("new")


@pytest.mark.parametrize(
    ("changed", "turn", "ending"),
    [
        (renamed, 2, "requested activity stop (#2), now requests activity halt (#2)"),
        (reordered, 2, "requested activity stop (#2), now requests signal dispatcher.step (#2)"),
        (one_more_call, 3, "requested signal dispatcher.step (#3), now requests activity publish (#3)"),
        (other_timer, 3, "requested timer 30 (#4), now requests timer 60 (#4)"),
        (other_operation, 1, "requested call dispatcher.claim (#1), now requests call dispatcher.take (#1)"),
        (raises, 2, "requested activity stop (#2), now requests end failed builtins.KeyError: 'new' (#2)"),
    ],
)
def test_a_change_that_would_break_what_is_under_way_is_named(changed: Orchestrator, turn: int, ending: str) -> None:
    """For a changed name, order, call or timer the message has orchestration, story, turn, event and both requests."""
    history = history_of_toy()
    assert differences(history, toy) == []
    found = differences(history, changed)
    assert found[0].startswith(f"toy, story 'example', turn {turn} (")
    assert found[0].endswith(ending), found


def test_the_input_of_an_activity_may_change() -> None:
    """Another input of the same activity is no difference: the engine stores the input at the first request."""

    def more_input(ctx: OrchestrationContext, data: dict[str, Any]) -> Steps:
        return (yield from toy(ctx, {**data, "more": True}))

    assert differences(history_of_toy(), more_input) == []


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.file.stem)
def test_a_changed_action_in_a_history_is_found(history: History) -> None:
    """One changed action in the middle of any stored history is found at its turn."""
    number = len(history.turns) // 2
    altered = deepcopy(history)
    action = next((one for turn in altered.turns[number:] for one in turn.actions), None)
    assert action is not None
    action[2] = f"{action[2]}-as-it-was" if action[1] != "timer" else action[2] + 1
    found = differences(altered, ORCHESTRATORS[history.orchestration])
    assert found
    assert f"{history.orchestration}, story '{history.story}', turn" in found[0]
