"""What can be read of a VM's guest beside the instance view, and the probe.

Decides which calls the app can make. Does not know how a call is made (`arm/guests.py`). Errors are those of
`errors.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from refresh.domain.azure.guests import Report
from refresh.domain.terms.probe import Probe


class Guests(Protocol):
    """Reads about a VM's guest."""

    async def read_private_ip(self, nic_id: str) -> str | None:
        """The primary private address of a network interface, None when it has none. NotFound, Refused, Unavailable."""
        ...

    async def list_dynamic_ips(self, nic_id: str) -> Sequence[str]:
        """Names of the interface's public addresses that a deallocated VM loses. NotFound, Refused, Unavailable."""
        ...

    async def list_all_dynamic_ips(self, subscription: str) -> Mapping[str, Sequence[str]]:
        """The same for every interface of a subscription that has one, by its lower-case id. Refused, Unavailable."""
        ...

    async def read_boot_log(self, vm_id: str) -> str | None:
        """The end of the VM's serial log; None where there is none. Unavailable when there may be one later."""
        ...

    async def read_resource_health(self, vm_id: str) -> Report | None:
        """Azure's report of the VM's availability; None where there is none. Unavailable."""
        ...

    async def probe(self, address: str, probe: Probe) -> str | None:
        """Probe the VM at its private `address` once: None when it succeeds, else what happened. Refused."""
        ...
