"""A simulated cloud-init: the effects of a new VM's custom data at its first boot.

Decides what custom data writes on a console and whether it powers the machine off. Runs no script. Of a script's
`if … else … fi` it reads the first branch when the custom data ends without errors, else the second. Does not know VMs.
https://docs.cloud-init.io/en/latest/explanation/format.html
"""

from __future__ import annotations

import base64
import binascii
import email
import re
from collections.abc import Iterator
from dataclasses import dataclass

from simulator.arm.core.fault_rules import Ending

_CONSOLE_WRITE = re.compile(r"\b(?:echo|printf)\s+(['\"])(.*?)\1\s*>+\s*\"?/dev/(?:console|ttyS0|ttyAMA0|\$\{?\w+)")
_POWERS_OFF = re.compile(
    r"^\s*-?\s*(?:\[?\s*)?(?:systemctl\s+poweroff|poweroff|shutdown\s+(?:-h|-P|--poweroff))\b|^power_state\s*:",
    re.MULTILINE,
)


@dataclass(frozen=True)
class FirstBoot:
    """The effects of custom data: its console lines at the end, and whether the machine then powers off."""

    lines: tuple[str, ...]
    powers_off: bool


def read_custom_data(encoded: str, ending: Ending) -> FirstBoot | None:
    """The effects of `encoded` custom data that ends with `ending`; None: it never ends. ValueError: not base64."""
    if ending == "never":
        return None
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("custom data is not base64") from error
    text = "\n".join(_parts(raw))
    lines = () if ending == "silent" else tuple(_console_lines(text, well=ending == "ok"))
    return FirstBoot(lines, bool(_POWERS_OFF.search(text)))


def _parts(raw: bytes) -> Iterator[str]:
    if not raw.lower().startswith((b"content-type:", b"mime-version:")):
        yield raw.decode(errors="replace")
        return
    for part in email.message_from_bytes(raw).walk():
        content = part.get_payload(decode=True)
        if isinstance(content, bytes):
            yield content.decode(errors="replace")


def _console_lines(text: str, *, well: bool) -> Iterator[str]:
    branch = None
    for line in text.splitlines():
        keyword = line.strip().partition(" ")[0]
        if keyword == "if":
            branch = True
        elif keyword in ("else", "elif"):
            branch = False
        elif keyword == "fi":
            branch = None
        elif branch in (None, well) and (found := _CONSOLE_WRITE.search(line)):
            yield from (part for part in found.group(2).replace("\\n", "\n").splitlines() if part)
