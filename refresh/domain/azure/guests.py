"""What ARM shows of a VM's guest, beside its agent.

Decides which of it anybody may judge health by. Refuses to judge (`health`) and to know how it was read.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Report:
    """A state that somebody reported, in lower case, and when (ISO; None: nobody said)."""

    state: str
    at: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Guest:
    """What is known of the guest and the way to it.

    `computer_name` is what the agent last reported, `profile_name` what the VM was created with; `application` is the
    Application Health extension's word, None without one; `nic_id` is the primary of the interfaces `nic_ids`.
    """

    computer_name: str | None = None
    profile_name: str | None = None
    nic_id: str | None = None
    application: Report | None = None
    nic_ids: tuple[str, ...] = ()


NOTHING_KNOWN = Guest()
