"""What ARM shows of a VM's guest beside its agent, as plain values.

Decides which parts the health check uses; `domain/health` judges them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Report:
    """A reported state, in lower case, and its time (ISO; None: no time was given)."""

    state: str
    at: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Guest:
    """The guest's names, application health and network interfaces.

    `computer_name` is what the agent last reported, `profile_name` what the VM was created with; `application` is the
    report of the Application Health extension, None without one; `nic_id` is the primary of the interfaces `nic_ids`.
    """

    computer_name: str | None = None
    profile_name: str | None = None
    nic_id: str | None = None
    application: Report | None = None
    nic_ids: tuple[str, ...] = ()


NOTHING_KNOWN = Guest()
