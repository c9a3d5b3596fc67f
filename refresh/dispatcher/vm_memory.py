"""The entity `vm_memory`: what is known about VMs that were not swapped lately, moved here by the dispatcher.

Decides what counts of two messages about a VM: the one with the higher number. Each may come again, and after a later
one. Its operations never raise; what cannot be read is logged, changes nothing and is not answered, so that it stays in
the dispatcher's state.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from durabletask.entities import EntityContext, EntityInstanceId

from refresh.domain.terms.encodable import encodable
from refresh.records import durable_names
from refresh.records.durable_names import Operation, VmMemoryOperation
from refresh.records.rows import given
from refresh.records.vm_memory import MemoryRow, RefusedRow, VmMemory, merge_ran

# 128,000 VMs in all.
KEEP_VMS = 500

_log = logging.getLogger(__name__)


def vm_memory(ctx: EntityContext, data: Any = None) -> None:
    """Do one operation; answer the dispatcher by a signal that the contents of a message are here."""
    stored = ctx.get_state(None, None)
    try:
        state = VmMemory(stored)
        answer = _OPERATIONS[ctx.operation](state, data)
    except Exception as error:  # an operation that raises would lose its batch
        why = encodable(f"{type(error).__name__}: {error}"[:200])
        _log.error("%s could not read operation %.40r: %s", durable_names.VM_MEMORY, ctx.operation, why)
        return
    if answer is not None:
        dispatcher = EntityInstanceId(durable_names.DISPATCHER, durable_names.DISPATCHER_KEY)
        ctx.signal_entity(dispatcher, Operation.KEPT, answer)
    if state.json != stored:
        ctx.set_state(state.json)


def keep(state: VmMemory, data: Mapping[str, Any]) -> dict[str, Any]:
    """Add what message `n` has about `vms` (by hash); the answer for the dispatcher."""
    n = int(data["n"])
    for vm_hash, contents in data["vms"].items():
        new, old = MemoryRow.from_json({**contents, "n": n}), state.vms.get(vm_hash) or MemoryRow()
        if n <= old.n:
            continue
        row = old.updated(new).replace(ran=merge_ran(old.ran, new.ran))
        if new.unproven is not None:
            row = row.replace(noted=n) if n > old.settled else row.without("unproven")
        _store(state, vm_hash, row)
    return {"n": n, "vms": list(data["vms"]), "at": data.get("at")}


def settle(state: VmMemory, data: Mapping[str, Any]) -> None:
    """Remove the note that the disk of `vm` (a hash) is not proved, also one of an earlier message that is late."""
    n, old = int(data["n"]), state.vms.get(data["vm"]) or MemoryRow()
    if n > old.settled:
        row = old if old.noted > n else old.without("unproven")
        _store(state, data["vm"], row.replace(settled=n))


def announce(state: VmMemory, data: Mapping[str, Any]) -> None:
    """Note what has been announced about `vm` (a hash), as `told` or `refused`; null removes it."""
    n, row = int(data["n"]), state.vms.get(data["vm"]) or MemoryRow()
    if "told" in data and n > row.told_n:
        row = row.without("told").replace(told_n=n, **given(told=data["told"]))
    if "refused" in data and n > row.refused_n:
        refused = RefusedRow.from_json(dict(data["refused"])) if data["refused"] else None
        row = row.without("refused").replace(refused_n=n, **given(refused=refused))
    _store(state, data["vm"], row)


def _store(state: VmMemory, vm_hash: str, row: MemoryRow) -> None:
    state.vms.pop(vm_hash, None)
    state.vms[vm_hash] = row
    while len(state.vms) > KEEP_VMS:
        del state.vms[next(iter(state.vms))]


_OPERATIONS: Mapping[str, Callable[[VmMemory, Mapping[str, Any]], dict[str, Any] | None]] = {
    VmMemoryOperation.KEEP: keep,
    VmMemoryOperation.SETTLE: settle,
    VmMemoryOperation.ANNOUNCE: announce,
}
