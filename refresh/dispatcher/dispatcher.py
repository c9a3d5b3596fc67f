"""The one durable entity of the app: it keeps the book (`ledger`) and starts what the book says.

Decides nothing itself. Its operations never raise; see `ledger.apply`.
"""

from __future__ import annotations

import logging
from typing import Any

from durabletask.entities import EntityContext

from refresh.dispatcher.operations import apply
from refresh.package import fingerprint

_log = logging.getLogger(__name__)


def dispatcher(ctx: EntityContext, data: Any = None) -> Any:
    """Do one operation on the book and start what it asks for; answers what the operation answers."""
    turn = apply(ctx.get_state(None, None), ctx.operation, data, fingerprint())
    for line in turn.lines:
        _log.info(line)
    for line in turn.loud:
        _log.error(line)
    for name, instance_id, payload in turn.starts:
        ctx.schedule_new_orchestration(name, payload, instance_id=instance_id)
    ctx.set_state(turn.state)
    return turn.answer
