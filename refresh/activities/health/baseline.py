"""Records, before the stop, what a VM must show after its start.

Decides which facts about the VM are recorded. Leaves the judgement to `domain/health`.
"""

from __future__ import annotations

from collections.abc import Collection

from refresh.activities.health.prober import Prober
from refresh.domain.azure.data_disks import data_disks_of
from refresh.domain.azure.galleries import Definition
from refresh.domain.azure.vms import Power, Vm
from refresh.domain.health.agent_tag import agent_required
from refresh.domain.health.guest_rungs import computer_names
from refresh.domain.health.ladder import RungName
from refresh.domain.terms.probe import Probe
from refresh.gateways.guests import Guests
from refresh.records.swap import Health


async def health_before(vm: Vm, definition: Definition | None, guests: Guests, lost: Collection[str] = ()) -> Health:
    """What `vm` must show on a disk of `definition`; a running VM is probed once, to record whether it answers now.

    A probe without an answer does not prevent the swap, which may be what makes the VM healthy again. The rungs in
    `lost` are not expected: the app has no right to read them, and a missing signal would prove nothing about the disk.
    """
    vm_tags = vm.own_tags
    probe = vm_tags.probe if isinstance(vm_tags.probe, Probe) and RungName.PROBE not in lost else None
    answered = probe is None
    if probe is not None and vm.power is Power.RUNNING:
        answered = await Prober(guests, probe).probe_once(vm) is None
    application = vm.guest.application
    return Health(
        computer_names=computer_names(vm),
        data_disks=data_disks_of(vm.data_disks),
        probe=str(probe) if probe else None,
        agent=agent_required(definition),
        timeout_s=vm_tags.health_timeout_s if isinstance(vm_tags.health_timeout_s, int) else None,
        probe_answered=answered,
        app_unhealthy=application is not None and application.state == "unhealthy",
    )
