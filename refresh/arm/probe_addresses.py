"""Which addresses a probe may be sent to: those that a VM of a virtual network can have.

Decides from the address alone and without a name lookup, so the checked address is the one that is connected to. In a
local run a probe is sent to this machine only: the simulator's private addresses belong to other machines in people's
networks. Does not know how a probe is sent.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from refresh.gateways.errors import Refused

type Address = IPv4Address | IPv6Address

# The platform's address in every virtual network: never a VM.
# https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
_PLATFORM = IPv4Address("168.63.129.16")
_THIS_NETWORK = IPv4Network("0.0.0.0/8")
# Addresses that stand for an IPv4 address or for a relay: compatible, NAT64 (twice), Teredo, 6to4.
# https://www.iana.org/assignments/iana-ipv6-special-registry
_TRANSITION = tuple(map(IPv6Network, ("::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16")))


def vm_address(text: str) -> Address:
    """The address in `text`, an IPv4-mapped one as the IPv4 address in it. Refused for one that no VM can have."""
    found = _parse(text)
    if isinstance(found, IPv4Address):
        forbidden = found == _PLATFORM or found in _THIS_NETWORK
    else:
        forbidden = found.is_site_local or any(found in network for network in _TRANSITION)
    reserved = found.is_loopback or found.is_link_local or found.is_multicast or found.is_unspecified
    # Python calls unassigned IPv6 networks reserved; of IPv4 it is 240.0.0.0/4 with the broadcast address.
    if forbidden or reserved or (found.version == 4 and found.is_reserved):
        raise Refused("BadProbeAddress", f"{found} cannot be the address of a VM")
    return found


def loopback_address(text: str) -> Address | None:
    """The address in `text` when it is this machine's own; None for any other address. Refused for other texts."""
    found = _parse(text)
    return found if found.is_loopback else None


def _parse(text: str) -> Address:
    try:
        found = ip_address(text)
    except ValueError:
        raise Refused("BadProbeAddress", "the VM's network interface has no address that can be probed") from None
    if isinstance(found, IPv6Address):
        if found.scope_id is not None:
            raise Refused("BadProbeAddress", "an address with a zone is not that of a VM in a virtual network")
        return found.ipv4_mapped or found
    return found
