"""Activity: writes into `OsDiskName` the disk that each VM ran before its last swap.

The name of the disk is written, never `@previous`: a request or an activity that comes twice then names the same disk.
"""

from __future__ import annotations

import asyncio
from typing import Any

from refresh import wiring
from refresh.domain.azure.polls import TAG_WRITE_BUDGET_S
from refresh.domain.azure.refusals import describe_refusal
from refresh.domain.swap.decision import Refuse, Skip
from refresh.domain.swap.way_back import Given
from refresh.domain.terms import resource_id, tags, times
from refresh.domain.terms.decision_kind import DecisionKind
from refresh.domain.terms.swap_reason import Reason
from refresh.gateways.errors import GatewayError
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.retrying import retry_until_answered
from refresh.reading.dispatcher_state import read_dispatcher_state
from refresh.reading.swap.unforeseen import refuse_unforeseen
from refresh.reading.swap.ways_back import WayBack, WayBackReader
from refresh.reading.vm_memory import read_vm_memory
from refresh.records.dispatcher_state import DispatcherState
from refresh.records.swap import OutcomeStatus

WRITES_AT_ONCE = 4


async def write_ways_back(data: dict[str, Any], client: Any) -> dict[str, Any]:
    """Write the tag of up to 50 VMs; `{"rows"}` has one for each VM whose tag does not name its way back then.

    `given` has, by lower-case VM id, the disks before and after the run that is taken back. `since` is when the run
    began. `client` is the durable client that the host binds.
    """
    gateways, at_once = wiring.gateways(), asyncio.Semaphore(WRITES_AT_ONCE)
    state = await read_dispatcher_state(client)
    reader = WayBackReader(gateways, wiring.settings(), state, await read_vm_memory(client, data["vms"]))
    given = {vm: Given(*disks) for vm, disks in (data.get("given") or {}).items()}

    async def write(vm_id: str) -> dict[str, Any] | None:
        async with at_once:
            try:
                way = await reader.read(vm_id, given.get(vm_id.lower()), force=bool(data.get("force")))
                reason = way.reason
                if reason is None:
                    await _write(gateways, reader, way)
            except GatewayError as error:
                why = describe_refusal(error.code, error.message)
                reason = Refuse(Reason.TAGS_NOT_WRITTEN, f"its tag could not be written: {why}"[:200])
            except Exception as error:  # one VM must not fail the rollback of the others
                reason = refuse_unforeseen(vm_id, error)
        if reason is None or _went_back(state, vm_id, reason, data.get("since")):
            return None
        return row_of(vm_id, reason)

    rows = await asyncio.gather(*(write(vm_id) for vm_id in data["vms"]))
    return {"rows": [row for row in rows if row is not None]}


async def _write(gateways: Gateways, reader: WayBackReader, way: WayBack) -> None:
    if way.vm is None or way.named:
        return
    wish = {tags.OS_DISK_NAME: reader.text_of(way)}
    vm_id = way.vm.id
    await retry_until_answered(lambda: gateways.tags.merge_tags(vm_id, wish), budget_s=TAG_WRITE_BUDGET_S)


def _went_back(state: DispatcherState, vm_id: str, reason: Skip | Refuse, since: str | None) -> bool:
    """Whether this run itself has had the VM swapped back: its activity runs once more when its worker died."""
    if reason.reason is not Reason.ALREADY_BACK or since is None:
        return False
    ended = (one for one in state.finished if resource_id.same(one.vm, vm_id))
    return any(times.not_before(one.ended, since) for one in ended)


def row_of(vm_id: str, reason: Skip | Refuse) -> dict[str, Any]:
    """The row of a VM that is not rolled back."""
    skipped = isinstance(reason, Skip)
    decision = DecisionKind.SKIP if skipped else DecisionKind.REFUSE
    status = OutcomeStatus.SKIPPED if skipped else OutcomeStatus.REFUSED
    row = {"vm": vm_id, "decision": str(decision), "status": str(status), "reason": str(reason.reason)}
    return {**row, "message": reason.message[:200]}
