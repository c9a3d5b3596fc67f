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
from refresh.domain.health.boot_log import ALL_BOOTS, count_boots
from refresh.domain.health.guest_rungs import computer_names
from refresh.domain.health.ladder import RungName
from refresh.domain.terms.probe import Probe
from refresh.domain.terms.stop_mode import StopMode
from refresh.gateways.errors import GatewayError
from refresh.gateways.guests import Guests
from refresh.records.swap import Health


async def health_before(
    vm: Vm,
    definition: Definition | None,
    guests: Guests,
    lost: Collection[str] = (),
    mode: StopMode = StopMode.DEALLOCATE,
) -> Health:
    """What `vm` must show on a disk of `definition`; a running VM is probed once, to record whether it answers now.

    A probe without an answer does not prevent the swap, which may be what makes the VM healthy again. The rungs in
    `lost` are not expected: the app has no right to read them, and a missing signal would prove nothing about the disk.
    A VM that is powered off (`mode`) keeps its host and the serial log of the old disk's boots.
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
        app_unhealthy=True if application is not None and application.state == "unhealthy" else None,
        boots=await _boots(vm, guests) if mode is StopMode.POWER_OFF and RungName.BOOT_LOG not in lost else None,
    )


async def _boots(vm: Vm, guests: Guests) -> int:
    """How many boots the serial log shows now; all of them where it cannot be read, so that none counts."""
    try:
        text = await guests.read_boot_log(vm.id)
    except GatewayError:
        return ALL_BOOTS
    # At least one: a log that does not show the beginning of a boot is of the old disk as well.
    return max(count_boots(text), 1) if text is not None else 0
