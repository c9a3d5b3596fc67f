"""The boot of a guest from its OS disk.

Decides from the faults and the disk's content whether a guest boots, when, with which computer name, and whether its
workload works. Does not know power.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from simulator.arm.core.fault_plans import BootFault
from simulator.arm.core.services import Services
from simulator.arm.core.store import Record
from simulator.arm.state.attachments import disk_blocks, disk_id
from simulator.arm.state.contents import Content, content_of
from simulator.arm.state.vm_state import Boot, vm_state

# The share of the time to the agent's first report after which a guest shows its login prompt.
_UP_SHARE = 0.6


def boot_of(services: Services, vm: Record, wait_s: float) -> Boot:
    """The boot of a VM that runs from now on; its agent reports after `wait_s` seconds unless a rule sets the time."""
    state, now = vm_state(vm), services.now()
    os_disk = disk_id(next(disk_blocks(vm), {}))
    fault = services.faults.boot(os_disk) if os_disk else BootFault()
    if fault.stuck is not None:
        return Boot(now, None, stuck=fault.stuck)
    wait_s = wait_s if fault.takes_s is None else fault.takes_s
    ready_at = now + timedelta(seconds=wait_s) if state.has_agent else None
    name_guest(services, vm)
    return Boot(
        now,
        ready_at,
        now + timedelta(seconds=wait_s * _UP_SHARE),
        healthy=is_healthy(services, vm),
        reboots_after_s=_first_boot_reboot(services, vm) if fault.reboots_after_s is None else fault.reboots_after_s,
    )


def name_guest(services: Services, vm: Record) -> None:
    """Set the guest's computer name: the name on its disk (a clone can keep another VM's), else the VM's own."""
    state = vm_state(vm)
    if name := _content(services, vm).hostname or state.name:
        state.guest["computerName"] = name


def is_healthy(services: Services, vm: Record) -> bool:
    """Whether the workload on the VM's OS disk works."""
    return _content(services, vm).healthy


def _first_boot_reboot(services: Services, vm: Record) -> float | None:
    """Seconds after which the guest reboots itself because this is its first boot from the disk."""
    os_disk = disk_id(next(disk_blocks(vm), {}))
    disk = services.store.get(os_disk) if os_disk else None
    content = content_of(disk)
    if disk is not None and content.reboots_after_s is not None:
        disk.content = replace(content, reboots_after_s=None)
    return content.reboots_after_s


def _content(services: Services, vm: Record) -> Content:
    os_disk = disk_id(next(disk_blocks(vm), {}))
    return content_of(services.store.get(os_disk) if os_disk else None)
