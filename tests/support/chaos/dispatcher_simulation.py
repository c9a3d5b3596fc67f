"""Simulates the dispatcher with late, doubled and reordered messages between it, orchestrations, people and timers.

Looks and swaps send the same operations as their orchestrations: a call waits for the answer of its first delivery, a
signal does not. Decides which operations are sent and how a VM changes. Checks the invariants at every delivery. Leaves
the order of deliveries to `random_actions.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from refresh.records.durable_names import swap_id
from refresh.records.swap import Intent, Outcome, OutcomeStatus
from tests.support.worlds.builders import GROUP, disk_id
from tests.support.worlds.dispatcher import Json, apply

VMS = tuple(f"{GROUP}/providers/Microsoft.Compute/virtualMachines/web0{number}" for number in (1, 2))
SWEEP_S = 400
_BEGIN = datetime(2026, 11, 21, tzinfo=UTC)

# What an orchestration yields: a message whose answer it waits for, or None, so that other work can run.
type Run = Generator[Message | None, Any]


@dataclass
class Message:
    """One operation on its way to the dispatcher; `answer` is the answer of its first delivery."""

    operation: str
    data: Json
    delivered: int = 0
    answer: Any = None


@dataclass
class Vm:
    """A VM in Azure; `stops` counts its stops by the number of the edit that caused them."""

    id: str
    disk: str
    wish: str
    is_up: bool = True
    edit: int = 0
    stops: Counter[int] = field(default_factory=Counter)
    holder: str | None = None


class DispatcherSimulation:
    """The dispatcher state, the VMs, the running orchestrations and the pending messages."""

    def __init__(self) -> None:
        self.state: Json = {}
        self.now_s = 0
        self.vms = {vm: Vm(vm, disk_id(f"{vm[-1]}-0"), disk_id(f"{vm[-1]}-0")) for vm in VMS}
        self.bad: set[str] = set()
        self.pending: list[Message] = []
        self.sent: list[Message] = []
        self.runs: dict[str, tuple[Run, Message | None]] = {}
        self.started: list[tuple[str, str, Json]] = []
        self.ended: set[tuple[str, int]] = set()
        self.switched: str | None = None
        self.checked: str | None = None
        self.sweeps = 0

    # --- people and timers --------------------------------------------------------------------------------------

    def edit(self, vm_id: str, *, boots: bool, hinted: bool = True) -> None:
        """Write a new disk into the VM's tag; with `hinted` an event arrives."""
        vm = self.vms[vm_id]
        vm.edit += 1
        vm.wish = disk_id(f"{vm_id[-1]}-{vm.edit}")
        if not boots:
            self.bad.add(vm.wish)
        if hinted:
            self.send("hint", vms=[vm_id])

    def force(self, vm_id: str) -> None:
        """Repair the disk that was rejected last, and request it with `force`."""
        vm = self.vms[vm_id]
        rejected = [disk for disk in sorted(self.bad) if f"/{vm_id[-1]}-" in disk]
        if rejected and vm.wish == vm.disk:
            vm.edit += 1
            vm.wish = rejected[-1]
            self.bad.discard(vm.wish)
            self.send("hint", vms=[vm_id], force=True, reply_to=f"swaps-{self.now_s}")

    def switch(self, operation: str) -> None:
        """Pause or resume."""
        self.now_s += 60
        self.switched = operation
        self.send(operation, why="w", id=f"switch-{self.now_s}")

    def sweep(self) -> None:
        """Hint at VMs that differ from their tag, and report claims and looks without a running orchestration."""
        self.now_s += SWEEP_S
        self.sweeps += 1
        differing = [vm.id for vm in self.vms.values() if vm.wish != vm.disk or not vm.is_up]
        if differing:
            self.send("hint", vms=differing)
        running: Json = self.state.get("running", {})
        gone = [{"vm": vm, "n": row["n"]} for vm, row in running.items() if swap_id(vm, row["n"]) not in self.runs]
        look = (self.state.get("look") or {}).get("id")
        dead = {"look": look} if look and look not in self.runs else {}
        self.send("recover", gone=gone, **dead)

    def check(self, *, ok: bool) -> None:
        """End a self-check and send its result."""
        began = self.at()
        self.checked = began
        row = {"name": "timer", "ok": ok, "message": "m"}
        found = {"package": "p", "bundle": "b", "ok": ok, "run": began, "began": began, "checks": [row]}
        self.send("selfchecked", verdict=found)

    # --- messages -----------------------------------------------------------------------------------------------

    def at(self) -> str:
        """The current time as in operations' data; each call returns a later time."""
        self.now_s += 1
        return (_BEGIN + timedelta(seconds=self.now_s)).isoformat()

    def send(self, operation: str, **data: Any) -> Message:
        """Send an operation."""
        message = Message(operation, {**data, "at": self.at()})
        self.pending.append(message)
        return message

    def deliver(self, message: Message) -> None:
        """Deliver an operation, for the first time or again, and start the orchestrations that it starts."""
        self.at()
        before = self.state
        effects = apply(self.state, message.operation, message.data)
        self.state = effects.state
        message.delivered += 1
        if message.delivered == 1:
            message.answer = effects.answer
            self.sent.append(message)
        if message in self.pending:
            self.pending.remove(message)
        if message.delivered > 1 and message.operation not in ("hint", "take"):
            assert _lasting(before) == _lasting(self.state), f"{message.operation} changed the state twice"
            assert not effects.starts, f"{message.operation} started something twice"
        self.started += effects.starts
        self._check(before.get("running", {}))
        for start in effects.starts:
            self.start(start)

    def start(self, start: tuple[str, str, Json]) -> None:
        """Start an orchestration unless one with this id runs. One that ended starts again."""
        name, run, data = start
        if run in self.runs:
            return
        if name == "look":
            self.runs[run] = (self._look(data["look"]), None)
        elif name == "swap_vm":
            self.runs[run] = (self._swap(run, self.vms[data["vm"]], data["n"]), None)

    # --- orchestrations -----------------------------------------------------------------------------------------

    def ready(self) -> list[str]:
        """The orchestrations that can continue."""
        return [run for run, (_, call) in self.runs.items() if call is None or call.delivered]

    def step(self, run: str) -> None:
        """Run one turn of an orchestration."""
        steps, call = self.runs[run]
        self.at()
        try:
            self.runs[run] = (steps, steps.send(call.answer if call else None))
        except StopIteration:
            del self.runs[run]

    def kill(self, run: str) -> None:
        """End an orchestration. Messages that it sent stay pending."""
        self.runs.pop(run)[0].close()
        for vm in self.vms.values():
            vm.holder = None if vm.holder == run else vm.holder

    def _look(self, look: str) -> Run:
        while True:
            taken = yield self.send("take", look=look)
            if not taken["vms"]:
                return
            decisions = [self._decide(row) for row in taken["vms"]]
            batch = {"batch": taken["batch"]} if "batch" in taken else {}
            yield None
            yield self.send("decided", look=look, decisions=decisions, budgets={"max_swaps": 9}, **batch)

    def _decide(self, row: Json) -> Json:
        vm = self.vms[row["vm"]]
        row_of_vm = {"vm": vm.id, "message": "m", "up": vm.is_up, "current": vm.disk.rsplit("/", 1)[-1]}
        if not vm.is_up:
            return {**row_of_vm, "decision": "swap", "reason": "recover"}
        if vm.wish == vm.disk:
            return {**row_of_vm, "decision": "skip", "reason": "already-there"}
        if vm.wish.lower() in row["rejected"] and not row["force"]:
            return {**row_of_vm, "decision": "refuse", "reason": "rejected-before"}
        force = {"force": True} if row["force"] else {}
        return {**row_of_vm, **force, "decision": "swap", "reason": "wanted", "wanted": vm.wish}

    def _swap(self, run: str, vm: Vm, n: int) -> Run:
        claim = yield self.send("claim", vm=vm.id, n=n)
        if claim["answer"] != "yours":
            return
        assert (vm.id, n) not in self.ended, f"{run} had ended and got the claim again"
        assert vm.holder is None, f"{vm.holder} and {run} both work on one VM"
        vm.holder = run
        status, intent = "skipped", claim.get("intent")
        may = vm.wish.lower() not in claim["rejected"] or (claim["force"] and claim.get("wanted") == vm.wish)
        if intent is None and may and (vm.wish != vm.disk or not vm.is_up):
            wanted = Intent(run, True, vm.disk, vm.wish).to_json()
            down = {} if vm.is_up else {"urgent": True}
            stored = yield self.send("step", vm=vm.id, n=n, step="intent", intent=wanted, tags={}, **down)
            intent = wanted if stored["ok"] else None
        if intent is not None:
            status = yield from self._work(vm, n, intent, str(claim.get("step") or ""))
        vm.holder = None
        old, new = (intent["old_disk"], intent["new_disk"]) if intent else (None, None)
        outcome = Outcome(vm.id, run, OutcomeStatus(status), "verified", "m", old, new, ended=self.at())
        yield self.send("finished", vm=vm.id, n=n, outcome=outcome.to_json())
        self.ended.add((vm.id, n))

    def _work(self, vm: Vm, n: int, intent: Json, step: str) -> Generator[Message | None, Any, str]:
        old, new = intent["old_disk"], intent["new_disk"]
        if not step.startswith("undo"):
            self.send("step", vm=vm.id, n=n, step="stop")
            yield None
            if vm.disk != new and vm.is_up:
                vm.is_up = False
                vm.stops[vm.edit if vm.wish == new else -1] += 1
            self.send("step", vm=vm.id, n=n, step="new-disk")
            yield None
            vm.disk = new
            self.send("step", vm=vm.id, n=n, step="start")
            yield None
            vm.is_up = True
            self.send("step", vm=vm.id, n=n, step="health")
            yield None
            if new not in self.bad:
                return "succeeded"
        reject = self.send("reject", vm=vm.id, n=n, disk=new)
        self.send("step", vm=vm.id, n=n, step="undo")
        yield None
        vm.wish = old if vm.wish == new else vm.wish
        vm.is_up = False
        self.send("step", vm=vm.id, n=n, step="undo-stop")
        yield None
        vm.disk, vm.is_up = old, True
        yield reject
        return "rolled-back"

    # --- invariants ---------------------------------------------------------------------------------------------

    def _check(self, before: Json) -> None:
        state = self.state
        running: Json = state.get("running", {})
        assert "bad" not in state, state["bad"]
        assert not set(running) & set(state.get("queue", {})), "a VM waits in the queue while it is being swapped"
        for vm, row in running.items():
            was = before.get(vm)
            assert row.get("missing", 0) <= self.sweeps
            if was is not None and was.get("step_n") == row["n"]:  # a recovery starts at the first step
                assert _rank(row) >= _rank(was), f"a late step undid a newer one: {was} {row}"
        for edited in self.vms.values():
            assert all(times <= 1 for edit, times in edited.stops.items() if edit >= 0), "an edit stopped its VM twice"
        numbers = [run for _, run, _ in self.started]
        assert len(numbers) == len(set(numbers)), "a swap number was used twice"


def _lasting(state: Json) -> Json:
    """The state without the parts that a doubled operation may change: times and observations."""
    kept = {key: value for key, value in state.items() if key not in ("switch", "swept", "forced") and value}
    running = state.get("running", {})
    rows = {vm: {**row, "since": "", "step_at": "", "claimed": True} for vm, row in running.items()}
    rejected = sorted((row["vm"], row["names"]) for row in state.get("rejected", []))
    return {**kept, "running": rows, "rejected": rejected}


_STEPS = ("notice", "intent", "stop", "new-disk", "start", "health", "undo", "undo-stop")


def _rank(row: Json) -> int:
    return _STEPS.index(row["step"]) if row.get("step") in _STEPS else -1
