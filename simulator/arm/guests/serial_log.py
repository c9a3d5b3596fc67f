"""The text of a VM's serial console.

Decides the text, boot by boot, as a pure function of the boots and the time. The lines are those that Linux, systemd
and Windows write; a `silent` guest writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from simulator.arm.state.vm_state import Boot, VmState

# Seconds from the start of a VM to the console lines of a failed boot.
_TROUBLE_AFTER_S = 8.0

_LINUX = (
    "[    0.000000] Linux version 6.8.0-1017-azure (buildd@lcy02-amd64-117) #20-Ubuntu SMP",
    "[    0.000000] Command line: BOOT_IMAGE=/boot/vmlinuz-6.8.0-1017-azure root=UUID=6c0f ro console=ttyS0",
    "[    0.312415] Hyper-V: privilege flags low 0x2e7f, high 0x3b8030, hints 0x64e24, misc 0xbed7b2",
    "[    1.904112] hv_vmbus: Vmbus version:5.3",
)
# The last lines of a guest that reboots itself.
_REBOOT = ("[  OK  ] Reached target reboot.target - System Reboot.", "[  312.640118] reboot: Restarting system")
_WINDOWS = (
    "Computer is booting, SAC started and initialized.",
    'Use the "ch -?" command for information about using channels.',
    "SAC>",
)
_TROUBLE = {
    "panic": (
        "[    2.513498] VFS: Cannot open root device or unknown-block(0,0): error -6",
        "[    2.514106] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)",
        "[    2.514977] ---[ end Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0) ]---",
    ),
    "emergency": (
        "[  OK  ] Reached target Emergency Mode.",
        'You are in emergency mode. After logging in, type "journalctl -xb" to view system logs, "systemctl reboot" '
        'to reboot, or "exit" to continue bootup.',
        "Give root password for maintenance",
        "(or press Control-D to continue): ",
    ),
    "setup": (
        "Windows Setup",
        "Setup is starting services",
        "Install Windows: The computer restarted unexpectedly or encountered an unexpected error. "
        "Windows installation cannot proceed.",
    ),
}


def serial_log(state: VmState, os_type: str, now: datetime) -> str:
    """Everything on the console until `now`, newest last."""
    name = str(state.guest.get("computerName", "localhost"))
    shown = [
        (at, line)
        for boot, ended in state.console
        for at, lines in _script(boot, name, windows=os_type == "Windows")
        if at <= min(ended or now, now)
        for line in lines
    ]
    shown += [(at, line) for at, line in state.console_lines if at <= now]
    return "".join(f"{line}\r\n" for _, line in sorted(shown, key=lambda each: each[0]))


def _script(boot: Boot, name: str, *, windows: bool) -> Iterator[tuple[datetime, tuple[str, ...]]]:
    if boot.stuck == "silent":
        return
    if boot.by_guest and not windows:
        yield boot.at, _REBOOT
    yield boot.at, (_WINDOWS if windows or boot.stuck == "setup" else _LINUX)
    if boot.stuck is not None:
        yield boot.at + timedelta(seconds=_TROUBLE_AFTER_S), _TROUBLE[boot.stuck]
    elif boot.up_at is not None and not windows:
        yield boot.up_at, ("", f"Ubuntu 24.04.1 LTS {name} ttyS0", "", f"{name} login: ")
    elif boot.up_at is not None:
        yield boot.up_at, ("EVENT: The CMD command is now available.", "SAC>")
