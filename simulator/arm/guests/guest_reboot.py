"""A guest that reboots itself.

Decides what changes: the VM runs all the time, no operation shows it, and its downtime is not counted. The ports close
until the guest is up, the console shows a further boot, and the agent's last report ages until the agent reports again.
Leaves when a guest reboots itself to `guest_boot.py` and the scenario.
https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/understand-vm-reboot
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from simulator.arm.core import durations
from simulator.arm.core.services import Services
from simulator.arm.core.store import Record
from simulator.arm.guests.guest_boot import boot_of
from simulator.arm.state.vm_state import Boot, vm_state


def plan_reboot(services: Services, vm: Record, after_s: float | None) -> None:
    """Let the guest that runs now reboot itself after `after_s` seconds (None: not)."""
    if after_s is not None and (boot := vm_state(vm).boot) is not None:
        services.operations.later(after_s, partial(_reboot, services, vm, boot))


def _reboot(services: Services, vm: Record, boot: Boot) -> None:
    state, now = vm_state(vm), services.now()
    if services.store.get(vm.id) is not vm or state.boot is not boot or state.power != "running":
        return  # the VM was deleted, stopped or started again meanwhile
    services.history.remember(vm.id)
    wait_s = durations.draw("agentReady", services.random("guestReboot", vm.id))
    state.shut_down(now, keep_report=True)
    state.boot_up(replace(boot_of(services, vm, wait_s), by_guest=True))
    services.power_changed(vm)
    plan_reboot(services, vm, state.boot.reboots_after_s if state.boot else None)
