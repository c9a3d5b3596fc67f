"""Signs of a failed boot in a VM's serial log.

Decides which lines prove failure: a match proves failure, no match proves nothing. The text of the log is the guest's
own and is never repeated. Only the newest boot is read: a VM that keeps its host keeps the log of earlier boots too.
"""

from __future__ import annotations

import re

# The first line a Linux kernel and a Windows boot (Special Administration Console) print.
_BOOTS = re.compile(r"\bLinux version \d|Computer is booting, SAC started")

# https://learn.microsoft.com/troubleshoot/azure/virtual-machines/linux/kernel-related-boot-issues
# https://learn.microsoft.com/troubleshoot/azure/virtual-machines/linux/linux-virtual-machine-cannot-start-fstab-errors
# https://learn.microsoft.com/troubleshoot/azure/virtual-machines/linux/troubleshoot-vm-boot-error
# For Windows, only the texts that setup shows on its screen are known, not whether it writes them to the serial port.
_SIGNS = (
    ("kernel panic", re.compile(r"Kernel panic - not syncing")),
    (
        "emergency mode",
        re.compile(
            r"(?:Welcome to|You are in|Entering) emergency mode|Give root password for maintenance|Reached target "
            r"(?:emergency\.target - )?Emergency Mode",
            re.IGNORECASE,
        ),
    ),
    (
        "stuck before the root file system",
        re.compile(r"^\(initramfs\)|dracut-initqueue.*timeout|^dracut:/#", re.MULTILINE),
    ),
    ("stuck in the boot loader", re.compile(r"^grub(?: rescue)?>", re.MULTILINE)),
    (
        "Windows setup is waiting",
        re.compile(
            r"Windows installation cannot proceed|Windows could not (?:complete the installation|finish configuring)"
            r"|Windows (?:Setup|OOBE)\b",
            re.IGNORECASE,
        ),
    ),
)


ALL_BOOTS = 1_000_000
"""More boots than any log has: nothing in the log is from the boot that counts."""


def count_boots(text: str) -> int:
    """How many boots the log shows."""
    return len(_BOOTS.findall(text))


def find_in_boot_log(text: str, earlier_boots: int = 0) -> str | None:
    """What shows that the newest boot in the log failed; None when nothing does, which does not prove health.

    A log with no more than `earlier_boots` has none of the boot that counts yet: the newest is of another disk.
    """
    boots = list(_BOOTS.finditer(text))
    if earlier_boots and len(boots) <= earlier_boots:
        return None
    newest = text[boots[-1].start() :] if boots else text
    return next((what for what, pattern in _SIGNS if pattern.search(newest)), None)
