"""Where the guests of a simulated Azure listen: on this machine, at ports that the simulator lists.

Decides that a local run connects to loopback only. Used while ARM is a simulator on this machine; the list is described
in simulator/README.md (`guests`). Does not know what is sent to a guest.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address

import aiohttp
from yarl import URL

from refresh.arm.bodies import dict_at, text_at
from refresh.arm.probe_addresses import Address, loopback_address

_GUESTS = "/_sim/guests"


async def find_guest(endpoint: str, address: str, port: int) -> tuple[Address, int] | None:
    """The loopback address and port where `port` of the VM at the private `address` listens; None: nowhere.

    A loopback address is that place already. Refused for a text that is no address.
    """
    own = loopback_address(address)
    if own is not None:
        return own, port
    timeout = aiohttp.ClientTimeout(total=5)
    async with (
        aiohttp.ClientSession(trust_env=False, timeout=timeout) as session,
        session.get(URL(f"{endpoint}{_GUESTS}"), allow_redirects=False, ssl=False) as answer,
    ):
        guests = await answer.json(content_type=None) if answer.status == 200 else []
    for guest in guests if isinstance(guests, list) else []:
        if text_at(guest, "ip") == address:
            return _place(dict_at(guest, "ports") or {}, port)
    return None


def _place(ports: Mapping[str, object], port: int) -> tuple[Address, int] | None:
    host, _, number = str(ports.get(str(port), "")).rpartition(":")
    try:
        found = ip_address(host)
    except ValueError:
        return None
    return (found, int(number)) if found.is_loopback and number.isdigit() else None
