"""Probes go to addresses that a VM can have, and in a local run to this machine only."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from refresh.arm import probes
from refresh.arm.probe_addresses import vm_address
from refresh.domain.terms.probe import Probe
from refresh.gateways.errors import Refused
from simulator.clock import Clock, run

_connected: list[list[Any]] = []


def _record(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect":
        for seen in _connected:
            seen.append(arguments[1])


sys.addaudithook(_record)


@contextmanager
def connections() -> Iterator[list[Any]]:
    """The addresses to which this process connects meanwhile."""
    _connected.append([])
    try:
        yield _connected[-1]
    finally:
        _connected.pop()


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("10.0.0.4", "10.0.0.4"),
        ("100.64.1.4", "100.64.1.4"),
        ("20.1.2.3", "20.1.2.3"),
        ("fd00:db8::4", "fd00:db8::4"),
        ("2603:1020::4", "2603:1020::4"),
        ("::ffff:10.0.0.4", "10.0.0.4"),
        ("::ffff:a00:4", "10.0.0.4"),
    ],
)
def test_an_address_of_a_vm_is_probed(text: str, address: str) -> None:
    """Networks may use public ranges; an IPv4-mapped address is the IPv4 address in it."""
    assert str(vm_address(text)) == address


@pytest.mark.parametrize(
    "text",
    [
        "::ffff:169.254.169.254",
        "::ffff:a9fe:a9fe",
        "::FFFF:127.0.0.1",
        "::ffff:168.63.129.16",
        "::ffff:0.0.0.0",
        "::ffff:224.0.0.1",
        "::169.254.169.254",
        "::127.0.0.1",
        "64:ff9b::169.254.169.254",
        "64:ff9b::10.0.0.4",
        "64:ff9b:1::a9fe:a9fe",
        "2002:a9fe:a9fe::",
        "2002:7f00:1::1",
        "2001::a9fe:a9fe",
        "fe80::1",
        "fe80::1%eth0",
        "fd00::1%eth0",
        "fec0::1",
        "ff02::1",
        "::",
        "::1",
        "0.0.0.0",  # noqa: S104
        "0.0.0.1",
        "127.1.2.3",
        "169.254.169.254",
        "168.63.129.16",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "2852039166",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "169.254.43518",
        "127.1",
        "010.0.0.4",
        "10.0.0.4.",
        "10.0.0.4 ",
        "10.0.0.4:80",
        "[fd00::4]",
        "10.0.0.4@127.0.0.1",
        "10.0.0.4/32",
        "١٢٧.٠.٠.١",
        "localhost",
        "localtest.me",
        "169.254.169.254.nip.io",
        "metadata",
        "",
    ],
)
def test_no_other_address_is_probed(text: str) -> None:
    """Nothing is sent to this machine, the platform, relays, names, or spellings that libraries read differently."""

    async def main(_: Clock) -> None:
        for probe in (Probe("tcp", 80), Probe("http", 80, "/")):
            with pytest.raises(Refused):
                await probes.probe_once(text, probe, simulator=None)

    with connections() as seen:
        run(main, Clock("virtual"))
    assert seen == []


@pytest.mark.parametrize("address", ["10.1.2.4", "::ffff:10.1.2.4", "169.254.169.254", "192.0.2.1", "fd00::4"])
@pytest.mark.parametrize("probe", [Probe("tcp", 22), Probe("http", 80, "/"), Probe("https", 443, "/")], ids=str)
def test_a_local_run_connects_to_loopback_only(address: str, probe: Probe) -> None:
    """An address that the simulator lists no guest for is not connected to: it may be a machine in a real network."""

    async def main(_: Clock) -> str | None:
        return await probes.probe_once(address, probe, simulator="http://127.0.0.1:1")

    with connections() as seen:
        assert run(main, Clock("virtual")) is not None
    assert {place[0] for place in seen} <= {"127.0.0.1"}
