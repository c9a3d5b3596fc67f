"""How a guest comes up from its disk.

This room decides from faults and from what is on the OS disk whether a guest boots, when, under which name, and whether
what runs on it works. It refuses to know power.
"""

from __future__ import annotations

from datetime import timedelta

from simulator.arm.core.services import Services
from simulator.arm.core.store import Record
from simulator.arm.state.attachments import disk_blocks, disk_id
from simulator.arm.state.contents import Content, content_of
from simulator.arm.state.vm_state import Boot, vm_state

# The share of the way to the agent's first report after which a guest shows its login prompt.
_UP_SHARE = 0.6


def boot_of(services: Services, vm: Record, wait_s: float) -> Boot:
    """The boot of a VM that runs from now on; its agent reports `wait_s` seconds later where no rule says when."""
    state, now = vm_state(vm), services.now()
    os_disk = disk_id(next(disk_blocks(vm), {}))
    stuck, takes_s = services.faults.boot(os_disk) if os_disk else (None, None)
    if stuck is not None:
        return Boot(now, None, stuck=stuck)
    wait_s = wait_s if takes_s is None else takes_s
    ready_at = now + timedelta(seconds=wait_s) if state.has_agent else None
    name_guest(services, vm)
    return Boot(now, ready_at, now + timedelta(seconds=wait_s * _UP_SHARE), healthy=is_healthy(services, vm))


def name_guest(services: Services, vm: Record) -> None:
    """Give the guest the name it has on its disk: the VM's own, unless the disk is a clone that kept another."""
    state = vm_state(vm)
    if name := _content(services, vm).hostname or state.name:
        state.guest["computerName"] = name


def is_healthy(services: Services, vm: Record) -> bool:
    """Whether what runs on the VM's OS disk works."""
    return _content(services, vm).healthy


def _content(services: Services, vm: Record) -> Content:
    os_disk = disk_id(next(disk_blocks(vm), {}))
    return content_of(services.store.get(os_disk) if os_disk else None)
