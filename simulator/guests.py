"""Opens a listener on loopback for each port that the guest of a running VM listens on.

Decides which ports are open: those of a running VM whose guest is up and whose disk is healthy. Leaves the moment a
guest is up to `arm`.

ARM shows the VM's private address (10.x.x.x). The control plane lists the port on 127.0.0.1 for each guest port; it
stays the same while the simulator runs. Port 22 sends an SSH server's greeting, every other port answers any HTTP
request with 200.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from dataclasses import dataclass, field
from typing import Any

from simulator.arm.core.services import Services
from simulator.arm.core.store import Record
from simulator.arm.state.local_disks import local_disks
from simulator.arm.state.vm_state import vm_state

_HOST = "127.0.0.1"
_VM_TYPE = "Microsoft.Compute/virtualMachines"
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n"


@dataclass
class _GuestPort:
    """One port of one guest: its number on loopback, and its server while the port is open."""

    number: int
    server: asyncio.Server | None = None
    opening: asyncio.Task[None] | None = None
    connections: set[asyncio.StreamWriter] = field(default_factory=set)


class Guests:
    """The listeners of all guests."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._ports: dict[tuple[str, int], _GuestPort] = {}
        services.on_power.append(self.follow)

    def follow(self, vm: Record) -> None:
        """Open or close the ports for the VM's current power and guest state; check again when the guest will be up."""
        state = vm_state(vm)
        if not state.listens and not any(key == vm.id.key for key, _ in self._ports):
            return
        up_at = state.boot.up_at if state.boot and state.boot.healthy and state.power == "running" else None
        if self._services.store.get(vm.id) is not vm:
            up_at = None
        waits_s = 0.0 if up_at is None else (up_at - self._services.now()).total_seconds()
        if waits_s > 0:
            self._services.operations.later(waits_s, lambda: self.follow(vm))
        is_open = up_at is not None and waits_s <= 0
        for port in state.listens:
            guest_port = self._port(vm.id.key, port)
            self._open(guest_port, port) if is_open else self._close(guest_port)
        for (key, port), guest_port in self._ports.items():
            if key == vm.id.key and port not in state.listens:
                self._close(guest_port)

    def listing(self) -> list[dict[str, Any]]:
        """Every VM's guest: its address in ARM, its name, whether it is up, the loopback address of each port, and
        the disks of its host."""
        guests = []
        for vm in self._services.store.of_type(_VM_TYPE):
            state = vm_state(vm)
            boot, now = state.boot, self._services.now()
            guests.append(
                {
                    "id": vm.id.text,
                    "ip": self._address(vm),
                    "computerName": state.guest.get("computerName"),
                    "up": bool(state.power == "running" and boot and boot.up_at and boot.up_at <= now),
                    "ports": {str(port): f"{_HOST}:{self._port(vm.id.key, port).number}" for port in state.listens},
                    "localDisks": local_disks(vm),
                }
            )
        return guests

    def close(self) -> None:
        """Close every port and drop their numbers."""
        for guest_port in self._ports.values():
            self._close(guest_port)
        self._ports.clear()

    def _port(self, vm_key: str, port: int) -> _GuestPort:
        guest_port = self._ports.get((vm_key, port))
        if guest_port is None:
            with _bound(0) as found:
                guest_port = self._ports[vm_key, port] = _GuestPort(found.getsockname()[1])
        return guest_port

    def _open(self, guest_port: _GuestPort, port: int) -> None:
        if guest_port.server is not None or guest_port.opening is not None:
            return
        listener = _bound(guest_port.number)
        listener.listen()  # from here on a connection waits for the server below

        async def serve() -> None:
            async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                guest_port.connections.add(writer)
                try:
                    await _greet(reader, writer, port)
                finally:
                    guest_port.connections.discard(writer)

            guest_port.server = await asyncio.start_server(answer, sock=listener)
            guest_port.opening = None

        guest_port.opening = asyncio.get_running_loop().create_task(serve())

    def _close(self, guest_port: _GuestPort) -> None:
        if guest_port.opening is not None:
            opening, guest_port.opening = guest_port.opening, None
            opening.add_done_callback(lambda _: self._close(guest_port))
        if guest_port.server is not None:
            guest_port.server.close()
            guest_port.server = None
        for writer in list(guest_port.connections):
            writer.transport.abort()

    def _address(self, vm: Record) -> str | None:
        """The primary address of the primary network interface, or the first of all."""
        for interface in _primary_first(vm.properties.get("networkProfile", {}).get("networkInterfaces", [])):
            nic = self._services.store.get(str(interface.get("id", "")))
            for configuration in _primary_first(nic.properties.get("ipConfigurations", []) if nic else []):
                if address := configuration.get("properties", {}).get("privateIPAddress"):
                    return str(address)
        return None


def _primary_first(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(blocks, key=lambda block: block.get("properties", {}).get("primary") is not True)


async def _greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        if port == 22:
            writer.write(b"SSH-2.0-OpenSSH_9.6p1 Ubuntu-3ubuntu13\r\n")
            await writer.drain()
            await reader.read()
        else:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(_ANSWER)
            await writer.drain()
    writer.close()


def _bound(number: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((_HOST, number))
    bound.setblocking(False)
    return bound
