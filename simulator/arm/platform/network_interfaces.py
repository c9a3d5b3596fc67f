"""Microsoft.Network/networkInterfaces: network interfaces of VMs.

Decides that an interface names a subnet that exists in its region, gets an address of its own, and cannot be deleted
while a VM uses it. The rest of a body is stored as it is. Does not know networks.
https://learn.microsoft.com/rest/api/virtualnetwork/network-interfaces
"""

from __future__ import annotations

from collections.abc import Iterator

from simulator.arm.core import errors
from simulator.arm.core.ids import parse_id
from simulator.arm.core.messages import Answer, Request
from simulator.arm.core.resource_types import ResourceType
from simulator.arm.core.services import Services
from simulator.arm.core.store import Json, Record, normal_location
from simulator.arm.platform.generic import Generic

TYPE = "Microsoft.Network/networkInterfaces"
_VM_TYPE = "Microsoft.Compute/virtualMachines"


class NetworkInterfaces:
    """The provider of network interfaces."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._generic = Generic(services)

    def resource_type(self) -> ResourceType:
        """The router's view of network interfaces."""
        return ResourceType(
            name=TYPE,
            render=lambda record, request: record.body,
            put=self.put,
            patch=self._generic.patch,
            delete=self.delete,
            fill=self.fill,
        )

    def fill(self, record: Record) -> None:
        """Complete an interface of a scenario."""
        self._generic.fill(record)
        self._complete(record)

    def put(self, request: Request) -> Answer:
        """Create or replace."""
        location = normal_location(str(request.body.get("location", "")))
        for configuration in _configurations(request.body):
            subnet = str(((configuration.get("properties") or {}).get("subnet") or {}).get("id", ""))
            if not self._has_subnet(subnet, location):
                # Reported in public logs.
                raise errors.provider_error(
                    400,
                    "InvalidResourceReference",
                    f"Resource {subnet} referenced by resource {request.id.text} was not found. Please make sure that "
                    "the referenced resource exists, and that both resources are in the same region.",
                )
        before = self._services.store.get(request.id)
        answer = self._generic.put(request)
        record = self._services.store.get(request.id)
        assert record is not None
        if before is not None:
            _keep_addresses(before, record)
        self._complete(record)
        answer.body = record.body
        return answer

    def delete(self, request: Request) -> Answer:
        """Delete, unless a VM uses it."""
        for vm in self._services.store.of_type(_VM_TYPE):
            if any(str(each.get("id", "")).lower() == request.id.key for each in _interfaces(vm)):
                # Reported in public logs.
                raise errors.provider_error(
                    400,
                    "NicInUse",
                    f"Network Interface {request.id.text} is used by existing resource {vm.id.text}. In order to "
                    "delete the network interface, it must be dissociated from the resource. To learn more, see "
                    "aka.ms/deletenic.",
                )
        return self._generic.delete(request)

    def _has_subnet(self, text: str, location: str) -> bool:
        try:
            subnet = parse_id(text)
        except ValueError:
            return False
        network = self._services.store.get(subnet.parent) if subnet.parent else None
        if network is None or network.location != location:
            return False
        listed = network.properties.get("subnets") or []
        return self._services.store.get(subnet) is not None or any(
            str(each.get("name", "")).lower() == subnet.name.lower() for each in listed
        )

    def _complete(self, record: Record) -> None:
        for configuration in _configurations(record.body):
            properties = configuration.setdefault("properties", {})
            if not properties.get("privateIPAddress"):
                host = self._services.random("privateIPAddress", record.id).randrange(2**16)
                properties["privateIPAddress"] = f"10.{host >> 8}.{host & 255}.4"
            properties.setdefault("primary", True)


def _configurations(body: Json) -> list[Json]:
    return [each for each in (body.get("properties") or {}).get("ipConfigurations") or [] if isinstance(each, dict)]


def _keep_addresses(before: Record, record: Record) -> None:
    old = {each.get("name"): each.get("properties") or {} for each in _configurations(before.body)}
    for configuration in _configurations(record.body):
        address = old.get(configuration.get("name"), {}).get("privateIPAddress")
        if address:
            configuration.setdefault("properties", {}).setdefault("privateIPAddress", address)


def _interfaces(vm: Record) -> Iterator[Json]:
    yield from (vm.properties.get("networkProfile") or {}).get("networkInterfaces") or []
