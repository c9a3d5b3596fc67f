"""The dispatcher's book: hints, queue, running swaps, rejections, pause; each operation a pure function of it.

Decides what one operation does to the state and what is to be started. Does not know Durable: the entity
(`dispatcher`) reads the state, calls `apply`, starts what it says and stores what it returns. Every operation can be
executed twice with the same result, because an entity's batch may be: actions sent, state lost, run again. Every
operation may also arrive twice, and after later ones: what is known to be newer stands.

State, all plain JSON, small (it is rewritten by every signal); VMs are keyed by their lower-case id:

    seq      number of the last swap or look started; never reused
    hints    vm -> {id, force?, reply_to?, swept?}   VMs to look at; swept: hinted at by that sweep alone
    look     {id, since, batch, taken: hints, each with its batch} | absent      the look that is open
    queue    vm -> {id, wanted?, since, force?, reply_to?, group?, intent?, step?, proves_since?, urgent?}
    running  vm -> {id, n, since, claimed?, intent?, tags?, step?, attention?, attention_reason?, force?,
             reply_to?, group?, again?, missing?, urgent?, step_n?, step_at?}
    down     vm -> {id, group?}                      VMs that a swap could not bring up again
    unproven vm -> {id, intent, at}                  VMs swapped while they did not run; the newest 500
    rejected [{vm, names, at}]                       newest last; names are disk and version ids, lower-case
    ran      vm hash -> [disk hash]                  disks a VM is known to have run, newest last
    proved   vm hash -> disk hash                    the last disk a VM was proved healthy on
    said     vm hash -> hash                         the last decision told for a VM, so that it is told once
    finished [outcome]                               the last 50
    selfcheck {package, bundle, ok, run, began, at, checks} how the last self-check ended
    switch   {at, ids}                               the last pause or resume, and which signals were seen
    swept    at                                      the last sweep
    events   {seen?, since?, sweeps?, vms?, told?}   the last event, and edits that the sweep alone found since
    forced   [hash]                                  the last 200 signals with force
    package  fingerprint of the code that did the last operation
    paused, budgets, bad
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from typing import Any

from refresh.dispatcher import claims, looks, queue, selfcheck
from refresh.dispatcher.effects import Json, Turn
from refresh.dispatcher.looks import KEEP_BAD

_OPERATIONS: Mapping[str, Callable[[Turn, Mapping[str, Any]], None]] = {
    "hint": looks.hint,
    "take": looks.take,
    "decided": queue.decided,
    "claim": claims.claim,
    "step": claims.step,
    "finished": claims.finished,
    "reject": claims.reject,
    "pause": queue.pause,
    "resume": queue.resume,
    "recover": claims.recover,
    "probe": selfcheck.probe,
    "selfchecked": selfcheck.selfchecked,
}
OPERATIONS: Iterable[str] = tuple(_OPERATIONS)


def apply(state: Json | None, operation: str, data: Any, package: str | None = None) -> Turn:
    """Do one operation. Never raises: what cannot be read is kept under `bad` and changes nothing else.

    `package` is the fingerprint of the code that does it: a deployment counts from its first operation on.
    """
    before = {**(state or {}), **({"package": package} if package else {})}
    handler = _OPERATIONS.get(operation)
    turn = Turn(deepcopy(before))
    try:
        if handler is None:
            raise ValueError("there is no such operation")
        if not isinstance(data, Mapping):
            raise TypeError(f"the input is {type(data).__name__}, not an object")
        handler(turn, data)
    except Exception as error:  # an operation that raises would silently lose its state and actions
        turn = Turn(deepcopy(before))
        why = f"{type(error).__name__}: {error}"[:200]
        turn.state["bad"] = [*before.get("bad", []), {"operation": operation[:40], "why": why}][-KEEP_BAD:]
        turn.lines.append(f"dispatcher could not read operation {operation[:40]!r}: {why}")
    return turn
