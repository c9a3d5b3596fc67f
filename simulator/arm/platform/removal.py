"""Removing resources from the store, with the effects on disks, downtime and guests.

Decides what changes when a VM is removed. Does not know the reason.
"""

from __future__ import annotations

from collections.abc import Iterable

from simulator.arm.core.services import Services
from simulator.arm.core.store import Record
from simulator.arm.state.attachments import sync_attachments
from simulator.arm.state.vm_state import VmState


def remove_records(services: Services, records: Iterable[Record]) -> None:
    """Remove `records`: the disks of a VM are detached, its downtime ends and its guest stops."""
    for each in records:
        is_vm = isinstance(each.state, VmState)
        if is_vm:
            each.properties["storageProfile"] = {}
            sync_attachments(services, each)  # detaches the disks, because the model names none
            services.journal.up(each.id.key, services.now())
        services.store.delete(each, services.clock.time())
        if is_vm:
            services.power_changed(each)
