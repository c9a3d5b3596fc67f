"""Fires timer triggers when their schedule is due on the simulator's clock.

Decides when a timer fires. Does not know what its function does. As in Azure, runs of one timer never overlap, and
occurrences missed during a run, or because the clock was moved, are replaced by one run.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterable, Mapping
from datetime import datetime

from simulator.clock import Clock
from simulator.durable import FunctionFailed
from simulator.functions.indexing import IndexedFunction
from simulator.functions.invocation import Invoker
from simulator.functions.ncrontab import BadSchedule, NeverDue, Schedule
from simulator.functions.protos import TypedData
from simulator.functions.settings import UnknownSetting, resolve

_log = logging.getLogger(__name__)


class BadTimers(ValueError):
    """Timers that cannot be scheduled; the text names each function and its fault."""


def schedules(functions: Iterable[IndexedFunction], settings: Mapping[str, str]) -> dict[str, Schedule]:
    """The schedule of each timer function by name. BadTimers names every missing setting and every bad schedule."""
    found: dict[str, Schedule] = {}
    faults: list[str] = []
    for function in functions:
        if function.trigger["type"] == "timerTrigger":
            try:
                found[function.name] = Schedule.parse(resolve(function.trigger["schedule"], settings))
            except (UnknownSetting, BadSchedule) as fault:
                faults.append(f"{function.name}: {fault}")
    if faults:
        raise BadTimers("; ".join(faults))
    return found


def timer_value(last: datetime | None, due: datetime, *, past_due: bool) -> TypedData:
    """The value that a timer function receives."""
    status = {"Last": None if last is None else last.isoformat(), "Next": due.isoformat(), "LastUpdated": None}
    value = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": past_due}
    return TypedData(json=json.dumps(value))


async def run_timer(clock: Clock, invoker: Invoker, function: IndexedFunction, schedule: Schedule) -> None:
    """Fire `function` at every occurrence, until cancelled. Its exceptions are logged."""
    last: datetime | None = None
    if function.trigger.get("runOnStartup"):
        await fire(invoker, function, timer_value(None, clock.now(), past_due=False))
    while True:
        # After waking up a microsecond early, the same occurrence must not be found again.
        try:
            due = schedule.next_after(max(clock.now(), last or clock.now()))
        except NeverDue as idle:
            _log.warning("%s does not fire: %s", function.name, idle)
            return
        await asyncio.sleep((due - clock.now()).total_seconds())
        await fire(invoker, function, timer_value(last, due, past_due=False))
        last = due


async def fire(invoker: Invoker, function: IndexedFunction, value: TypedData) -> None:
    """Call a function, drop its result and log its exception."""
    try:
        await invoker.call(function, value)
    except FunctionFailed as failure:
        _log.error("%s failed: %s\n%s", function.name, failure, failure.stack_trace)
