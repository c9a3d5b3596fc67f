"""The entity `dispatcher`: reads its state, does an operation, starts orchestrations, stores the new state.

Decides nothing itself. Its operations never raise; see `operations.apply`.
"""

from __future__ import annotations

import logging
from typing import Any

from durabletask.entities import EntityContext, EntityInstanceId

from refresh.dispatcher.operations import apply
from refresh.domain.terms.encodable import encodable
from refresh.package import fingerprint
from refresh.records.dispatcher_state import DispatcherState

_log = logging.getLogger(__name__)


def dispatcher(ctx: EntityContext, data: Any = None) -> Any:
    """Do one operation, start the orchestrations it names, and return its answer."""
    before = DispatcherState(ctx.get_state(None, None))
    effects = apply(before, ctx.operation, data, fingerprint())
    for line in effects.lines:
        _log.info(encodable(line))
    for line in effects.loud:
        _log.error(encodable(line))
    for name, instance_id, payload in effects.starts:
        ctx.schedule_new_orchestration(name, payload, instance_id=instance_id)
    for signal in effects.signals:
        ctx.signal_entity(EntityInstanceId(signal.entity, signal.key), signal.operation, signal.data)
    if effects.state.json != before.json:
        ctx.set_state(effects.state.stored())
    return effects.answer
