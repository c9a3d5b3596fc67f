"""How a VM is stopped for a swap.

Decides between the two ways from the VM's tag and the setting. Deallocating gives the host back: the next start may
find no capacity and a dynamic public address changes. Powering off keeps both, and the VM is paid for meanwhile.
https://learn.microsoft.com/azure/virtual-machines/states-billing
"""

from __future__ import annotations

from enum import StrEnum

from refresh.domain.azure.vms import Vm
from refresh.domain.terms import tags


class StopMode(StrEnum):
    """The tag's and the setting's words for it."""

    DEALLOCATE = "deallocate"
    POWER_OFF = "power-off"


def choose_stop_mode(vm: Vm, default: str) -> StopMode | None:
    """The VM's own mode (`RefreshStopMode`), else the setting's; None when the tag says neither of the two."""
    text = (tags.value_of(vm.tags, tags.REFRESH_STOP_MODE) or "").strip().lower() or default
    return StopMode(text) if text in StopMode else None
