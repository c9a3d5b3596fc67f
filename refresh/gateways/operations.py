"""Long-running operations of Azure as plain values: one that Azure accepted, and the state of one."""

from __future__ import annotations

from dataclasses import dataclass

from refresh.domain.azure.rhythm import READS_UNKNOWN, ReadsLeft


@dataclass(frozen=True)
class Begun:
    """An operation that Azure accepted. `at` is ARM's time (ISO); `token` resumes it, None when it is done.

    `retry_after_s` is Azure's wait, in seconds, before the operation's status is read.
    """

    at: str
    token: str | None = None
    retry_after_s: float | None = None


@dataclass(frozen=True)
class Progress:
    """The state of an operation: `InProgress`, `Succeeded`, `Failed` or `Unknown` (Azure's record of it is gone).

    For one in progress: `retry_after_s` until its status may be read again, and `reads_left` of it. `ended_at` is
    Azure's time of the end (ISO), where the status has one.
    """

    state: str
    code: str | None = None
    message: str | None = None
    retry_after_s: float | None = None
    reads_left: ReadsLeft = READS_UNKNOWN
    ended_at: str | None = None
