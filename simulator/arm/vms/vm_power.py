"""Power operations of a VM: start, powerOff, deallocate, restart, redeploy, reapply, generalize.

Decides the order of power states, when the guest boots and when its agent reports. Does not know the VM's model.
https://learn.microsoft.com/azure/virtual-machines/states-billing
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from simulator.arm.core import durations, errors
from simulator.arm.core.messages import Answer, Handler, Request
from simulator.arm.core.operations import Work, accepted
from simulator.arm.core.services import Services
from simulator.arm.core.store import Json, Record
from simulator.arm.guests.guest_boot import boot_of
from simulator.arm.guests.guest_reboot import plan_reboot
from simulator.arm.state.attachments import sync_attachments
from simulator.arm.state.local_disks import lose_local_disks
from simulator.arm.state.vm_state import SETTLED, Power, VmState, vm_state
from simulator.arm.vms.vm_hibernation import check_can_hibernate

_TYPE = "Microsoft.Compute/virtualMachines"
# What a deallocate ends.
_PREEMPTIBLE = frozenset(
    {"start", "restart", "redeploy", "reapply", "update", "extensionCreate", "extensionUpdate", "extensionDelete"}
)


@dataclass(frozen=True)
class _Action:
    """One power operation: the state while it runs, the state at its end, what it requires, and whether the VM then
    has left its host."""

    name: str
    on_the_way: Power | None
    ends: Power | None
    needs_host: bool = False
    needs_os: bool = False
    leaves_host: bool = False


_ACTIONS = (
    _Action("start", "starting", "running", needs_os=True),
    _Action("powerOff", "stopping", "stopped", needs_host=True),
    _Action("deallocate", "deallocating", "deallocated", leaves_host=True),
    _Action("restart", "starting", "running", needs_host=True, needs_os=True),
    _Action("redeploy", "starting", "running", needs_os=True, leaves_host=True),
    _Action("reapply", None, None),
)


class VmPower:
    """The power operations of VMs."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def actions(self) -> Mapping[str, Handler]:
        """The POST actions by name."""
        handlers: dict[str, Handler] = {action.name: self._handler(action) for action in _ACTIONS}
        return handlers | {"generalize": self._generalize, "simulateEviction": self._simulate_eviction}

    def go_down(self, record: Record, on_the_way: Power) -> None:
        """Begin a stop or restart: from now on the VM counts as down."""
        state = vm_state(record)
        if state.power == "running":
            self._services.journal.down(record.id.key, self._services.now())
        state.set_power(on_the_way, self._services.now())
        self._services.power_changed(record)

    def boot(self, record: Record, *, at_once: bool = False) -> None:
        """Run the VM. Its OS disk decides whether the guest boots; `at_once`: the agent reports without delay."""
        state, now = vm_state(record), self._services.now()
        state.shut_down(now, keep_report=True)
        wait_s = 0.0 if at_once else durations.draw("agentReady", self._services.random("agentReady", record.id))
        state.set_power("running", now)
        boot = boot_of(self._services, record, wait_s)
        state.boot_up(boot)
        state.hibernated = False
        self._services.journal.up(record.id.key, now)
        self._services.power_changed(record)
        plan_reboot(self._services, record, boot.reboots_after_s)

    def power_off_from_guest(self, record: Record) -> None:
        """Power the VM off from inside the guest: it keeps its host and its cost, as after `powerOff`."""
        state, now = vm_state(record), self._services.now()
        if state.power != "running" or state.busy:
            return
        self._services.history.remember(record.id)
        self.go_down(record, "stopping")
        state.shut_down(now, keep_report=True)
        state.set_power("stopped", now)
        sync_attachments(self._services, record)
        self._services.power_changed(record)

    def settle(self, record: Record, error: Json | None) -> None:
        """Record the end of an operation on the VM, with `error` if it failed."""
        state = vm_state(record)
        state.busy, state.failure, state.changed_at = False, error, self._services.now()
        record.properties["provisioningState"] = "Failed" if error else "Succeeded"

    def _handler(self, action: _Action) -> Handler:
        def handle(request: Request) -> Answer:
            record = self._require(request)
            state = vm_state(record)
            hibernates = action.name == "deallocate" and request.query.get("hibernate", "").lower() == "true"
            self._check(record, state, action, preempts=not hibernates and self._preempts(record, action))
            if hibernates:
                check_can_hibernate(record, state)
            between = state.power not in SETTLED
            if state.busy:
                self._services.operations.preempt(record.id)
            before = state.power
            takes = action.name if between else _takes(action, before)
            if (action.on_the_way and (between or before != action.ends)) or action.name in ("restart", "redeploy"):
                self.go_down(record, action.on_the_way or before)
            record.properties["provisioningState"] = "Updating"
            state.busy = True
            runs = action.ends == "running"
            work = Work(
                action.name,
                takes,
                self._effect(record, action, before, hibernates=hibernates),
                lambda error: self._failed(record, before, error),
                f"{_TYPE}/{action.name}/action",
                "action",
                midway=partial(self._come_up, record, action, before) if runs else lambda: None,
                held_s=state.slow_extension_s if runs else 0.0,
            )
            return accepted(request, self._services.operations.begin(request, record.id, record.location, work), 202)

        return handle

    def _come_up(self, record: Record, action: _Action, before: Power) -> None:
        """Run the VM at the end of the action's own work, before an extension that delays its end."""
        if before == "deallocated":
            vm_state(record).earlier_report = None
        elif action.leaves_host:
            lose_local_disks(record, action.name, self._services.now())
        if before != "running" or action.name != "start":
            self.boot(record)

    def _effect(self, record: Record, action: _Action, before: Power, *, hibernates: bool) -> Callable[[], None]:
        """The effect at the end of an action; a VM that it starts runs already."""

        def effect() -> None:
            state, now, ends = vm_state(record), self._services.now(), action.ends
            state.etag += 1
            if action.leaves_host and before != "deallocated" and ends != "running":
                lose_local_disks(record, "hibernate" if hibernates else action.name, now)
            if ends is not None and ends not in ("running", state.power):
                state.shut_down(now, keep_report=ends == "stopped")
                state.set_power(ends, now)
            if ends == "deallocated":
                state.disks_at, state.hibernated = now, hibernates
            sync_attachments(self._services, record)
            self.settle(record, None)

        return effect

    def _failed(self, record: Record, before: Power, error: Json | None) -> None:
        state = vm_state(record)
        if state.power not in SETTLED:  # otherwise the VM came up before an extension delayed the end
            state.set_power(before, self._services.now())
            self._services.power_changed(record)
        if before == "running":
            self._services.journal.up(record.id.key, self._services.now())
        self.settle(record, error)

    def _check(self, record: Record, state: VmState, action: _Action, *, preempts: bool) -> None:
        if state.busy and not preempts:
            raise errors.conflict()
        reason = None
        if action.needs_os and state.generalized:
            reason = "generalized"
        elif action.needs_host and state.power == "deallocated":
            reason = "deallocated"
        if reason:
            text = f"Operation '{action.name}' is not allowed on VM '{record.id.name}' since the VM is {reason}."
            raise errors.not_allowed(text)

    def _preempts(self, record: Record, action: _Action) -> bool:
        """Whether an action begins although other operations on the VM are in progress, which it ends.

        A deallocate stops a VM that a start, an update or an extension holds in `Updating`: reported for an extension
        (https://github.com/Azure/azure-linux-extensions/issues/750) and for an update
        (https://github.com/kubernetes-sigs/cloud-provider-azure/pull/1356), for a start by analogy. Every other write
        gets 409 Conflict, as recorded and reported (https://github.com/Azure/azure-cli/issues/15765).
        """
        under_way = {each.kind for each in self._services.operations.under_way(record.id)}
        return action.name == "deallocate" and under_way <= _PREEMPTIBLE

    def _generalize(self, request: Request) -> Answer:
        record = self._require(request)
        state = vm_state(record)
        if state.busy:
            raise errors.conflict()
        if state.power not in ("stopped", "deallocated"):
            name = record.id.name
            text = f"Please power off the Virtual Machine '{name}' before setting the Virtual Machine to generalized."
            raise errors.not_allowed(text)
        state.generalized = True
        action = f"{_TYPE}/generalize/action"
        self._services.notify_write(request, record.id, action, "action", record.id.text)
        return Answer(200)

    def _simulate_eviction(self, request: Request) -> Answer:
        record = self._require(request)
        if record.properties.get("priority") != "Spot":
            raise errors.not_allowed("Operation 'simulateEviction' is allowed only for Spot Virtual Machines")
        return Answer(204)

    def _require(self, request: Request) -> Record:
        missing = errors.resource_not_found(request.id.path_name, request.id.group)
        return self._services.require(request.id, missing)


def _takes(action: _Action, before: Power) -> str:
    """The distribution of an action's duration: an action that changes nothing is quick."""
    if action.name == "start" and before == "stopped":
        return "startStopped"
    if action.name in ("start", "powerOff", "deallocate") and before == action.ends:
        return "updateDeallocated"
    return action.name
