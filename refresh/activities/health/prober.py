"""Sends the probe of a VM (`RefreshProbe`) to the VM's private address.

Decides how the address is found, and the text where there is none. Does not judge an answer and does not try twice.
"""

from __future__ import annotations

from dataclasses import dataclass

from refresh.domain.azure.vms import Vm
from refresh.domain.terms.probe import Probe
from refresh.gateways.errors import GatewayError
from refresh.gateways.guests import Guests

UNPROBED = "cannot be probed"
"""How a result begins when no probe could be sent."""


@dataclass
class Prober:
    """Probes one VM; its address is read once."""

    guests: Guests
    probe: Probe
    _address: str | None = None

    async def probe_once(self, vm: Vm) -> str | None:
        """None when the VM answers as expected, else what was seen. Never raises."""
        if vm.guest.nic_id is None:
            return f"{UNPROBED}: the VM has no network interface"
        try:
            self._address = self._address or await self.guests.read_private_ip(vm.guest.nic_id)
            if self._address is None:
                return f"{UNPROBED}: the VM has no private address"
            return await self.guests.probe(self._address, self.probe)
        except GatewayError as error:
            return f"{UNPROBED}: {error.code}"
