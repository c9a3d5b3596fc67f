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
from refresh.reading.past_outcomes import read_past_outcomes
from refresh.reading.swap.unforeseen import refuse_unforeseen
from refresh.reading.swap.ways_back import WayBack, WayBackReader
from refresh.reading.vm_memory import read_vm_memory
from refresh.records.dispatcher_state import DispatcherState
from refresh.records.swap import OutcomeStatus

WRITES_AT_ONCE = 4
_PUT_IN = (OutcomeStatus.SUCCEEDED, OutcomeStatus.NOT_PROVEN)


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
                reason = await _judge_again(way, state, data.get("since"), client)
                if reason is None and way.reason is None:
                    await _write(gateways, reader, way)
            except GatewayError as error:
                why = describe_refusal(error.code, error.message)
                reason = Refuse(Reason.TAGS_NOT_WRITTEN, f"its tag could not be written: {why}"[:200])
            except Exception as error:  # one VM must not fail the rollback of the others
                reason = refuse_unforeseen(vm_id, error)
        return None if reason is None else row_of(vm_id, reason)

    rows = await asyncio.gather(*(write(vm_id) for vm_id in data["vms"]))
    return {"rows": [row for row in rows if row is not None]}


async def _write(gateways: Gateways, reader: WayBackReader, way: WayBack) -> None:
    if way.vm is None or way.named:
        return
    wish = {tags.OS_DISK_NAME: reader.text_of(way)}
    vm_id = way.vm.id
    await retry_until_answered(lambda: gateways.tags.merge_tags(vm_id, wish), budget_s=TAG_WRITE_BUDGET_S)


async def _judge_again(way: WayBack, state: DispatcherState, since: str | None, client: Any) -> Skip | Refuse | None:
    """Why a VM is not rolled back, when swaps since the beginning of the run count as well.

    The activity runs once more when its worker died, and it may be late: then the VM is back by this very run, or was
    swapped anew, which must not be undone.
    """
    reason = way.reason
    if since is None or (reason is not None and reason.reason is not Reason.ALREADY_BACK):
        return reason
    known = (*state.finished, *(await read_past_outcomes(client, [way.vm_id])))
    was_swapped = any(
        resource_id.same(one.vm, way.vm_id) and one.status in _PUT_IN and times.not_before(one.ended, since)
        for one in known
    )
    if reason is not None:
        return None if was_swapped else reason
    return Skip(Reason.SWAP_PENDING, "was swapped after this rollback had begun: ask again") if was_swapped else None


def row_of(vm_id: str, reason: Skip | Refuse) -> dict[str, Any]:
    """The row of a VM that is not rolled back."""
    skipped = isinstance(reason, Skip)
    decision = DecisionKind.SKIP if skipped else DecisionKind.REFUSE
    status = OutcomeStatus.SKIPPED if skipped else OutcomeStatus.REFUSED
    row = {"vm": vm_id, "decision": str(decision), "status": str(status), "reason": str(reason.reason)}
    return {**row, "message": reason.message[:200]}
