"""Polls an operation on a VM, in turn with readings of the VM itself.

Decides whether a poll reads the operation or the VM: each has its own rate limit in Compute, and together they allow
twice as many polls. Does not know what the operation does or when the next poll is due.
"""

from __future__ import annotations

from refresh.domain.azure import polls
from refresh.domain.azure.rhythm import READS_UNKNOWN, ReadsLeft
from refresh.gateways.compute import Compute
from refresh.gateways.errors import GatewayError
from refresh.gateways.operations import Progress


class OperationWatch:
    """The operation that a step has begun on `vm`, if any. Times are seconds slept in the activity.

    `ended` is the state of an operation that was found ended.
    """

    def __init__(self, compute: Compute, vm: str, token: str | None) -> None:
        """Watch the operation of `token`, begun by an earlier activity; None: there is no operation."""
        self._compute, self._vm = compute, vm
        self._token = token
        self._quiet_until_s = 0.0
        self._polls = 0
        self._over_at_s: float | None = None
        self.ended: Progress | None = None
        self.reads_left: ReadsLeft = READS_UNKNOWN

    def follow(self, token: str | None, begun_at_s: float, retry_after_s: float | None) -> None:
        """Watch another operation, accepted at `begun_at_s` with Azure's own wait before the first poll."""
        self._token, self._over_at_s, self._polls, self.ended = token, None, 0, None
        self._quiet_until_s = begun_at_s + (retry_after_s or 0.0)

    async def goes_on(self, now_s: float) -> bool:
        """Whether Azure reports the operation as under way; False: that is not known, and the VM must be read.

        Until Azure's Retry-After is over only the VM is read. Never raises.
        """
        self._polls += 1
        if self._token is None or now_s < self._quiet_until_s or self._polls % polls.VM_EVERY == 0:
            return False
        try:
            progress = await self._compute.operation_progress(self._vm, self._token)
        except GatewayError as error:
            self._quiet_until_s = now_s + (error.retry_after_s or polls.OPERATION_UNREAD_S)
            return False
        if progress.state != "InProgress":
            self._token, self._over_at_s, self.ended = None, now_s, progress
            return False
        self._quiet_until_s = now_s + (progress.retry_after_s or 0.0)
        self.reads_left = progress.reads_left
        return True

    def over_for_s(self, now_s: float) -> float | None:
        """Seconds since the operation was found ended; None when it was not."""
        return None if self._over_at_s is None else now_s - self._over_at_s
