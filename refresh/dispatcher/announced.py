"""What has been logged and published about VMs, so that each notice is given once.

Decides when a decision or an outcome is news. The state has the last decisions of the whole fleet (`said`); the
refusals, which every sweep finds again, are in `vm_memory` for each VM: `told` is the last one that a look has logged,
`refused` the last one that only a write to Azure has found. See `records.dispatcher_state` for the state.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from refresh.dispatcher.effects import Effects, Signal
from refresh.domain.terms import resource_id
from refresh.domain.terms.decision_kind import DecisionKind
from refresh.domain.terms.swap_reason import Reason
from refresh.records import durable_names
from refresh.records.dispatcher_state import Decided, DispatcherState
from refresh.records.durable_names import VmMemoryOperation
from refresh.records.swap import Outcome

KEEP_SAID = 100
# They pass by themselves, and the refusal that was logged before them still holds.
_PASSING = (Reason.UNREADABLE, Reason.VM_BUSY, Reason.APP_FAILED)


def is_news(state: DispatcherState, row: Decided) -> bool:
    """Whether a decision differs from the last one for its VM; False for a VM without one when the limit is reached."""
    last = state.said.get(resource_id.id_hash(row.vm))
    return last != _hash_of(row) if last is not None else len(state.said) < KEEP_SAID


def log_once(effects: Effects, vm: str, row: Decided) -> None:
    """Log a decision, and a swap of which there is no record, unless that has been logged before."""
    logged = effects.state.said
    key, decision = resource_id.id_hash(vm), _hash_of(row)
    notice = _notice_of(effects.state, vm, row)
    is_told = (notice is not None and notice == row.told) or row.retried
    if logged.pop(key, None) != decision and not is_told:
        effects.lines.append(f"{row.decision} {row.vm}: {row.reason}: {row.message}")
    logged[key] = decision
    while len(logged) > KEEP_SAID:
        del logged[next(iter(logged))]
    if row.lost and vm not in effects.state.running and not is_told:
        effects.loud.append(f"lost {row.vm}: {row.lost}")
    if notice != row.told and row.reason not in _PASSING:
        _send(effects, key, told=notice)
    if row.outdated:
        _send(effects, key, refused=None)


def note_outcome(effects: Effects, outcome: Outcome, data: Mapping[str, Any]) -> None:
    """Have `vm_memory` remember or forget a refusal that the swap itself has found; see `Attempt.notice`."""
    key = resource_id.id_hash(outcome.vm)
    if data.get("cured"):
        _send(effects, key, refused=None)
    elif data.get("about") and not data.get("repeated"):
        _send(effects, key, refused={"reason": outcome.reason, "about": data["about"]})


def _notice_of(state: DispatcherState, vm: str, row: Decided) -> str | None:
    """What every sweep would log again about the VM."""
    refusal = _hash_of(row) if row.decision == DecisionKind.REFUSE else ""
    lost = row.lost if row.lost and vm not in state.running else ""
    return resource_id.id_hash(f"{refusal} {lost}")[:8] if refusal or lost else None


def _hash_of(row: Decided) -> str:
    return resource_id.id_hash(f"{row.decision} {row.reason} {row.wanted}")[:8]


def _send(effects: Effects, vm_hash: str, **notes: Any) -> None:
    data = {"n": effects.state.next_spill(), "vm": vm_hash, **notes}
    key = durable_names.vm_key(vm_hash)
    effects.signals.append(Signal(durable_names.VM_MEMORY, key, VmMemoryOperation.ANNOUNCE, data))
