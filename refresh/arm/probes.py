"""The only requests that do not go to Resource Manager: a probe of a VM, and the download of its serial log.

Decides where such a request may go and how much of an answer is read. A tag names port and path of a probe, never a
host; a log is downloaded from Azure's own storage only. No redirect is followed, no proxy used, no credential sent, and
no signed address is shown or logged. Does not know what an answer means for the VM.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from refresh.domain.terms.probe import Probe
from refresh.gateways.errors import Refused, Unavailable
from refresh.settings.values import is_loopback

TIMEOUT_S = 5.0
LOG_TIMEOUT_S = 20.0
# Azure keeps about a megabyte of serial output; the newest boot is at the end.
MAX_LOG_BYTES = 4 * 1024 * 1024
LOG_TAIL_BYTES = 256 * 1024
_CHUNK = 64 * 1024

# The storage of boot diagnostics, managed or in one's own account, in the three clouds.
# https://learn.microsoft.com/azure/virtual-machines/boot-diagnostics
_STORAGE = (
    ".blob.core.windows.net",
    ".blob.storage.azure.net",
    ".blob.core.usgovcloudapi.net",
    ".blob.core.chinacloudapi.cn",
)
# The platform's address in every virtual network: never a VM.
# https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
_PLATFORM = IPv4Address("168.63.129.16")


async def probe_once(address: str, probe: Probe, *, local: bool) -> str | None:
    """Probe the VM at `address` once: None when it succeeds, else what happened, in a few words.

    A TCP probe connects; an HTTP probe requires a status from 200 to 399. `local` when Azure is a simulator on this
    machine. Refused, with nothing sent, for an address that cannot be a VM's.
    """
    host = _vm_address(address, local=local)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return await (_connect(host, probe.port) if probe.scheme == "tcp" else _get(host, probe))
    except TimeoutError:
        return f"no answer within {TIMEOUT_S:.0f} s"
    except (OSError, aiohttp.ClientError, ValueError) as fault:
        return f"no answer ({type(fault).__name__})"


async def fetch_log(uri: str, *, local: bool) -> str:
    """The end of the serial log at `uri`, which is signed.

    Refused for any other host, Unavailable when it cannot be read.
    """
    url = urlsplit(uri)
    simulated = local and is_loopback(url.hostname)
    if not simulated and (url.scheme != "https" or not (url.hostname or "").lower().endswith(_STORAGE)):
        raise Refused("UntrustedLogHost", "the boot diagnostics name a host that is not Azure's own storage")
    try:
        async with asyncio.timeout(LOG_TIMEOUT_S), _session() as session, _log(session, uri) as answer:
            if answer.status != 200:
                raise Unavailable("LogNotRead", f"the download of the serial log returned {answer.status}")
            return (await _tail(answer.content)).decode("utf-8", "replace")
    except (TimeoutError, OSError, aiohttp.ClientError, ValueError) as fault:
        raise Unavailable("LogNotRead", f"the serial log could not be read ({type(fault).__name__})") from None


def _log(session: aiohttp.ClientSession, uri: str) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
    return session.get(URL(uri, encoded=True), allow_redirects=False)


def _vm_address(address: str, *, local: bool) -> IPv4Address | IPv6Address:
    try:
        found = ip_address(address)
    except ValueError:
        raise Refused("BadProbeAddress", "the VM's network interface has no address that can be probed") from None
    if local and found.is_loopback:
        return found
    if found.is_loopback or found.is_link_local or found.is_multicast or found.is_unspecified or found == _PLATFORM:
        raise Refused("BadProbeAddress", f"{found} cannot be the address of a VM")
    return found


async def _connect(host: IPv4Address | IPv6Address, port: int) -> str | None:
    _, writer = await asyncio.open_connection(str(host), port)
    writer.close()
    return None


async def _get(host: IPv4Address | IPv6Address, probe: Probe) -> str | None:
    shown = f"[{host}]" if host.version == 6 else str(host)
    url = URL(f"{probe.scheme}://{shown}:{probe.port}{probe.path}", encoded=True)
    # A VM's certificate is for its name or self-signed, and the request goes to its address: a check would always fail.
    # Nothing secret is sent, and only the status of the answer is used.
    async with _session() as session, session.get(url, allow_redirects=False, ssl=False) as answer:
        return None if 200 <= answer.status < 400 else f"status {answer.status}"


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(force_close=True), trust_env=False, cookie_jar=aiohttp.DummyCookieJar()
    )


async def _tail(stream: aiohttp.StreamReader) -> bytes:
    tail, read = b"", 0
    async for chunk in stream.iter_chunked(_CHUNK):
        tail, read = (tail + chunk)[-LOG_TAIL_BYTES:], read + len(chunk)
        if read > MAX_LOG_BYTES:
            raise Unavailable("LogNotRead", "the serial log is longer than Azure keeps it")
    return tail
