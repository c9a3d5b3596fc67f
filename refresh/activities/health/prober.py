"""Asks a VM's own question (`RefreshProbe`) at its own private address.

Decides how the address is found and what is said when there is none. Refuses to judge an answer and to ask twice.
"""

from __future__ import annotations

from dataclasses import dataclass

from refresh.domain.azure.vms import Vm
from refresh.domain.terms.probe import Probe
from refresh.gateways.errors import GatewayError
from refresh.gateways.guests import Guests


@dataclass
class Prober:
    """Asks one VM; its address is looked up once."""

    guests: Guests
    probe: Probe
    _address: str | None = None

    async def ask(self, vm: Vm) -> str | None:
        """None when the VM answers well, else what was seen. Never raises."""
        if vm.guest.nic_id is None:
            return "cannot be asked: the VM has no network interface"
        try:
            self._address = self._address or await self.guests.read_private_ip(vm.guest.nic_id)
            if self._address is None:
                return "cannot be asked: the VM has no private address"
            return await self.guests.probe(self._address, self.probe)
        except GatewayError as error:
            return f"cannot be asked: {error.code}"
