"""What the activities of a build share: how they wait, how they fail, and when they are too late.

Decides which of Azure's errors can be retried. Does not know which call was made.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from refresh.domain.azure.polls import STAGE_CALL_BUDGET_S
from refresh.domain.azure.refusals import describe_refusal
from refresh.domain.recipes.build_watch import Machine
from refresh.domain.terms.month_reason import MonthReason
from refresh.gateways.errors import GatewayError, NotFound, Unavailable
from refresh.gateways.gateways import Gateways
from refresh.reading.calls import late_activity
from refresh.reading.calls.retrying import retry_until_answered
from refresh.records.recipes import Stage, StageState, TemporaryGroup

_CONFLICTS = frozenset({"Conflict", "AnotherOperationInProgress", "OperationNotAllowedOnDeletingResource"})


async def run_stage(work: Callable[[], Awaitable[Stage]], what: str) -> Stage:
    """The stage that `work` returns; an unavailable Azure makes it `waiting`, a refusal makes it `failed`."""
    try:
        return await work()
    except Unavailable as error:
        return Stage(StageState.WAITING, MonthReason.NOT_READ, f"{what}: {error}"[:300])
    except GatewayError as error:
        if error.code in _CONFLICTS:
            return Stage(StageState.WAITING, MonthReason.AZURE_SAID_NO, f"{what}: {error}"[:300])
        why = describe_refusal(error.code, error.message)
        return Stage(StageState.FAILED, MonthReason.AZURE_SAID_NO, f"{what}: {why}"[:300])


async def retry_briefly[T](call: Callable[[], Awaitable[T]]) -> T:
    """Call until Azure answers, for at most half a minute."""
    return await retry_until_answered(call, budget_s=STAGE_CALL_BUDGET_S)


async def read_machine(gateways: Gateways, vm: str) -> Machine | None:
    """The VM, None when there is none."""
    try:
        return await retry_briefly(lambda: gateways.temporary_groups.read_machine(vm))
    except NotFound:
        return None


async def is_too_late(gateways: Gateways, group: TemporaryGroup) -> bool:
    """Whether this activity runs too late: its group can be deleted already and must not be made again."""
    return late_activity.is_late(group.asked_at, await retry_briefly(gateways.clock.now))


LATE = Stage(StageState.WAITING, MonthReason.NOT_READ, late_activity.TOO_LATE)
