"""Reads the health of a VM's guest beside the instance view: addresses, serial log, Resource Health, probe.

Decides which call reads what and which answers mean that there is nothing to read. Does not judge health.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from refresh.arm import probes, rest
from refresh.arm.bodies import bool_at, list_at, text_at
from refresh.arm.clients import Clients, raw, split
from refresh.arm.errors import azure_errors
from refresh.domain.azure.guests import Report
from refresh.domain.terms.probe import Probe
from refresh.domain.terms.resource_id import VM_TYPE
from refresh.gateways.errors import GatewayError, NotFound, Refused

_NIC_VERSION = "2024-05-01"
_RESOURCE_HEALTH_VERSION = "2024-02-01"
# Long enough to fetch the log once.
_SAS_MINUTES = 5


class ArmGuests:
    """`gateways.Guests` on Resource Manager, Azure storage and the VM's own address."""

    def __init__(self, clients: Clients) -> None:
        """Send requests through `clients`."""
        self._clients = clients

    async def read_private_ip(self, nic_id: str) -> str | None:
        """The primary private address of a network interface, None when it has none. NotFound, Refused, Unavailable.

        https://learn.microsoft.com/rest/api/virtualnetwork/network-interfaces/get
        """
        answer = await rest.get(self._clients.rest, nic_id, _NIC_VERSION)
        configurations = list_at(rest.json_of(answer), "properties", "ipConfigurations")
        primary = [each for each in configurations if bool_at(each, "properties", "primary")]
        chosen = (primary or configurations or [None])[0]
        return text_at(chosen, "properties", "privateIPAddress")

    async def list_dynamic_ips(self, nic_id: str) -> Sequence[str]:
        """Names of the interface's public addresses that a deallocated VM loses. NotFound, Refused, Unavailable.

        One GET for the interface and one for each public address:
        https://learn.microsoft.com/rest/api/virtualnetwork/public-ip-addresses/get
        """
        answer = await rest.get(self._clients.rest, nic_id, _NIC_VERSION)
        dynamic = []
        for address_id in _public_addresses(rest.json_of(answer)):
            body = rest.json_of(await rest.get(self._clients.rest, address_id, _NIC_VERSION))
            if _is_dynamic(body):
                dynamic.append(_name_of(body, address_id))
        return dynamic

    async def list_all_dynamic_ips(self, subscription: str) -> Mapping[str, Sequence[str]]:
        """The same for every interface of a subscription that has one, by its lower-case id. Refused, Unavailable.

        https://learn.microsoft.com/rest/api/virtualnetwork/public-ip-addresses/list-all
        """
        of_all = f"/subscriptions/{subscription}/providers/Microsoft.Network"
        addresses = rest.every_resource(self._clients.rest, f"{of_all}/publicIPAddresses", _NIC_VERSION)
        dynamic = {
            address_id.lower(): _name_of(body, address_id)
            async for body in addresses
            if _is_dynamic(body) and (address_id := text_at(body, "id"))
        }
        if not dynamic:
            return {}
        nics = rest.every_resource(self._clients.rest, f"{of_all}/networkInterfaces", _NIC_VERSION)
        found = {
            (text_at(body, "id") or "").lower(): [dynamic.get(each.lower(), "") for each in _public_addresses(body)]
            async for body in nics
        }
        return {nic: [name for name in names if name] for nic, names in found.items() if any(names)}

    async def read_boot_log(self, vm_id: str) -> str | None:
        """The end of the VM's serial log; None where there is none: boot diagnostics off, or no permission.

        Unavailable when there may be one later.
        https://learn.microsoft.com/rest/api/compute/virtual-machines/retrieve-boot-diagnostics-data
        """
        vm = split(vm_id, VM_TYPE)
        operations = self._clients.compute(vm.subscription).virtual_machines
        try:
            with azure_errors():
                answer = cast(
                    "Any",
                    await operations.retrieve_boot_diagnostics_data(
                        vm.group, vm.name, sas_uri_expiration_time_in_minutes=_SAS_MINUTES, cls=raw
                    ),
                )
                uri = text_at(answer.json(), "serialConsoleLogBlobUri")
            return None if uri is None else await probes.fetch_log(uri, local=self._clients.local)
        except (NotFound, Refused):
            return None

    async def read_resource_health(self, vm_id: str) -> Report | None:
        """Azure's report of the VM's availability; None where there is none. Unavailable.

        https://learn.microsoft.com/rest/api/resourcehealth/availability-statuses/get-by-resource
        """
        path = f"{split(vm_id, VM_TYPE).text}/providers/Microsoft.ResourceHealth/availabilityStatuses/current"
        try:
            body = rest.json_of(await rest.get(self._clients.rest, path, _RESOURCE_HEALTH_VERSION))
        except GatewayError as error:
            if isinstance(error, NotFound | Refused) or error.status == 404:
                return None
            raise
        state = text_at(body, "properties", "availabilityState")
        # `occuredTime` is Azure's own spelling.
        at = text_at(body, "properties", "occuredTime") or text_at(body, "properties", "occurredTime")
        return None if state is None else Report(state.lower(), at, text_at(body, "properties", "reasonType"))

    async def probe(self, address: str, probe: Probe) -> str | None:
        """Probe the VM at its private `address` once: None when it succeeds, else what happened. Refused."""
        return await probes.probe_once(address, probe, simulator=self._clients.simulator)


def _public_addresses(nic: object) -> list[str]:
    """The ids of a network interface's public addresses."""
    blocks = list_at(nic, "properties", "ipConfigurations")
    return [found for each in blocks if (found := text_at(each, "properties", "publicIPAddress", "id"))]


def _is_dynamic(address: object) -> bool:
    return (text_at(address, "properties", "publicIPAllocationMethod") or "").lower() == "dynamic"


def _name_of(address: object, address_id: str) -> str:
    return text_at(address, "name") or address_id.rpartition("/")[2]
