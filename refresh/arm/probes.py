"""The only requests that do not go to Resource Manager: a probe of a VM, and the download of its serial log.

Decides where such a request may go and how much of an answer is read. A tag names port and path of a probe, never a
host; a log is downloaded from Azure's own storage only. No redirect is followed, no proxy used, no credential sent, and
no signed address is shown or logged. Does not know what an answer means for the VM.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager

import aiohttp
from yarl import URL

from refresh.arm.local_guests import find_guest
from refresh.arm.probe_addresses import Address, vm_address
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
NO_GUEST = "no answer (no guest of the simulator listens there)"


async def probe_once(address: str, probe: Probe, *, simulator: str | None) -> str | None:
    """Probe the VM at `address` once: None when it succeeds, else what happened, in a few words.

    A TCP probe connects; an HTTP probe requires a status from 200 to 399. `simulator` is ARM's endpoint when Azure is a
    simulator on this machine: then the probe goes to this machine only. Refused, with nothing sent, for an address that
    cannot be a VM's.
    """
    place = None if simulator else (vm_address(address), probe.port)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            place = await find_guest(simulator, address, probe.port) if simulator else place
            if place is None:
                return NO_GUEST
            return await (_connect(*place) if probe.scheme == "tcp" else _get(*place, probe))
    except TimeoutError:
        return f"no answer within {TIMEOUT_S:.0f} s"
    except (OSError, aiohttp.ClientError, ValueError) as fault:
        return f"no answer ({type(fault).__name__})"


async def fetch_log(uri: str, *, local: bool) -> str:
    """The end of the serial log at `uri`, which is signed.

    Refused for any other host, Unavailable when it cannot be read.
    """
    url = _log_url(uri, local=local)
    try:
        async with asyncio.timeout(LOG_TIMEOUT_S), _session() as session, _log(session, url) as answer:
            if answer.status != 200:
                raise Unavailable("LogNotRead", f"the download of the serial log returned {answer.status}")
            return (await _tail(answer.content)).decode("utf-8", "replace")
    except (TimeoutError, OSError, aiohttp.ClientError, ValueError) as fault:
        raise Unavailable("LogNotRead", f"the serial log could not be read ({type(fault).__name__})") from None


def _log_url(uri: str, *, local: bool) -> URL:
    """`uri` as the HTTP client reads it: what is checked is what is connected to."""
    try:
        url = URL(uri, encoded=True)
        host, port = (url.host or "").lower(), url.port
    except ValueError:
        raise Refused("UntrustedLogHost", "the boot diagnostics have no address that can be read") from None
    azure = url.scheme == "https" and host.endswith(_STORAGE) and port == 443
    if url.user is not None or url.password is not None or not (is_loopback(host) if local else azure):
        raise Refused("UntrustedLogHost", "the boot diagnostics name a host that is not Azure's own storage")
    return url


def _log(session: aiohttp.ClientSession, url: URL) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
    return session.get(url, allow_redirects=False)


async def _connect(host: Address, port: int) -> str | None:
    _, writer = await asyncio.open_connection(str(host), port)
    writer.close()
    return None


async def _get(host: Address, port: int, probe: Probe) -> str | None:
    shown = f"[{host}]" if host.version == 6 else str(host)
    url = URL(f"{probe.scheme}://{shown}:{port}{probe.path}", encoded=True)
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
