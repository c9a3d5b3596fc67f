"""The dispatcher's state and the entities `vm_memory`, with messages between them that come twice, late and reordered.

Decides which of the state's tables change and what the true contents are. Leaves the order to the tests.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from refresh.dispatcher.effects import Signal
from refresh.dispatcher.vm_memory import fulfill, keep, settle
from refresh.domain.terms.resource_id import id_hash
from refresh.domain.vm.facts import disk_key
from refresh.records.dispatcher_state import DispatcherState
from refresh.records.durable_names import VM_MEMORY, vm_key
from refresh.records.fulfilled import read_keys
from refresh.records.swap import Intent, Outcome, OutcomeStatus
from refresh.records.vm_memory import KnownVms, VmMemory, merge_ran
from tests.support.worlds.builders import GROUP, disk_id
from tests.support.worlds.dispatcher import Json, apply

_BEGIN = datetime(2026, 11, 21, tzinfo=UTC)
type Message = tuple[str, str, str, Json]


def vm_id(number: int) -> str:
    """The id of VM `number`."""
    return f"{GROUP}/providers/Microsoft.Compute/virtualMachines/web{number:05}"


def known(state: Json, memories: dict[str, Json]) -> tuple[KnownVms, Json]:
    """What a reader finds that reads the state first, and the state with everything put back."""
    rows = {vm: row for stored in memories.values() for vm, row in VmMemory(stored).vms.items()}
    found = KnownVms(rows)
    return found, found.put_back(DispatcherState(state)).json


@dataclass
class MemorySimulation:
    """The state, the entities by key, the pending and the delivered messages, and the truth about every VM."""

    state: Json = field(default_factory=dict)
    memories: dict[str, Json] = field(default_factory=dict)
    pending: list[Message] = field(default_factory=list)
    sent: list[Message] = field(default_factory=list)
    ran: dict[str, tuple[str, ...]] = field(default_factory=dict)
    proved: dict[str, str] = field(default_factory=dict)
    unproven: dict[str, str] = field(default_factory=dict)
    fulfilled: dict[str, str] = field(default_factory=dict)
    now_s: float = 0.0
    disks: int = 0

    def at(self, after_s: float = 1.0) -> str:
        """A later time."""
        self.now_s += after_s
        return (_BEGIN + timedelta(seconds=self.now_s)).isoformat()

    def swap(self, number: int, ends: str) -> None:
        """A whole swap of a VM: it is `proved`, `stopped` (nothing proved), or `refused` after its intent."""
        vm, n = vm_id(number), self.state.get("seq", 0) + 1
        self.disks += 1
        old, new = disk_id(f"old-{self.disks}"), disk_id(f"new-{self.disks}")
        was_running = ends != "stopped"
        running = {**self.state.get("running", {}), vm.lower(): {"id": vm, "n": n, "claimed": True}}
        self.state = {**self.state, "seq": n, "running": running}
        intent = Intent(f"swap-{id_hash(vm)}-{n}", was_running, old, new).to_json()
        self._apply("step", {"vm": vm, "n": n, "step": "intent", "intent": intent, "at": self.at()})
        key = id_hash(vm)
        self.ran[key] = merge_ran(self.ran.get(key, ()), (id_hash(old),))
        status, reason = {
            "proved": (OutcomeStatus.SUCCEEDED, "verified"),
            "stopped": (OutcomeStatus.NOT_PROVEN, "was-not-running"),
            "refused": (OutcomeStatus.REFUSED, "tags-not-written"),
        }[ends]
        outcome = Outcome(vm, intent["run"], status, reason, "m", old, new, ended=self.at())
        self._apply("finished", {"vm": vm, "n": n, "outcome": outcome.to_json(), "at": self.at()})
        if ends != "refused":
            self.ran[key] = merge_ran(self.ran[key], (id_hash(new),))
            self.unproven.pop(vm.lower(), None)
            self.fulfilled[vm] = new
        if ends == "proved":
            self.proved[key] = id_hash(new)
        if ends == "stopped":
            self.unproven[vm.lower()] = new

    def sweep(self, after_s: float = 300.0) -> None:
        """A sweep that finds nothing."""
        self._apply("recover", {"at": self.at(after_s)})
        self.state = {key: value for key, value in self.state.items() if key not in ("hints", "look")}

    def deliver(self, message: Message) -> None:
        """Deliver a message, for the first time or again."""
        if message in self.pending:
            self.pending.remove(message)
            self.sent.append(message)
        entity, key, operation, data = message
        if entity != VM_MEMORY:
            self._apply(operation, data)
            return
        memory = VmMemory(self.memories.get(key))
        if operation == "keep":
            self.pending.append(("dispatcher", "app", "kept", keep(memory, data)))
        elif operation == "fulfill":
            fulfill(memory, data)
        else:
            settle(memory, data)
        self.memories = {**self.memories, key: memory.json}

    def drain(self) -> None:
        """Deliver everything that is pending, in order."""
        while self.pending:
            self.deliver(self.pending[0])

    def whole(self) -> Json:
        """The state as readers see it who read all."""
        return known(self.state, self.memories)[1]

    def check(self) -> None:
        """Nothing that is known of a VM is lost or newer than it was; what retention needs is there."""
        memory, whole = known(self.state, self.memories)
        for key, disks in self.ran.items():
            own = tuple(self.state.get("ran", {}).get(key, ()))
            row = memory.rows.get(key)
            assert merge_ran(row.ran if row is not None else (), own) == disks, (own, row)
            assert set(disks) <= set(whole["ran"][key])
        assert whole.get("proved", {}) == self.proved
        assert not self.state.get("bad"), self.state["bad"]

    def check_notes(self) -> None:
        """Exactly the VMs that are not proved have a note, once no message is under way."""
        notes = {vm: row["intent"]["new_disk"] for vm, row in self.whole().get("unproven", {}).items()}
        assert notes == self.unproven

    def check_fulfilled(self) -> None:
        """The disk of each last fulfilled tag is found, once no message is under way, and the state has few of them."""
        memory, own = known(self.state, self.memories)[0], self.state.get("fulfilled", {})
        found = {vm: memory.fulfilled_of(vm, own.get(id_hash(vm))) for vm in self.fulfilled}
        assert {vm: (row or {}).get("disk") for vm, row in found.items()} == {
            vm: disk_key(None, disk) for vm, disk in self.fulfilled.items()
        }
        assert len(own) <= 20
        keys = {vm_key(id_hash(vm)) for vm in self.fulfilled}
        assert set(read_keys(self.state.get("filled", ""))) == keys

    def misses_no_note(self) -> None:
        """At any time a note may be left that is about to be removed, and none is missing."""
        notes = {vm: row["intent"]["new_disk"] for vm, row in self.whole().get("unproven", {}).items()}
        assert {vm: notes.get(vm) for vm in self.unproven} == self.unproven

    def _apply(self, operation: str, data: Any) -> None:
        played = apply(self.state, operation, data)
        self.state = played.state
        self.pending += [_message(one) for one in played.signals if one.entity == VM_MEMORY]


def _message(signal: Signal) -> Message:
    return signal.entity, signal.key, str(signal.operation), signal.data


def random_actions(play: MemorySimulation, chance: Random, count: int, vms: int) -> None:
    """Swaps, sweeps and deliveries in a random order; the check after each."""
    for _ in range(count):
        dice = chance.random()
        if dice < 0.45:
            play.swap(chance.randrange(vms), chance.choice(("proved", "proved", "stopped", "stopped", "refused")))
        elif dice < 0.55:
            play.sweep(chance.choice((10.0, 200.0, 4000.0)))
        elif dice < 0.9 and play.pending:
            play.deliver(play.pending[0] if chance.random() < 0.6 else chance.choice(play.pending))
        elif play.sent:
            play.deliver(chance.choice(play.sent))
        play.check()
        play.misses_no_note()
