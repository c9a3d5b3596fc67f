"""The entity `inbox`: receives the hints of events and sweeps, and hands them to the dispatcher.

Decides nothing itself. Its operations never raise; see `inbox_operations.apply`.
"""

from __future__ import annotations

import logging
from typing import Any

from durabletask.entities import EntityContext, EntityInstanceId

from refresh.dispatcher.inbox_operations import apply
from refresh.domain.terms.encodable import encodable
from refresh.records import durable_names
from refresh.records.durable_names import Operation
from refresh.records.inbox_state import InboxState

_log = logging.getLogger(__name__)
_DISPATCHER = EntityInstanceId(durable_names.DISPATCHER, durable_names.DISPATCHER_KEY)


def inbox(ctx: EntityContext, data: Any = None) -> None:
    """Do one operation, and send the dispatcher the next hints when it is ready for them."""
    before = InboxState(ctx.get_state(None, None))
    done = apply(before, ctx.operation, data)
    for line in done.lines:
        _log.error(encodable(line))
    if done.parcel is not None:
        ctx.signal_entity(_DISPATCHER, Operation.HINT, done.parcel)
    if done.state.json != before.json:
        ctx.set_state(done.state.json)
