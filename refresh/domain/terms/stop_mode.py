"""How a VM is stopped for a swap: the two values of a VM's tag and of the setting.

Deallocating releases the host: the next start may find no capacity, and a dynamic public address changes. Powering off
keeps both, and the VM is paid for meanwhile. https://learn.microsoft.com/azure/virtual-machines/states-billing
"""

from __future__ import annotations

from enum import StrEnum


class StopMode(StrEnum):
    """How a VM is stopped; tags and settings have the value."""

    DEALLOCATE = "deallocate"
    POWER_OFF = "power-off"
