"""Sends the VMs of events that arrive together to the inbox in one signal.

Decides what is sent together: all that arrives while another signal is on its way. Nothing waits for more events, and
an event is answered only when its signal has been accepted, so that Event Grid sends it again when that fails. Does not
know what an event is about.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from durabletask.client import AsyncTaskHubGrpcClient

from refresh.domain.terms import times
from refresh.reading.dispatcher_state import INBOX
from refresh.records import swap
from refresh.records.durable_names import InboxOperation


@dataclass
class _Batch:
    """The VMs of one signal, the latest of their events' times, and how the signal ended."""

    vms: dict[str, None] = field(default_factory=dict)
    at: str | None = None
    sent: asyncio.Task[None] | None = None


@dataclass
class _Line:
    """The batch that still takes VMs, and the signal that was begun last."""

    open: _Batch | None = None
    last: asyncio.Task[None] | None = None


class EventBatches:
    """For each event loop, one batch that gathers VMs behind the signal that is on its way."""

    def __init__(self) -> None:
        """Start with nothing to send."""
        self._lines: WeakKeyDictionary[asyncio.AbstractEventLoop, _Line] = WeakKeyDictionary()

    async def send(self, client: AsyncTaskHubGrpcClient, vm: str, at: str | None) -> None:
        """Signal the inbox with this VM, and return when the signal has been accepted. Raises the error of the signal.

        `at` is the time of the event, if it has one.
        """
        loop = asyncio.get_running_loop()
        line = self._lines.setdefault(loop, _Line())
        if line.open is None or len(line.open.vms) >= swap.VMS_PER_SIGNAL:
            line.open = _Batch()
            line.last = line.open.sent = loop.create_task(_send(client, line, line.open, line.last))
        batch = line.open
        batch.vms[vm] = None
        batch.at = times.later(at, batch.at)
        if batch.sent is not None:
            # An invocation that is cancelled must not cancel the signal of the other events.
            await asyncio.shield(batch.sent)


async def _send(client: AsyncTaskHubGrpcClient, line: _Line, batch: _Batch, before: asyncio.Task[None] | None) -> None:
    if before is not None:
        await asyncio.wait([before])
    if line.open is batch:
        line.open = None
    data = {"vms": list(batch.vms), "at": batch.at, "source": swap.FROM_EVENT}
    await client.signal_entity(INBOX, InboxOperation.HINT, data)
