"""The disks of a VM's host: the temporary disk and the local NVMe disks.

Decides which VMs have them, which operations empty them and what the control plane shows of them. Leaves their sizes to
`vm_sizes.py`. ARM shows neither these disks nor their loss.

A VM that leaves its host loses them: deallocate, hibernate, redeploy, a new size. Restart and `powerOff` keep the host
and so the disks: https://learn.microsoft.com/azure/virtual-machines/managed-disks-overview#temporary-disk,
https://learn.microsoft.com/azure/virtual-machines/sizes/storage-optimized/lsv3-series,
https://learn.microsoft.com/azure/virtual-machines/states-billing
"""

from __future__ import annotations

from datetime import datetime

from simulator.arm.core.store import Json, Record
from simulator.arm.state.vm_sizes import Size, size_of
from simulator.arm.state.vm_state import vm_state


def can_have_local_data(vm: Record) -> bool:
    """Whether the VM has a host, and its size a disk there; an unknown size may have one."""
    size = _size(vm)
    return vm_state(vm).power != "deallocated" and (size is None or size.has_local_disk)


def lose_local_disks(vm: Record, operation: str, now: datetime) -> None:
    """Empty the disks of the host that the VM leaves, because of `operation`."""
    state, size = vm_state(vm), _size(vm)
    if state.local_data is None and (size is None or not size.has_local_disk):
        return
    state.local_data = None
    state.local_losses.append((now, operation))


def local_disks(vm: Record) -> Json | None:
    """The host's disks as the control plane shows them, None for a VM without one."""
    state, size = vm_state(vm), _size(vm)
    if not (size is not None and size.has_local_disk) and state.local_data is None and not state.local_losses:
        return None
    return {
        "temporaryMb": size.temporary_mb if size else None,
        "nvmeMib": size.nvme_mib if size else None,
        "data": state.local_data,
        "lost": [{"t": at.isoformat(), "operation": operation} for at, operation in state.local_losses],
    }


def _size(vm: Record) -> Size | None:
    return size_of((vm.properties.get("hardwareProfile") or {}).get("vmSize"))
