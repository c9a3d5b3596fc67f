"""Boot diagnostics: the serial log and the screenshot of a VM, behind links that expire.

Decides when links are given, how long they are valid and what they return. Leaves the console's text to
`serial_log.py`.
https://learn.microsoft.com/rest/api/compute/virtual-machines/retrieve-boot-diagnostics-data
"""

from __future__ import annotations

import base64
import hashlib
import struct
from datetime import datetime, timedelta
from urllib.parse import quote

from simulator.arm.core import errors
from simulator.arm.core.messages import Answer, Request
from simulator.arm.core.services import Services
from simulator.arm.core.store import Record
from simulator.arm.guests.serial_log import serial_log
from simulator.arm.state.vm_state import vm_state

ACTION = "retrieveBootDiagnosticsData"
BLOBS = "/_blobs/"
_LOG, _SCREENSHOT = "serialconsole.log", "screenshot.bmp"
_DEFAULT_MINUTES, _MOST_MINUTES = 120, 1440
_VM_TYPE = "Microsoft.Compute/virtualMachines"


class BootDiagnostics:
    """The action on a VM and the blobs of its links."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def retrieve(self, request: Request) -> Answer:
        """POST …/retrieveBootDiagnosticsData: the two links."""
        missing = errors.resource_not_found(request.id.path_name, request.id.group)
        record = self._services.require(request.id, missing)
        profile = (record.properties.get("diagnosticsProfile") or {}).get("bootDiagnostics") or {}
        if not profile.get("enabled"):
            # Message not known.
            raise errors.not_allowed(f"Boot diagnostics is not enabled for VM '{record.id.name}'.")
        minutes = _minutes(request.query.get("sasuriexpirationtimeinminutes"))
        expires = self._services.now() + timedelta(minutes=minutes)
        return Answer(
            200,
            {
                "consoleScreenshotBlobUri": _link(request.base_url, record, _SCREENSHOT, expires),
                "serialConsoleLogBlobUri": _link(request.base_url, record, _LOG, expires),
            },
        )

    def blob(self, path: str, expires: str, signature: str) -> tuple[int, str, bytes]:
        """Status, content type and bytes of a link: 403 for a wrong signature or an expired link, 404 before a boot."""
        try:
            late = datetime.fromisoformat(expires) < self._services.now()
        except ValueError:
            late = True
        if late or signature != _signature(path, expires):
            return _xml(403, "AuthenticationFailed", "Server failed to authenticate the request.")
        record = self._find(path)
        if record is None or not vm_state(record).console:
            return _xml(404, "BlobNotFound", "The specified blob does not exist.")
        state, now = vm_state(record), self._services.now()
        if path.endswith(_SCREENSHOT):
            up = state.boot is not None and state.boot.up_at is not None and state.boot.up_at <= now
            return 200, "image/bmp", _bitmap(up=up)
        os_type = record.properties.get("storageProfile", {}).get("osDisk", {}).get("osType", "Linux")
        return 200, "text/plain", serial_log(state, str(os_type), now).encode()

    def _find(self, path: str) -> Record | None:
        return next((each for each in self._services.store.of_type(_VM_TYPE) if _stem(each) in path), None)


def _link(base_url: str, record: Record, name: str, expires: datetime) -> str:
    path = f"{BLOBS}{_stem(record)}.{name}"
    at = expires.isoformat(timespec="seconds")
    return f"{base_url}{path}?sv=2018-03-28&sr=b&sp=r&se={quote(at, safe='')}&sig={_signature(path, at)}"


def _stem(record: Record) -> str:
    vm_id, name = str(record.properties.get("vmId", "")), record.id.name.lower()
    container = f"bootdiagnostics-{''.join(filter(str.isalnum, name))[:9]}-{vm_id}"
    return f"{container}/{name}.{vm_id}"


def _signature(path: str, expires: str) -> str:
    """A dummy signature: it binds a link to its path and expiry and protects nothing."""
    digest = hashlib.sha256(f"{path}|{expires}".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _minutes(text: str | None) -> int:
    if text is None:
        return _DEFAULT_MINUTES
    if not text.isdigit() or not 1 <= int(text) <= _MOST_MINUTES:
        raise errors.invalid_parameter(
            f"sasUriExpirationTimeInMinutes must be between 1 and {_MOST_MINUTES}.", "sasUriExpirationTimeInMinutes"
        )
    return int(text)


def _xml(status: int, code: str, message: str) -> tuple[int, str, bytes]:
    text = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return status, "application/xml", text.encode()


def _bitmap(*, up: bool) -> bytes:
    """A picture of one pixel: white where the guest is up, black where it is not."""
    pixel = (b"\xff\xff\xff" if up else b"\x00\x00\x00") + b"\x00"
    header = struct.pack("<2sIHHI", b"BM", 54 + len(pixel), 0, 0, 54)
    return header + struct.pack("<IiiHHIIiiII", 40, 1, 1, 1, 24, 0, len(pixel), 2835, 2835, 0, 0) + pixel
