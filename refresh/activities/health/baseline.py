"""Records, before the stop, what a VM must show after its start.

Decides which facts about the VM are recorded. Leaves the judgement to `domain/health`.
"""

from __future__ import annotations

from collections.abc import Collection

from refresh.activities.health.prober import Prober
from refresh.domain.azure.data_disks import data_disks_of
from refresh.domain.azure.galleries import Definition
from refresh.domain.azure.vms import Power, Vm
from refresh.domain.health.guest_rungs import computer_names
from refresh.domain.health.ladder import RungName
from refresh.domain.health.owner_tags import agent_promised, health_timeout_s
from refresh.domain.health.probe import parse_probe, probe_text
from refresh.gateways.gateways import Guests
from refresh.records.swap import Health


async def health_before(vm: Vm, definition: Definition | None, guests: Guests, lost: Collection[str] = ()) -> Health:
    """What `vm` must show on a disk of `definition`; a running VM is probed once, to record whether it answers now.

    A probe without an answer does not prevent the swap, which may be what makes the VM healthy again. The rungs in
    `lost` are not expected: the app has no right to read them, and their silence would prove nothing about the disk.
    """
    probe = None if RungName.PROBE in lost else parse_probe(probe_text(vm) or "")
    answered = True
    if probe is not None and vm.power is Power.RUNNING:
        answered = await Prober(guests, probe).ask(vm) is None
    return Health(
        computer_names=computer_names(vm),
        data_disks=data_disks_of(vm.data_disks),
        probe=str(probe) if probe else None,
        agent=agent_promised(definition),
        timeout_s=health_timeout_s(vm),
        probe_answered=answered,
    )
