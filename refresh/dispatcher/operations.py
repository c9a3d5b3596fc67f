"""The operations of the dispatcher, each a pure function of its state.

Decides what an input that cannot be read does: it is kept under `bad` and changes nothing else. Does not know Durable:
the entity (`dispatcher.py`) reads the state, calls `apply`, starts orchestrations and stores the new state. Every
operation can be executed twice with the same result, because the batch of an entity may be: its actions sent, its state
lost, run again. Every operation may also arrive twice, and after later ones: the newer one counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from refresh.dispatcher import broken_vms, claims, looks, queue, recovery, selfcheck, spills, switch
from refresh.dispatcher.effects import Effects
from refresh.domain.terms.encodable import encodable
from refresh.records.dispatcher_state import BadOperation, DispatcherState
from refresh.records.durable_names import Operation

_OPERATIONS: Mapping[str, Callable[[Effects, Mapping[str, Any]], None]] = {
    Operation.HINT: looks.hint,
    Operation.TAKE: looks.take,
    Operation.DECIDED: queue.decided,
    Operation.CLAIM: claims.claim,
    Operation.STEP: claims.step,
    Operation.FINISHED: claims.finished,
    Operation.REJECT: claims.reject,
    Operation.PAUSE: switch.pause,
    Operation.RESUME: switch.resume,
    Operation.RECOVER: recovery.recover,
    Operation.PROBE: selfcheck.probe,
    Operation.SELFCHECKED: selfcheck.selfchecked,
    Operation.KEPT: spills.kept,
}
OPERATIONS: Iterable[str] = tuple(_OPERATIONS)


def apply(before: DispatcherState, operation: str, data: Any, package: str | None = None) -> Effects:
    """Do one operation on a copy of `before`. Never raises.

    `package` is the fingerprint of the running code: a deployment counts from its first operation on.
    """
    stored = {**before.json, **({"package": package} if package else {})}
    effects = Effects(DispatcherState(stored))
    handler = _OPERATIONS.get(operation)
    try:
        if handler is None:
            raise ValueError("there is no such operation")
        if not isinstance(data, Mapping):
            raise TypeError(f"the input is {type(data).__name__}, not an object")
        handler(effects, data)
    except Exception as error:  # an operation that raises would silently lose its state and actions
        effects = Effects(DispatcherState(stored))
        why = encodable(f"{type(error).__name__}: {error}"[:200])
        broken_vms.keep_bad(effects.state, BadOperation(operation=operation[:40], why=why))
        effects.lines.append(f"dispatcher could not read operation {operation[:40]!r}: {why}")
    return effects
