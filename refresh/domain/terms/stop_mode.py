"""How a VM is stopped for a swap, and what a VM's tag and the setting may ask for.

Deallocating releases the host: the next start may find no capacity, what is on the host's own disks is lost, and a
dynamic public address changes. Powering off keeps them, and the VM is paid for meanwhile.
https://learn.microsoft.com/azure/virtual-machines/states-billing
"""

from __future__ import annotations

from enum import StrEnum


class StopMode(StrEnum):
    """How a VM is stopped; intents and outcomes have the value."""

    DEALLOCATE = "deallocate"
    POWER_OFF = "power-off"


class StopWish(StrEnum):
    """What the tag or the setting asks for; `auto` becomes one of the stop modes before the swap."""

    DEALLOCATE = "deallocate"
    POWER_OFF = "power-off"
    AUTO = "auto"
