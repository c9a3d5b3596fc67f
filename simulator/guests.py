"""Guests that can be reached: a listener on loopback for each port a running VM's guest listens on.

This room decides which ports are open: those of a VM that runs, whose guest is up and whose disk is healthy. The VM's
private address stays what ARM says (10.x.x.x); the control plane tells where on 127.0.0.1 each port is, and the number
stays the same while the simulator runs. Port 22 greets like an SSH server, every other port answers any HTTP request
with 200. It refuses to decide when a guest is up.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from dataclasses import dataclass, field
from typing import Any

from simulator.arm.core.services import Services
from simulator.arm.core.store import Record
from simulator.arm.state.vm_state import vm_state

_HOST = "127.0.0.1"
_VM_TYPE = "Microsoft.Compute/virtualMachines"
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n"


@dataclass
class _Door:
    """One port of one guest: its number on loopback, and its server while it is open."""

    number: int
    server: asyncio.Server | None = None
    opening: asyncio.Task[None] | None = None
    connections: set[asyncio.StreamWriter] = field(default_factory=set)


class Guests:
    """The listeners of all guests."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._doors: dict[tuple[str, int], _Door] = {}
        services.on_power.append(self.follow)

    def follow(self, vm: Record) -> None:
        """Open or close what the VM's power and guest say now, and look again when the guest will be up."""
        state = vm_state(vm)
        if not state.listens and not any(key == vm.id.key for key, _ in self._doors):
            return
        up_at = state.boot.up_at if state.boot and state.boot.healthy and state.power == "running" else None
        if self._services.store.get(vm.id) is not vm:
            up_at = None
        waits_s = 0.0 if up_at is None else (up_at - self._services.now()).total_seconds()
        if waits_s > 0:
            self._services.operations.later(waits_s, lambda: self.follow(vm))
        is_open = up_at is not None and waits_s <= 0
        for port in state.listens:
            door = self._door(vm.id.key, port)
            self._open(door, port) if is_open else self._close(door)
        for (key, port), door in self._doors.items():
            if key == vm.id.key and port not in state.listens:
                self._close(door)

    def listing(self) -> list[dict[str, Any]]:
        """Every VM's guest: its address in ARM, its name, whether it is up, and where its ports are."""
        told = []
        for vm in self._services.store.of_type(_VM_TYPE):
            state = vm_state(vm)
            boot, now = state.boot, self._services.now()
            told.append(
                {
                    "id": vm.id.text,
                    "ip": self._address(vm),
                    "computerName": state.guest.get("computerName"),
                    "up": bool(state.power == "running" and boot and boot.up_at and boot.up_at <= now),
                    "ports": {str(port): f"{_HOST}:{self._door(vm.id.key, port).number}" for port in state.listens},
                }
            )
        return told

    def close(self) -> None:
        """Close every port; forget their numbers."""
        for door in self._doors.values():
            self._close(door)
        self._doors.clear()

    def _door(self, vm_key: str, port: int) -> _Door:
        door = self._doors.get((vm_key, port))
        if door is None:
            with _bound(0) as found:
                door = self._doors[vm_key, port] = _Door(found.getsockname()[1])
        return door

    def _open(self, door: _Door, port: int) -> None:
        if door.server is not None or door.opening is not None:
            return
        listener = _bound(door.number)
        listener.listen()  # from now on a connection waits for the server below

        async def serve() -> None:
            async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                door.connections.add(writer)
                try:
                    await _greet(reader, writer, port)
                finally:
                    door.connections.discard(writer)

            door.server = await asyncio.start_server(answer, sock=listener)
            door.opening = None

        door.opening = asyncio.get_running_loop().create_task(serve())

    def _close(self, door: _Door) -> None:
        if door.opening is not None:
            opening, door.opening = door.opening, None
            opening.add_done_callback(lambda _: self._close(door))
        if door.server is not None:
            door.server.close()
            door.server = None
        for writer in list(door.connections):
            writer.transport.abort()

    def _address(self, vm: Record) -> str | None:
        for interface in vm.properties.get("networkProfile", {}).get("networkInterfaces", []):
            nic = self._services.store.get(str(interface.get("id", "")))
            for configuration in nic.properties.get("ipConfigurations", []) if nic else []:
                if address := configuration.get("properties", {}).get("privateIPAddress"):
                    return str(address)
        return None


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
