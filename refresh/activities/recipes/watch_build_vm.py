"""Activity: reads once whether the build VM has powered itself off, and then whether its serial log has the marker."""

from __future__ import annotations

from typing import Any

from refresh import wiring
from refresh.domain.recipes import temporary_group
from refresh.domain.recipes.build_watch import judge_log, judge_powered_off, tail_of
from refresh.domain.terms import times
from refresh.domain.terms.verdict import Move
from refresh.gateways.errors import GatewayError
from refresh.gateways.gateways import Gateways
from refresh.reading.recipes.stage_calls import read_machine, retry_briefly, run_stage
from refresh.records.recipes import Stage, StageState, TemporaryGroup


async def watch_build_vm(data: dict[str, Any]) -> dict[str, Any]:
    """`TemporaryGroup` to `Stage`: done when the machine is off and its serial log has the marker.

    A failure has the end of the serial log. Time counts from `since`, by ARM's clock.
    """
    gateways, group = wiring.gateways(), TemporaryGroup.from_json(data)
    return (await run_stage(lambda: _watch(gateways, group), "the build VM")).to_json()


async def _watch(gateways: Gateways, group: TemporaryGroup) -> Stage:
    vm = temporary_group.vm_id(group.group)
    machine = await read_machine(gateways, vm)
    waited_s = times.seconds_between(group.since, machine.read_at if machine else None) or 0.0
    standing = judge_powered_off(machine, waited_s, group.timeout_s)
    if standing.move is Move.WAIT:
        return Stage(StageState.WAITING, standing.reason, standing.message)
    log = await _read_log(gateways, vm)
    if standing.move is Move.DONE:
        standing = judge_log(log)
    if standing.move is Move.DONE:
        return Stage(StageState.DONE)
    return Stage(StageState.FAILED, standing.reason, standing.message, tail_of(log))


async def _read_log(gateways: Gateways, vm: str) -> str | None:
    try:
        return await retry_briefly(lambda: gateways.guests.read_boot_log(vm))
    except GatewayError:
        return None
