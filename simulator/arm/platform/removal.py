"""Taking resources out of the world with whatever hangs on them.

This room decides what a VM lets go of when it is gone. It refuses to know why it goes.
"""

from __future__ import annotations

from collections.abc import Iterable

from simulator.arm.core.services import Services
from simulator.arm.core.store import Record
from simulator.arm.state.attachments import sync_attachments
from simulator.arm.state.vm_state import VmState


def remove_records(services: Services, records: Iterable[Record]) -> None:
    """Remove `records`: a VM owns no disk any more, its downtime ends and its guest is heard of no more."""
    for each in records:
        is_vm = isinstance(each.state, VmState)
        if is_vm:
            each.properties["storageProfile"] = {}
            sync_attachments(services, each)  # without disks in its model the VM owns none
            services.journal.up(each.id.key, services.now())
        services.store.delete(each, services.clock.time())
        if is_vm:
            services.power_changed(each)
